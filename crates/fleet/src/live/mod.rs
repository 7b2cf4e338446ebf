//! What the control plane keeps of workloads that it runs itself: what was handed in, what became of it, entry by entry.
//!
//! The log of [`Entry`]s is what is true; a [`Live`] workload is what its entries add up to, by [`Live::apply`], the same for
//! whoever decides and for whoever stores. Start reading there.

mod entry;
mod named;
mod outcome;
mod output;
mod submission;
mod workload;

pub use entry::{Entry, Logged, StopReason};
pub use named::check_queue;
pub use outcome::{Exit, Outcome, Told, Usage};
pub use output::{LOGS, log_of, logs_of, whose_logs};
pub use submission::{ArrayPlace, DEFAULT_QUEUE, Invalid, Submission};
pub use workload::{Live, OutOfPlace, Phase, Run, RunEnd};
