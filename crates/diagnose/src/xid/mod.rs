//! Xid errors of NVIDIA GPUs in kernel logs, and what NVIDIA's catalogue says to do about each.
//!
//! [`event()`] reads one line, [`read()`] a log, [`findings`] says what it comes to.

mod action;
mod catalogue;
mod finding;
mod line;
mod log;
mod nvlink;

pub use action::Action;
pub use catalogue::{Entry, entry};
pub use finding::findings;
pub(crate) use finding::{RULE, finding, is_told};
pub use line::{Event, event};
pub use log::{Group, Log, is_log, read};
