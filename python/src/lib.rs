//! The compiled part of the Python package `trimtab`. What a person meets is in `trimtab/`; here is what Python cannot do: threads
//! that make batches, and their memory handed over without a copy; and a clock that is read a hundred times a step.

mod array;
mod dlpack;
mod loader;
mod memory;
mod metrics;
mod pace;
mod steps;

use pyo3::prelude::*;

/// Internal to the package `trimtab`.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::array::Array;
    #[pymodule_export]
    use super::loader::{DataError, Loader};
    #[pymodule_export]
    use super::metrics::{go_on, hold_still, metrics_folder};
    #[pymodule_export]
    use super::pace::Pace;
    #[pymodule_export]
    use super::steps::{Span, StepClock, within_step};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
