//! Notices: who wants to hear of findings, and what there is to tell them.

use crate::finding::Confidence;
use crate::kept_finding::KeptFinding;
use crate::money::Money;
use crate::quantity::Millis;

/// Of which findings somebody wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wants {
    /// Of these rules; empty: of all.
    pub rules: Vec<String>,
    /// Not of these.
    pub except: Vec<String>,
    /// No less sure than this.
    pub least: Confidence,
    /// Only of what has been wrong for so long.
    pub after: Millis,
    /// Also that it is over.
    pub ends: bool,
}

impl Default for Wants {
    fn default() -> Self {
        Self { rules: Vec::new(), except: Vec::new(), least: Confidence::Possible, after: Millis::ZERO, ends: true }
    }
}

/// What has become of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It is there.
    Opened,
    /// It is there again, after it had been told that it is over.
    Returned,
    /// It is over.
    Closed,
}

impl Turn {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Returned => "returned",
            Self::Closed => "closed",
        }
    }
}

/// What there is to tell of a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// What became of it.
    pub turn: Turn,
    /// It.
    pub kept: KeptFinding,
    /// Hours of devices that it costs a day, where that can be said.
    pub device_hours_a_day: Option<f64>,
    /// What those cost, where the nodes have prices.
    pub cost_a_day: Option<Money>,
}
