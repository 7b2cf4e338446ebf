//! A scenario: what is different from how it was, as a closed list of changes that can be written down, hashed and replayed.

use fleet::history::QueueRecord;
use fleet::policy::Policy;
use fleet::quantity::Millis;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What is different from how it was. Changes are made in order; a later one wins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The changes; none: as it was.
    #[serde(default, rename = "change", skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// One thing that is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Another policy.
    Policy {
        /// The rules.
        policy: Policy,
    },
    /// So many nodes of a kind: the first of those recorded, or more like them.
    Nodes {
        /// The kind's name.
        group: String,
        /// How many.
        count: u32,
    },
    /// Other rules for a queue.
    Queue {
        /// All its rules.
        rules: QueueRecord,
    },
    /// A queue that was not there; nothing is in it but what is moved to it.
    NewQueue {
        /// All its rules.
        rules: QueueRecord,
    },
    /// Work is handed in to another queue. Results are told by the queue it was recorded in.
    Move {
        /// Whose.
        #[serde(default)]
        who: Who,
        /// The queue's name.
        to: String,
    },
    /// Every queue's quota is its share of the recorded hours, of the fleet as it is in this scenario.
    QuotaByUse,
    /// Other time limits.
    TimeLimit {
        /// Whose.
        #[serde(default)]
        who: Who,
        /// Which.
        limit: Limit,
    },
    /// Other priority in the queue's order.
    Priority {
        /// Whose.
        #[serde(default)]
        who: Who,
        /// What is added to the recorded priority.
        add: i32,
    },
    /// Other pace of arrivals: recorded gaps between submits times so many thousandths.
    Arrivals {
        /// Below 1,000: denser.
        gap_permille: u32,
    },
    /// Work takes so many thousandths of the recorded time.
    ScaleWork {
        /// Whose.
        #[serde(default)]
        who: Who,
        /// Below 1,000: faster.
        factor_permille: u32,
    },
    /// Starts take time and may fail.
    Faults {
        /// How long a start takes at most; each takes a seeded part of it.
        delay_max_ms: Millis,
        /// How many of a thousand starts fail.
        start_fails_permille: u32,
    },
}

/// Whose workloads a change is about; what is absent stands for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// Of this queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Of this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The one with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// Only work that writes checkpoints.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checkpointed: bool,
}

/// Which time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Limit {
    /// The true run time: what perfect knowledge would ask for.
    TrueRun,
    /// This, where more (or nothing) was asked.
    AtMost {
        /// The limit.
        limit_ms: Millis,
    },
    /// This many thousandths of what was asked, where that does not cut the recorded run off.
    Scaled {
        /// Thousandths.
        permille: u32,
    },
}

impl Scenario {
    /// As it was.
    #[must_use]
    pub fn recorded() -> Self {
        Self::default()
    }

    /// A scenario of one change.
    #[must_use]
    pub fn of(change: Change) -> Self {
        Self { changes: vec![change] }
    }

    /// This scenario and a further change.
    #[must_use]
    pub fn with(&self, change: Change) -> Self {
        let mut changes = self.changes.clone();
        changes.push(change);
        Self { changes }
    }

    /// A name that stands for exactly these changes: the first 12 hexadecimal digits of the SHA-256 of their JSON form.
    #[must_use]
    pub fn id(&self) -> String {
        hex12(&Sha256::digest(self.to_json()))
    }

    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a scenario is plain data")
    }

    /// Reads JSON (an object in braces) or TOML.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else {
            toml::from_str(text).map_err(|error| error.message().to_owned())
        }
    }
}

/// The first 12 hexadecimal digits of a hash.
pub(crate) fn hex12(hash: &[u8]) -> String {
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
