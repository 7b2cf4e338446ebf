//! When nodes are tested, and what follows where one fails.

use fleet::health::Depth;
use fleet::quantity::Millis;

/// When nodes are tested, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// Before something starts.
    pub before: Option<Depth>,
    /// After something died.
    pub after_crash: Option<Depth>,
    /// Where a node fails.
    pub on_failure: OnFailure,
    /// How long a test that was passed counts for what starts.
    pub counts: Millis,
    /// How long a test may take: one that takes longer has failed.
    pub limit: Millis,
}

impl Default for HealthPolicy {
    /// Nothing is tested.
    fn default() -> Self {
        let (counts, limit) = (Millis::minutes(10), Millis::minutes(1));
        Self { before: None, after_crash: None, on_failure: OnFailure::Tell, counts, limit }
    }
}

/// What follows where a node fails its test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// It is told, and nothing else is done.
    #[default]
    Tell,
    /// Nothing starts there until it passes, or somebody answers whether it is to be drained.
    Ask,
    /// It is drained.
    Drain,
}

/// What a test found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// Nothing is wrong.
    Fit,
    /// Something is.
    Unfit {
        /// What, for people.
        why: String,
        /// What follows: that of the policy, or nothing where somebody knows of it and said to go on.
        then: OnFailure,
    },
    /// It could not be tested: that says nothing of the node.
    Unknown,
}
