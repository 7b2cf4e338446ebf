//! Traces of PyTorch's profiler (Kineto): where the time of one rank's devices went.
//!
//! [`read()`] goes through a trace in bounded memory: `gather` reads events, `pair` brings launches and what they launched together and
//! puts that in order, `sweep` and `queues` pass over it once, and `critical` holds one step for its critical path. Figures are those of
//! HolisticTraceAnalysis 0.5.0, and held against it.

mod breakdown;
mod calls;
mod critical;
mod event;
mod exposed;
mod finding;
mod gather;
mod kernels;
mod lanes;
mod launches;
mod names;
mod pair;
mod precision;
mod queues;
mod ranks;
mod spread;
mod streams;
mod sweep;

pub use breakdown::{Breakdown, Read, ReadError, read};
pub use calls::LaunchKind;
pub use critical::{CriticalPath, EVENTS_MAX, NoPath, Step};
pub use exposed::Exposed;
pub use finding::{IdleTime, WORTH, findings, idle_time};
pub use kernels::Kernel;
pub use lanes::{INTERVALS, Lanes, STREAMS_DRAWN, StreamLane};
pub use launches::{LATE_US, LONG_US, Launched};
pub use names::Work;
pub use precision::{Matrix, Precision};
pub use queues::{FULL, Queue};
pub use ranks::{Rank, Ranks};
pub use spread::Spread;
pub use sweep::{Idle, Overlap, Temporal};

/// Whether a file that begins so is such a trace.
#[must_use]
pub fn is_trace(head: &str) -> bool {
    let begin = head.trim_start();
    let keys = ["\"traceEvents\"", "\"deviceProperties\"", "\"schemaVersion\"", "\"distributedInfo\""];
    (begin.starts_with('{') && keys.iter().any(|key| head.contains(key)))
        || (begin.starts_with('[') && head.contains("\"ph\""))
}
