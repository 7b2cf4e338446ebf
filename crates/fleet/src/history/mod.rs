//! The history file, version 1: what a fleet really ran. Everything that replays, replays one of these.
//!
//! One JSON object a line, each with one key that names the record's kind: `header` first, then nodes, queues, policies, node
//! events and workloads in any order, then `end` (its absence tells a truncated file). A workload's record gathers its
//! events (submit, eligible, start, end of each attempt) because sources tell them together; a replay unrolls them in time.
//! A field that is absent is unknown, never zero. Times are milliseconds since 1970-01-01T00:00:00Z.
//!
//! Files are usually under zstd; compression belongs to whoever opens the file. docs/HISTORY.md is the format's full text.

mod read;
mod record;
mod write;

pub use read::Reader;
pub use record::{
    Attempt, End, Header, NodeChange, NodeEvent, NodeRecord, PolicyRecord, QueueRecord, Record, Used, VERSION,
    WorkloadRecord,
};
pub use write::Writer;
