//! What the control plane hears, and what it answers.

use std::collections::BTreeMap;
use std::fmt;

use fleet::event::EndCause;
use fleet::health::Depth;
use fleet::ids::WorkloadId;
use fleet::live::{Invalid, Outcome, Submission};

use crate::health::Fitness;
use crate::rule::Rule;

/// Something the control plane hears. One closed list.
#[derive(Clone, Debug)]
pub enum Input {
    /// An adapter tells of an action.
    Outcome(Outcome),
    /// Nothing new is to start on a node.
    Drain {
        /// Its name.
        node: String,
        /// Who asks.
        by: String,
    },
    /// A drained node may be used again.
    Resume {
        /// Its name.
        node: String,
        /// Who asks.
        by: String,
    },
    /// A node was tested.
    Tested {
        /// Its name.
        node: String,
        /// How much.
        depth: Depth,
        /// What was found.
        found: Fitness,
        /// Who consents to what follows.
        by: String,
    },
    /// Other rules, from now on: all of them, or none.
    SetRules {
        /// The rules.
        rules: Vec<Rule>,
        /// Who asks.
        by: String,
    },
    /// Workloads are handed in: all of them, or none.
    Submit {
        /// What is asked for.
        asked: Vec<Asked>,
        /// How those ended that are depended on and over already.
        past: BTreeMap<WorkloadId, EndCause>,
        /// Who asks.
        by: String,
    },
    /// A workload is not wanted any more.
    Cancel {
        /// Which.
        workload: WorkloadId,
        /// Who asks.
        by: String,
    },
    /// A running workload gives way, and runs again later.
    Preempt {
        /// Which.
        workload: WorkloadId,
        /// Who asks.
        by: String,
    },
}

/// One of several that are handed in together.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// What to run.
    pub submission: Submission,
    /// The places of those before it in the same list that must have completed first.
    pub after: Vec<usize>,
}

/// What is answered when something was taken in. It holds once the entries written for it are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// These workloads were taken in, with these ids.
    Submitted(Vec<WorkloadId>),
    /// It is done, or is being done.
    Done,
    /// Nothing needed to be done.
    Nothing,
}

/// Why something was not taken in. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Something in a submission is wrong.
    Invalid {
        /// Its place in the list.
        place: usize,
        /// What is wrong.
        what: Invalid,
    },
    /// No workload of this id is waiting or running.
    NotOpen(WorkloadId),
    /// The workload does not run.
    NotRunning(WorkloadId),
    /// There is no node of this name.
    NoNode(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { place: 0, what } => write!(f, "{what}"),
            Self::Invalid { place, what } => write!(f, "workload {} of the list: {what}", place + 1),
            Self::NotOpen(id) => write!(f, "no workload {} is waiting or running", id.0),
            Self::NotRunning(id) => write!(f, "workload {} does not run", id.0),
            Self::NoNode(name) => write!(f, "there is no node `{name}`"),
        }
    }
}

impl std::error::Error for Refused {}
