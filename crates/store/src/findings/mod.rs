//! Findings: what was wrong, what became of it, and who did not want to hear of it.
//!
//! They are no part of the log: whoever watches says again and again what is wrong now. What shows a finding is among the series, and pinned
//! under its id (in digits) as long as it is kept. Start reading at [`Store::note`](crate::Store::note).

mod read;
mod write;

pub use read::FindingQuery;
pub(crate) use read::check;
pub(crate) use write::note;
pub use write::{FindingRetention, Noted};

/// The version of bodies.
const VERSION: u32 = 1;
