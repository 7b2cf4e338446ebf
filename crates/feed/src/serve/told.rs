//! What is told of a loader: its report, and which it is.

use serde::{Deserialize, Serialize};

use crate::meter::Report;

/// A report, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The process; none where a report was saved without it.
    #[serde(default)]
    pub pid: Option<u32>,
    /// Which loader of that process, counted from 0.
    #[serde(default)]
    pub loader: Option<u32>,
    /// What it reports.
    #[serde(flatten)]
    pub report: Report,
}
