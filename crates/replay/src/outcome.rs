//! What came of a replay: when and where everything ran.

use fleet::action::Slot;
use fleet::event::EndCause;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

/// What came of a replay, by workload.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// By workload, in the history's order.
    pub workloads: Vec<Fate>,
    /// What the engine was asked and how often it acted.
    pub decisions: u64,
    /// Workloads that never started, since no node could ever take them.
    pub impossible: u64,
}

/// What became of one workload.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    /// When it could first have started, in this replay.
    pub eligible: Timestamp,
    /// Its runs.
    pub stints: Vec<Stint>,
    /// When it was withdrawn without having started.
    pub withdrawn: Option<Timestamp>,
}

/// One run on certain nodes.
#[derive(Clone, Debug)]
pub struct Stint {
    /// From.
    pub start: Timestamp,
    /// Until.
    pub end: Timestamp,
    /// Where.
    pub slots: Vec<Slot>,
    /// How it ended.
    pub cause: EndCause,
    /// How much of it had to be done again.
    pub lost: Millis,
}

impl Fate {
    /// When it first started.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.stints.first().map(|stint| stint.start)
    }

    /// When it ended for good.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.stints.last().map(|stint| stint.end)
    }

    /// All runs together.
    #[must_use]
    pub fn run(&self) -> Millis {
        self.stints.iter().map(|stint| stint.end.since(stint.start)).sum()
    }

    /// Completion − eligible − run: all the time it waited.
    #[must_use]
    pub fn wait(&self) -> Option<Millis> {
        Some(Millis(self.end()?.since(self.eligible).0 - self.run().0))
    }
}
