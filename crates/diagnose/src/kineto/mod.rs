//! Traces of PyTorch's profiler (Kineto): where the time of one rank's devices went.
//!
//! [`read()`] goes through a trace in bounded memory: `gather` reads events, `pair` brings launches and what they launched together and
//! puts that in order, `sweep` passes over it once. Figures are those of HolisticTraceAnalysis 0.5.0, and held against it.

mod breakdown;
mod event;
mod finding;
mod gather;
mod kernels;
mod names;
mod pair;
mod sweep;

pub use breakdown::{Breakdown, Read, ReadError, read};
pub use finding::{WORTH, findings};
pub use kernels::Kernel;
pub use names::Work;
pub use sweep::{Idle, Overlap, Temporal};

/// Whether a file that begins so is such a trace.
#[must_use]
pub fn is_trace(head: &str) -> bool {
    let begin = head.trim_start();
    let keys = ["\"traceEvents\"", "\"deviceProperties\"", "\"schemaVersion\"", "\"distributedInfo\""];
    (begin.starts_with('{') && keys.iter().any(|key| head.contains(key)))
        || (begin.starts_with('[') && head.contains("\"ph\""))
}
