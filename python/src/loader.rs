//! The loader as Python holds it: what is asked for comes as JSON, batches go as dictionaries of arrays.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use feed::loader;
use feed::pipeline::{Kind, Made, Next};
use feed::spec::Spec;
use feed::state::State;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::array::Array;

create_exception!(trimtab, DataError, PyException, "Data cannot be read, or are not what they should be.");

/// How long Python's signals wait while a batch is waited for.
const PATIENCE: Duration = Duration::from_millis(50);

/// A loader of batches. `trimtab.Loader` is what people use.
#[pyclass(frozen, module = "trimtab._native")]
pub(crate) struct Loader(loader::Loader);

#[pymethods]
impl Loader {
    #[new]
    fn new(py: Python<'_>, spec: &str) -> PyResult<Loader> {
        let spec: Spec = serde_json::from_str(spec).map_err(|error| PyValueError::new_err(error.to_string()))?;
        // In a thread of its own, so that Ctrl-C ends the wait for a store that does not answer.
        let (sender, receiver) = mpsc::channel();
        let receiver = Mutex::new(receiver);
        // Whoever has given up waiting does not take it.
        thread::spawn(move || drop(sender.send(loader::Loader::open(&spec))));
        loop {
            match py.detach(|| receiver.lock().expect("nobody else takes it").recv_timeout(PATIENCE)) {
                Err(RecvTimeoutError::Timeout) => py.check_signals()?,
                Ok(opened) => return opened.map(Loader).map_err(raised),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err(
                        "a fault in Trimtab: what it says stands on standard error; please report it",
                    ));
                }
            }
        }
    }

    /// The next batch: its columns, and what could not be read; or none at the end of an epoch.
    #[expect(clippy::type_complexity, reason = "it is taken apart where it is called, in Python")]
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<(Bound<'py, PyDict>, Vec<(String, String)>)>> {
        loop {
            match py.detach(|| self.0.next(PATIENCE)) {
                Next::NotYet => py.check_signals()?,
                Next::EndOfEpoch(_) => return Ok(None),
                Next::Batch(mut batch) => {
                    let failed = std::mem::take(&mut batch.failed);
                    let failed = failed.into_iter().map(|error| (error.sample, error.reason)).collect();
                    let batch = Arc::new(batch);
                    let columns = PyDict::new(py);
                    for (place, column) in batch.columns().enumerate() {
                        match (&column.output.kind, column.made) {
                            (Kind::Numbers { number, shape }, _) => {
                                columns.set_item(&column.output.name, Array::new(&batch, place, *number, shape))?;
                            }
                            (Kind::Bytes, Made::Bytes(cells)) => {
                                let cells = cells[..batch.samples].iter().map(|cell| PyBytes::new(py, cell));
                                columns.set_item(&column.output.name, PyList::new(py, cells)?)?;
                            }
                            (Kind::Bytes, Made::Numbers(_)) => unreachable!("the output was made for this column"),
                        }
                    }
                    return Ok(Some((columns, failed)));
                }
            }
        }
    }

    /// Where all ranks are, as JSON.
    fn state(&self) -> String {
        serde_json::to_string(&self.0.state()).expect("a state is plain data")
    }

    /// Where the time went, as JSON.
    fn report(&self) -> String {
        serde_json::to_string(&self.0.report()).expect("a report is plain data")
    }

    /// Goes on from a state.
    fn go_on_from(&self, py: Python<'_>, state: &str) -> PyResult<()> {
        let state: State = serde_json::from_str(state).map_err(|error| PyValueError::new_err(error.to_string()))?;
        py.detach(|| self.0.go_on_from(&state)).map_err(raised)
    }

    /// Samples of an epoch, of all ranks.
    #[getter]
    fn samples(&self) -> u64 {
        self.0.samples()
    }

    /// Batches of an epoch, of this rank.
    #[getter]
    fn batches(&self) -> u64 {
        self.0.batches()
    }
}

/// As Python raises it.
fn raised(error: loader::LoaderError) -> PyErr {
    use loader::LoaderError as Error;
    match &error {
        Error::Spec { .. } | Error::State(_) => PyValueError::new_err(error.to_string()),
        Error::Find(_) | Error::Dataset(_) => DataError::new_err(error.to_string()),
    }
}
