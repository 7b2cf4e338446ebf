//! How many workers of Python work at once.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use feed::tune::{self, Tuned};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A number of workers that is raised as long as that brings more.
#[pyclass(frozen, module = "trimtab._native")]
pub(crate) struct Pace {
    began: Instant,
    pace: Mutex<tune::Pace>,
}

#[pymethods]
impl Pace {
    #[new]
    fn new(start: usize, max: usize) -> PyResult<Pace> {
        if start == 0 || max == 0 {
            return Err(PyValueError::new_err("there is at least one worker"));
        }
        Ok(Pace { began: Instant::now(), pace: Mutex::new(tune::Pace::new(Tuned { start, max })) })
    }

    /// How many may work.
    #[getter]
    fn window(&self) -> usize {
        self.lock().window()
    }

    /// One is done that took so many seconds and brought `amount`; with it, `working` worked.
    fn done(&self, seconds: f64, amount: u64, working: usize) {
        let took = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self.lock().done(self.began.elapsed(), took, amount, working);
    }
}

impl Pace {
    fn lock(&self) -> std::sync::MutexGuard<'_, tune::Pace> {
        self.pace.lock().expect("nobody panics while holding it")
    }
}
