//! The loader as Python holds it: what is asked for comes as JSON, batches go as dictionaries of arrays.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use feed::loader;
use feed::meter::Stage;
use feed::pipeline::{Batch, Kind, Next};
use feed::serve::{Endpoint, Place};
use feed::spec::Spec;
use feed::state::State;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyMemoryError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::array::Array;
use crate::memory;

create_exception!(trimtab, DataError, PyException, "Data cannot be read, or are not what they should be.");

/// How long Python's signals wait while a batch is waited for.
const PATIENCE: Duration = Duration::from_millis(50);
/// Where Python has freed at least so many bytes of a batch, they go back to the system before others are taken.
const TRIMMED: usize = 4 << 20;
/// How long batches may be held elsewhere while the next one has no memory.
const NO_ROOM: Duration = Duration::from_secs(5);

/// A loader of batches. `trimtab.Loader` is what people use.
#[pyclass(frozen, weakref, module = "trimtab._native")]
pub(crate) struct Loader {
    /// What answers for it, where it answers. Dropped first: it asks the loader.
    endpoint: Mutex<Option<Endpoint>>,
    loader: Arc<loader::Loader>,
    /// Columns of bytes that are handed over as they lie.
    arrays: Vec<String>,
    /// The samples of the batch that was taken last.
    numbers: Mutex<Vec<u64>>,
}

#[pymethods]
impl Loader {
    /// The columns of bytes that `arrays` names are handed over as arrays, and not copied.
    #[new]
    fn new(py: Python<'_>, spec: &str, arrays: Vec<String>) -> PyResult<Loader> {
        let spec: Spec = serde_json::from_str(spec).map_err(|error| PyValueError::new_err(error.to_string()))?;
        // In a thread of its own, so that Ctrl-C ends the wait for a store that does not answer.
        let (sender, receiver) = mpsc::channel();
        let receiver = Mutex::new(receiver);
        // Whoever has given up waiting does not take it.
        thread::spawn(move || drop(sender.send(loader::Loader::open(&spec))));
        loop {
            match py.detach(|| receiver.lock().expect("nobody else takes it").recv_timeout(PATIENCE)) {
                Err(RecvTimeoutError::Timeout) => py.check_signals()?,
                Ok(opened) => {
                    let loader = opened.map_err(raised)?;
                    return Ok(Loader {
                        endpoint: Mutex::default(),
                        loader: Arc::new(loader),
                        arrays,
                        numbers: Mutex::default(),
                    });
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err(
                        "a fault in Trimtab: what it says stands on standard error; please report it",
                    ));
                }
            }
        }
    }

    /// The next batch: its columns, and what could not be read; or none at the end of an epoch.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Delivered<'py>>> {
        if self.loader.copied_before() >= TRIMMED {
            memory::trim();
        }
        self.loader.let_go();
        let start = Instant::now();
        loop {
            match py.detach(|| self.loader.next(PATIENCE)) {
                Next::Batch(batch) => return self.delivered(py, batch).map(Some),
                Next::EndOfEpoch(_) => return Ok(None),
                Next::NotYet => {}
                Next::NoRoom { batch, limit } if batch > limit => {
                    return Err(PyMemoryError::new_err(format!(
                        "the next batch takes {} MiB, and memory_limit leaves {} MiB for batches: ask for a smaller batch_size, or allow more",
                        batch.div_ceil(1 << 20),
                        limit >> 20
                    )));
                }
                Next::NoRoom { batch, limit } if start.elapsed() > NO_ROOM => {
                    return Err(PyMemoryError::new_err(format!(
                        "there is no memory for the next batch, which takes {} MiB of the {} MiB for batches: those that were taken are \
                         still referred to; let go of them (or copy what is to stay), or allow more by memory_limit",
                        batch.div_ceil(1 << 20),
                        limit >> 20
                    )));
                }
                Next::NoRoom { .. } => {}
            }
            py.check_signals()?;
        }
    }

    /// The samples of the batch that was taken last, by their places in the data.
    fn numbers(&self) -> Vec<u64> {
        self.numbers.lock().expect("nobody panics while holding it").clone()
    }

    /// What a sample is called, by its place in the data.
    fn sample_name(&self, number: u64) -> PyResult<String> {
        let name = self.loader.sample_name(number);
        name.ok_or_else(|| PyValueError::new_err(format!("there is no sample {number}")))
    }

    /// Where all ranks are, as JSON.
    fn state(&self) -> String {
        serde_json::to_string(&self.loader.state()).expect("a state is plain data")
    }

    /// Where the time went, as JSON.
    fn report(&self) -> String {
        serde_json::to_string(&self.loader.report()).expect("a report is plain data")
    }

    /// Notes how a stage fares that takes these batches and makes others of them.
    fn note_stage(&self, workers: usize, samples: u64, busy_seconds: f64, starved_seconds: f64) {
        self.loader.note_stage(Stage { workers, samples, busy_seconds, starved_seconds });
    }

    /// Answers at a socket, or in a folder of them, with its report; where that is.
    fn serve(&self, py: Python<'_>, place: &str) -> PyResult<String> {
        let held = Arc::downgrade(&self.loader);
        let report = move || held.upgrade().map(|loader| loader.report());
        let opened = py.detach(|| Endpoint::open(&Place::of(Path::new(place)), report));
        let endpoint = opened.map_err(|error| PyValueError::new_err(format!("metrics: {error}")))?;
        let path = endpoint.path().display().to_string();
        let before = self.endpoint().replace(endpoint);
        py.detach(|| drop(before));
        Ok(path)
    }

    /// Does not answer any more.
    fn stop_serving(&self, py: Python<'_>) {
        let before = self.endpoint().take();
        py.detach(|| drop(before));
    }

    /// In a forked process: closes its copy of the socket.
    fn close_copy(&self) {
        self.endpoint().iter_mut().for_each(Endpoint::close_copy);
    }

    /// Goes on from a state.
    fn go_on_from(&self, py: Python<'_>, state: &str) -> PyResult<()> {
        let state = State::read(state).map_err(|error| PyValueError::new_err(error.to_string()))?;
        py.detach(|| self.loader.go_on_from(&state)).map_err(raised)
    }

    /// Samples of an epoch, of all ranks.
    #[getter]
    fn samples(&self) -> u64 {
        self.loader.samples()
    }

    /// Batches of an epoch, of this rank.
    #[getter]
    fn batches(&self) -> u64 {
        self.loader.batches()
    }
}

/// Columns by name, and the samples that could not be read with the reasons.
type Delivered<'py> = (Bound<'py, PyDict>, Vec<(String, String)>);

impl Loader {
    fn endpoint(&self) -> MutexGuard<'_, Option<Endpoint>> {
        self.endpoint.lock().expect("nobody panics while holding it")
    }

    /// A batch as Python takes it. Numbers stay where they are; bytes are copied, sample by sample, each of which is given back then.
    fn delivered<'py>(&self, py: Python<'py>, mut batch: Batch) -> PyResult<Delivered<'py>> {
        let failed = std::mem::take(&mut batch.failed);
        let failed = failed.into_iter().map(|error| (error.sample, error.reason)).collect();
        *self.numbers.lock().expect("nobody panics while holding it") = std::mem::take(&mut batch.numbers);
        let columns = PyDict::new(py);
        let outputs = self.loader.outputs();
        let mut copied = 0;
        let is_array = |name: &String| self.arrays.contains(name);
        for (place, output) in outputs.iter().enumerate() {
            // So that columns come in the order in which they were asked for.
            let list = PyList::empty(py);
            if is_array(&output.name) {
                columns.set_item(&output.name, list)?;
                continue;
            }
            for sample in 0..batch.samples {
                match output.kind {
                    Kind::Numbers { .. } | Kind::Joined => break,
                    Kind::Bytes => {
                        let bytes = batch.take_bytes(place, sample);
                        copied += bytes.len();
                        list.append(PyBytes::new(py, &bytes))?;
                    }
                    Kind::Text => {
                        let bytes = batch.take_bytes(place, sample);
                        copied += bytes.len();
                        let text = std::str::from_utf8(&bytes).expect("it was looked at when it was read");
                        list.append(PyString::new(py, text))?;
                    }
                }
            }
            columns.set_item(&output.name, list)?;
        }
        if self.arrays.is_empty() {
            self.loader.count_copied(batch.take_charge(copied));
        }
        let batch = Arc::new(batch);
        for (place, column) in batch.columns().enumerate() {
            if is_array(&column.output.name) {
                let arrays = (0..batch.samples).map(|sample| Py::new(py, Array::of_sample(&batch, place, sample)));
                columns.set_item(&column.output.name, PyList::new(py, arrays.collect::<PyResult<Vec<_>>>()?)?)?;
            }
            if let Kind::Numbers { number, shape } = &column.output.kind {
                columns.set_item(&column.output.name, Array::new(&batch, place, *number, shape))?;
            }
            for (number, array) in column.made.joined().iter().enumerate() {
                columns.set_item(&array.name, Array::joined(&batch, place, number, array))?;
            }
        }
        Ok((columns, failed))
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
