//! What loaders that answer need of the process: a folder, and to hold still while it is forked.

use feed::serve;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The folder of sockets, where none is told.
#[pyfunction]
pub(crate) fn metrics_folder() -> PyResult<String> {
    let folder = serve::default_folder().map_err(|error| PyValueError::new_err(format!("metrics: {error}")))?;
    Ok(folder.display().to_string())
}

/// Waits until no report is being made; none is until `go_on`.
#[pyfunction]
pub(crate) fn hold_still(py: Python<'_>) {
    py.detach(serve::hold_still);
}

/// Reports are made again.
#[pyfunction]
pub(crate) fn go_on() {
    serve::go_on();
}
