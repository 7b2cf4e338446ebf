//! Agents on other machines: what each hands in, as bytes, and what is known of it here.
//!
//! An agent hands in reports in the order of their numbers, and again what it does not know to be taken. So the number of the last one that was
//! taken is stored in one transaction with what the report holds ([`Store::take_reports`](crate::Store::take_reports)): nothing is there twice,
//! and nothing is missing that was acknowledged. `report` is pure. Start reading there.

mod read;
mod report;
mod write;

pub use read::StoredAgent;
pub use report::{AgentReport, OPEN_MAX, REPORT_BYTES_MAX, REPORT_INFLATED_MAX, Unfit, Wrong, read_inflated_report};
pub use write::{AGENTS_MAX, SPOOLS_MAX, Taken};
