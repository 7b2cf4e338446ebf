//! The clock as Python holds it. What a mark costs is what it takes to come here from Python, to read the time, and to take a lock that
//! nobody else holds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use super::course::{Beginning, Thread};
use super::figures;
use super::fork;
use super::line::Who;
use super::phase::Phase;
use super::sender::{LAST_MAX, Sender};
use super::shared::Shared;

/// How long the end of a clock is waited for: the last lines, and the thread that writes them.
const END_MAX: Duration = LAST_MAX.saturating_add(Duration::from_millis(500));

/// The clock that was made last, for what marks by itself.
static ACTIVE: Mutex<Weak<Marks>> = Mutex::new(Weak::new());

thread_local! {
    /// What lies at an address of its own in each thread.
    static HERE: u8 = const { 0 };
}

/// The thread that calls. One that comes after another has ended may be taken for that one, which does no harm.
fn this_thread() -> Thread {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// What marks: a clock's state, and what is done before the time is read.
struct Marks {
    shared: Arc<Shared>,
    synchronize: Option<Py<PyAny>>,
}

impl Marks {
    /// The time, once the device has done what it was told, where that is waited for.
    fn now_ns(&self, py: Python<'_>) -> u64 {
        if let Some(synchronize) = &self.synchronize {
            // What fails here fails at once again, where whoever trains asks the device for something.
            drop(synchronize.call0(py));
        }
        self.shared.now_ns()
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        self.shared.close(Duration::ZERO);
    }
}

/// A phase that lasts as long as a `with`; of no clock, it does nothing.
#[pyclass(frozen, module = "trimtab._native")]
pub(crate) struct Span {
    marks: Option<Arc<Marks>>,
    phase: Phase,
    beginning: Beginning,
}

#[pymethods]
impl Span {
    fn __enter__(&self, py: Python<'_>) {
        if let Some(marks) = self.marks.as_ref().filter(|marks| marks.shared.is_on()) {
            let now_ns = marks.now_ns(py);
            marks.shared.course(|course| course.enter(this_thread(), now_ns, self.phase, self.beginning));
        }
    }

    /// What is raised within goes on: it is of no interest here.
    #[pyo3(signature = (_kind = None, _raised = None, _traceback = None, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: Option<&Bound<'_, PyAny>>,
        _raised: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) {
        if let Some(marks) = self.marks.as_ref().filter(|marks| marks.shared.is_on()) {
            let now_ns = marks.now_ns(py);
            marks.shared.course(|course| course.leave(this_thread(), now_ns, self.phase));
        }
    }
}

/// Where each step's time goes. `trimtab.StepClock` is what people use.
#[pyclass(frozen, subclass, weakref, module = "trimtab._native")]
pub(crate) struct StepClock {
    marks: Arc<Marks>,
    spans: Vec<Py<Span>>,
    rank: u64,
}

#[pymethods]
impl StepClock {
    #[new]
    #[pyo3(signature = (*, job, rank, ranks, local_rank, group, node, path, synchronize))]
    #[expect(clippy::too_many_arguments, reason = "Python names each")]
    fn new(
        py: Python<'_>,
        job: String,
        rank: u64,
        ranks: u64,
        local_rank: Option<u64>,
        group: Option<String>,
        node: Option<String>,
        path: Option<PathBuf>,
        synchronize: Option<Py<PyAny>>,
    ) -> PyResult<StepClock> {
        if rank >= ranks {
            return Err(PyValueError::new_err(format!("rank is {rank} of {ranks}; ranks are counted from 0")));
        }
        fork::prepare();
        let shared = Arc::new(Shared::new());
        let marks = Arc::new(Marks { shared: Arc::clone(&shared), synchronize });
        let who = Who { job, rank, ranks, local_rank, group, node };
        let sender = Sender::new(&who, path.map(PathBuf::into_boxed_path));
        let thread = thread::Builder::new().name("trimtab-steps".to_owned());
        let told = Arc::clone(&shared);
        // Nobody waits for the thread, but for what it does: in a forked process it is not there. Where the system has no thread left,
        // training goes on, and there are figures all the same.
        if thread.spawn(move || sender.run(&told)).is_err() {
            shared.is_over();
        }
        let spans = Phase::MARKED
            .into_iter()
            .map(|phase| Py::new(py, Span { marks: Some(Arc::clone(&marks)), phase, beginning: Beginning::Begins }));
        let spans = spans.collect::<PyResult<_>>()?;
        *ACTIVE.lock().expect("nobody panics while holding it") = Arc::downgrade(&marks);
        Ok(StepClock { marks, spans, rank })
    }

    /// From here on the time goes to that phase, in place of the innermost one.
    fn mark(&self, py: Python<'_>, phase: &str) -> PyResult<()> {
        let phase = named(phase)?;
        if self.marks.shared.is_on() {
            let now_ns = self.marks.now_ns(py);
            self.marks.shared.course(|course| course.mark(this_thread(), now_ns, phase));
        }
        Ok(())
    }

    /// As `mark`, within a step, from whatever thread.
    fn mark_anywhere(&self, py: Python<'_>, phase: &str) -> PyResult<()> {
        let phase = named(phase)?;
        if self.marks.shared.is_on() {
            let now_ns = self.marks.now_ns(py);
            self.marks.shared.course(|course| course.mark_anywhere(now_ns, phase));
        }
        Ok(())
    }

    /// The step is over, and the next one begins. Steps are counted from 1, unless their number is told.
    #[pyo3(signature = (number = None))]
    fn end_step(&self, py: Python<'_>, number: Option<u64>) {
        if self.marks.shared.is_on() {
            let now_ns = self.marks.now_ns(py);
            self.marks.shared.end_step(this_thread(), now_ns, number);
        }
    }

    /// No step is under way until the next mark: what comes now, such as validation, counts to none.
    fn pause(&self) {
        if self.marks.shared.is_on() {
            self.marks.shared.course(super::course::Course::pause);
        }
    }

    /// The next batch is waited for, within a `with`.
    fn data_wait(&self, py: Python<'_>) -> Py<Span> {
        self.span(py, Phase::DataWait)
    }

    /// A batch is brought to the device, within a `with`.
    fn host_to_device(&self, py: Python<'_>) -> Py<Span> {
        self.span(py, Phase::HostToDevice)
    }

    /// The model and the loss are computed, within a `with`.
    fn forward(&self, py: Python<'_>) -> Py<Span> {
        self.span(py, Phase::Forward)
    }

    /// Gradients are computed, within a `with`.
    fn backward(&self, py: Python<'_>) -> Py<Span> {
        self.span(py, Phase::Backward)
    }

    /// Weights are changed, within a `with`.
    fn optimizer(&self, py: Python<'_>) -> Py<Span> {
        self.span(py, Phase::Optimizer)
    }

    /// Ranks tell each other something, within a `with`.
    fn communication(&self, py: Python<'_>) -> Py<Span> {
        self.span(py, Phase::Communication)
    }

    /// The state is kept, within a `with`.
    fn checkpoint(&self, py: Python<'_>) -> Py<Span> {
        self.span(py, Phase::Checkpoint)
    }

    /// Whether somebody listens.
    #[getter]
    fn is_connected(&self) -> bool {
        let shared = &self.marks.shared;
        shared.is_on() && shared.is_connected.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// What the steps come to, as JSON.
    fn figures(&self, py: Python<'_>) -> String {
        py.detach(|| figures::summary(&self.marks.shared.kept()).to_string())
    }

    /// Writes the steps that are kept, 65,536 at most, as `trimtab diagnose` reads them; how many those are.
    fn write_csv(&self, py: Python<'_>, path: PathBuf) -> PyResult<usize> {
        let written = py.detach(|| {
            let kept = self.marks.shared.kept();
            write_whole(&path, &figures::table(&kept, self.rank)).map(|()| kept.last.len())
        });
        written.map_err(|error| PyOSError::new_err(format!("{}: {error}", path.display())))
    }

    /// No mark counts any more; what is left is told, for a second at most.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.marks.shared.close(END_MAX));
    }
}

impl StepClock {
    fn span(&self, py: Python<'_>, phase: Phase) -> Py<Span> {
        self.spans[phase.place()].clone_ref(py)
    }
}

/// A phase of the clock that was made last, within a step of it; where there is none, it is of none.
#[pyfunction]
pub(crate) fn within_step(phase: &str) -> PyResult<Span> {
    let phase = named(phase)?;
    let marks = ACTIVE.lock().expect("nobody panics while holding it").upgrade();
    Ok(Span { marks, phase, beginning: Beginning::OnlyWithin })
}

/// Writes a file whole, or leaves what was there.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut part = path.to_owned().into_os_string();
    part.push(".part");
    let written = fs::write(&part, text).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // It may not even be there, and the error that counts is the first.
        drop(fs::remove_file(&part));
    }
    written
}

fn named(phase: &str) -> PyResult<Phase> {
    Phase::named(phase).ok_or_else(|| {
        let names: Vec<&str> = Phase::MARKED.into_iter().chain([Phase::Other]).map(Phase::name).collect();
        PyValueError::new_err(format!("phase is {phase:?}; it is one of {}", names.join(", ")))
    })
}
