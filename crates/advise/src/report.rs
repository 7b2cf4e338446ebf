//! The report: what `trimtab optimize` found, as data. How it looks is up to whoever shows it.

use fleet::recommendation::Recommendation;
use fleet::time::Timestamp;
use replay::fidelity::Fidelity;
use replay::measure::Waits;
use serde::Serialize;

use crate::recommend::Withheld;
use crate::waste::Account;

/// What was found in a history.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The format of this report.
    pub version: u32,
    /// The history it is about.
    pub history: About,
    /// How it replays as it was.
    pub baseline: Baseline,
    /// How far the replay can be trusted.
    pub fidelity: Fidelity,
    /// Where hours and money went.
    pub account: Account,
    /// What to do, best first.
    pub recommendations: Vec<Recommendation>,
    /// What was looked at and is not recommended.
    pub withheld: Vec<Withheld>,
    /// What whoever reads this should know.
    pub notes: Vec<String>,
}

/// The history a report is about.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// What it was read from.
    pub source: String,
    /// Made up by a generator.
    pub synthetic: bool,
    /// Its hash.
    pub hash: String,
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub until: Timestamp,
    /// Workloads.
    pub workloads: u64,
    /// Rows that could not be read.
    pub rows_left_out: u64,
    /// Kinds of nodes and how many of each.
    pub nodes: Vec<(String, u64)>,
    /// Devices, or cores where there are none.
    pub capacity: u64,
    /// `devices` or `cores`.
    pub unit: String,
}

/// How a history replays as it was.
#[derive(Clone, Debug, Serialize)]
pub struct Baseline {
    /// The scenario's id.
    pub scenario: String,
    /// The policy it ran by, or is taken to have run by.
    pub policy: String,
    /// Whether the source says so.
    pub policy_recorded: bool,
    /// What came of it.
    pub waits: Waits,
    /// The version of the engine.
    pub engine: String,
}
