//! A node's self-test: what was measured, what is wrong, and how it is told.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// The rule of a node that fails its self-test.
pub const NODE_UNFIT: &str = "node-unfit";

/// What only a full test measures: a quick one says nothing of these.
const FULL_ONLY: [&str; 3] = [Measured::BANDWIDTH, Measured::WRITTEN, Measured::READ];

/// How much is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// What takes well under a second, and disturbs nobody.
    Quick,
    /// Also how fast memory and the disk are: that takes seconds, and disturbs whoever runs beside it.
    Full,
}

impl Depth {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }

    /// Whether a test of this depth measures this thing.
    #[must_use]
    pub fn measures(self, what: &str) -> bool {
        self == Self::Full || !FULL_ONLY.contains(&what)
    }
}

/// What a probe found of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The probe: `memory`, `disk`, `network`, `devices`, `links`.
    pub probe: String,
    /// What was looked at, in words: the same words each time.
    pub what: String,
    /// What came out; unknown where it could not be found out.
    pub value: Option<f64>,
    /// Its unit; empty for a plain number.
    pub unit: String,
    /// Which values are better; none where it is no measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better: Option<Better>,
    /// What is wrong by itself, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<String>,
}

/// Which values are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The higher ones.
    Higher,
    /// The lower ones.
    Lower,
    /// It is a number of things, and none may be missing.
    All,
}

impl Measured {
    /// What copies read and write a second.
    pub const BANDWIDTH: &'static str = "memory bandwidth";
    /// What is written to the disk a second, and is there.
    pub const WRITTEN: &'static str = "written and synced";
    /// What is read from it again.
    pub const READ: &'static str = "read again";
    /// How many of NVIDIA's devices answer.
    pub const NVIDIA_ANSWER: &'static str = "NVIDIA devices that answer";

    /// What a probe found.
    pub fn new(probe: &str, what: impl Into<String>, value: Option<f64>, unit: &str) -> Self {
        let (probe, unit) = (probe.to_owned(), unit.to_owned());
        Self { probe, what: what.into(), value, unit, better: None, wrong: None }
    }

    /// And which values are better.
    #[must_use]
    pub fn better(self, better: Better) -> Self {
        Self { better: Some(better), ..self }
    }

    /// And what is wrong by itself.
    #[must_use]
    pub fn wrong(self, wrong: Option<String>) -> Self {
        Self { wrong, ..self }
    }
}

/// Something for which a node fails its test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What was looked at: the same words each time.
    pub what: String,
    /// What is wrong, in words.
    pub words: String,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Its unit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// What it was when the node was well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
}

/// What a test tells: what `trimtab health --format json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of this form: [`Self::VERSION`].
    pub version: u32,
    /// How much was tested.
    pub test: Depth,
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// What is wrong, in sentences.
    pub problems: Vec<String>,
    /// What was measured.
    pub measured: Vec<Measured>,
    /// What the kernel told of GPUs that somebody must do something about.
    pub kernel_log: Vec<Finding>,
}

impl Report {
    /// The form that is written.
    pub const VERSION: u32 = 1;
}
