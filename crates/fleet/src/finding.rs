//! A finding: what is wrong, where, since when, the evidence that shows it, what to do, and what that would be worth.

use serde::{Deserialize, Serialize};

use crate::recommendation::Interval;
use crate::time::Timestamp;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that found it: a short name that stays the same.
    pub rule: String,
    /// What is wrong, in one sentence with its number.
    pub verdict: String,
    /// What it is about; empty where it is about the whole.
    pub places: Vec<Place>,
    /// Since when, where that is known.
    pub since: Option<Since>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What shows it, the strongest first.
    pub evidence: Vec<Evidence>,
    /// What to do next, in sentences.
    pub advice: Vec<String>,
    /// How many times faster the work would be without it, where that can be worked out.
    pub speedup: Option<Interval>,
    /// How many times faster the work became when it was over: what was promised, measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realised: Option<f64>,
}

/// A thing that a finding is about, such as `rank` `6`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// What kind of thing.
    pub kind: String,
    /// Which one.
    pub name: String,
}

/// Since when something is so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// A moment.
    Time(Timestamp),
    /// A step of training.
    Step(u64),
    /// Seconds from the beginning of the record.
    Seconds(f64),
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The evidence allows other readings.
    Possible,
    /// The evidence points here, and something it does not hold could contradict.
    Likely,
    /// The record shows it.
    Certain,
}

/// A figure that shows something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was measured, in words.
    pub what: String,
    /// The figure.
    pub value: f64,
    /// Its unit, as a person writes it; empty for a plain number.
    pub unit: String,
    /// What it is compared with, where there is such a thing.
    pub beside: Option<Beside>,
}

/// What a figure is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// What this is, in words.
    pub what: String,
    /// The figure, in the same unit.
    pub value: f64,
}

impl Finding {
    /// One of a rule, with its verdict: likely, until more is known of it.
    pub fn new(rule: &str, verdict: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            verdict: verdict.into(),
            places: Vec::new(),
            since: None,
            confidence: Confidence::Likely,
            evidence: Vec::new(),
            advice: Vec::new(),
            speedup: None,
            realised: None,
        }
    }

    /// Which thing of a kind it is about; the first, where it is about several.
    #[must_use]
    pub fn place(&self, kind: &str) -> Option<&str> {
        self.places.iter().find(|place| place.kind == kind).map(|place| place.name.as_str())
    }
}

impl Place {
    /// Such as `rank` `6`.
    pub fn new(kind: &str, name: impl ToString) -> Self {
        Self { kind: kind.to_owned(), name: name.to_string() }
    }
}

impl Evidence {
    /// A figure by itself.
    pub fn new(what: impl Into<String>, value: f64, unit: &str) -> Self {
        Self { what: what.into(), value, unit: unit.to_owned(), beside: None }
    }

    /// And what it is compared with.
    #[must_use]
    pub fn beside(self, what: impl Into<String>, value: f64) -> Self {
        Self { beside: Some(Beside { what: what.into(), value }), ..self }
    }
}
