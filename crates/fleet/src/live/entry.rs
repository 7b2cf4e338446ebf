//! The entries of the control plane's log. Each is written before anything is done because of it.

use serde::{Deserialize, Serialize};

use super::outcome::{Exit, Usage};
use super::submission::Submission;
use crate::action::Slot;
use crate::event::EndCause;
use crate::history::{NodeChange, NodeRecord, QueueRecord};
use crate::ids::{ActionId, NodeId, WorkloadId};
use crate::policy::Policy;
use crate::quantity::Millis;
use crate::time::Timestamp;

/// An entry with its place and moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its place; strictly rising, without gaps.
    pub seq: u64,
    /// When it was written; never before the entry ahead of it.
    pub at: Timestamp,
    /// What happened or was decided.
    pub entry: Entry,
}

/// What happened, or was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A node is there, with these facts, from now on; its id stays its own for good.
    NodeFound {
        /// Its id.
        node: NodeId,
        /// Its facts.
        facts: NodeRecord,
    },
    /// A node was lost, drained or returned.
    NodeChanged {
        /// Which.
        node: NodeId,
        /// What became of it.
        change: NodeChange,
        /// Who asked for it; absent: nobody, it was seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A queue has these rules from now on.
    QueueSet {
        /// Its rules.
        rules: QueueRecord,
        /// Who asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// These rules of scheduling hold from now on.
    PolicySet {
        /// The rules.
        policy: Policy,
        /// Who asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A workload was handed in.
    Submitted {
        /// The id it was given.
        workload: WorkloadId,
        /// What was handed in.
        submission: Box<Submission>,
        /// By whom.
        by: String,
    },
    /// What it waited for before it could be scheduled is over: it may start.
    Eligible {
        /// Which.
        workload: WorkloadId,
    },
    /// Its start was decided: written before anything is started.
    Decided {
        /// The action.
        action: ActionId,
        /// Which workload.
        workload: WorkloadId,
        /// Where.
        slots: Vec<Slot>,
    },
    /// It runs.
    Started {
        /// The action that did it.
        action: ActionId,
        /// Which workload.
        workload: WorkloadId,
        /// Since when, by the adapter's clock.
        since: Timestamp,
    },
    /// The action started nothing, and never will.
    StartFailed {
        /// Which action.
        action: ActionId,
        /// Which workload.
        workload: WorkloadId,
        /// Why, for people.
        reason: String,
    },
    /// The action came to nothing, for no fault of the workload's: it waits as if this had not been decided.
    NotBegun {
        /// Which action.
        action: ActionId,
        /// Which workload.
        workload: WorkloadId,
    },
    /// It is to stop: written before anything is stopped.
    StopAsked {
        /// Which.
        workload: WorkloadId,
        /// Why.
        why: StopReason,
        /// Who asked for it; absent: nobody, a rule did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A run is over.
    RunEnded {
        /// The action that began it.
        action: ActionId,
        /// Which workload.
        workload: WorkloadId,
        /// How long it ran.
        #[serde(rename = "ran_ms")]
        ran: Millis,
        /// How.
        exit: Exit,
        /// The cause, in the words of a history.
        cause: EndCause,
        /// What it used.
        used: Usage,
    },
    /// It will be tried again, not before this moment.
    Retrying {
        /// Which.
        workload: WorkloadId,
        /// Not before.
        after: Timestamp,
    },
    /// It is over for good.
    Finished {
        /// Which.
        workload: WorkloadId,
        /// How: the cause of its last run, or cancelled or failed where it never ran.
        cause: EndCause,
        /// Why, for people, where the cause does not say it all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// Why something is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It is not wanted any more.
    Cancel,
    /// It gives way, and will run again.
    Preempt,
}

impl Entry {
    /// The workload it speaks of.
    #[must_use]
    pub fn workload(&self) -> Option<WorkloadId> {
        match self {
            Self::NodeFound { .. } | Self::NodeChanged { .. } | Self::QueueSet { .. } | Self::PolicySet { .. } => None,
            Self::Submitted { workload, .. }
            | Self::Eligible { workload }
            | Self::Decided { workload, .. }
            | Self::Started { workload, .. }
            | Self::StartFailed { workload, .. }
            | Self::NotBegun { workload, .. }
            | Self::StopAsked { workload, .. }
            | Self::RunEnded { workload, .. }
            | Self::Retrying { workload, .. }
            | Self::Finished { workload, .. } => Some(*workload),
        }
    }
}
