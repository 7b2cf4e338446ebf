//! What the engine hears. One closed list, for the past, the present and the future.

use crate::action::Slot;
use crate::ids::{ActionId, NodeId, WorkloadId};
use crate::node::Node;
use crate::policy::Policy;
use crate::quantity::Millis;
use crate::queue::Queue;
use crate::time::Timestamp;
use crate::workload::Workload;

/// Something that happened. Events are ordered by `seq`; `at` never decreases with it. Of what happened at one moment, ends
/// come before changes of nodes, queues and policy, and these before arrivals: whoever numbers events keeps that order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order of all events; strictly rising.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A node can be used from now on; its id is new.
    NodeAdded {
        /// Its id.
        node: NodeId,
        /// What it offers.
        spec: Node,
    },
    /// A node is gone, and with it all that ran there.
    NodeLost {
        /// Which.
        node: NodeId,
    },
    /// Nothing new starts on a node; what runs there goes on.
    NodeDrained {
        /// Which.
        node: NodeId,
    },
    /// A lost or drained node can be used again.
    NodeReturned {
        /// Which.
        node: NodeId,
    },
    /// A queue exists with these settings from now on.
    QueueSet {
        /// Its settings.
        queue: Queue,
    },
    /// A run of the past, over before this engine began: what a restart reads from its log, so that what was learnt from ends is
    /// learnt again.
    Recalled {
        /// What ran.
        workload: Box<Workload>,
        /// How long it ran.
        ran: Millis,
    },
    /// These rules hold from now on.
    PolicySet {
        /// The rules.
        policy: Policy,
    },
    /// A workload may start from now on (it was submitted, and what it depends on has ended).
    Submitted {
        /// What is asked for.
        workload: Box<Workload>,
    },
    /// A waiting workload is not wanted any more.
    Withdrawn {
        /// Which.
        workload: WorkloadId,
    },
    /// A start that was decided before this engine began: what a restart reads from its log of actions, or finds running.
    /// Its outcome is still awaited; whoever knows that it runs follows with `Started`.
    Adopted {
        /// Which action it was.
        action: ActionId,
        /// Which workload, submitted before.
        workload: WorkloadId,
        /// Where its tasks are.
        slots: Vec<Slot>,
        /// When that was decided, or when it began.
        since: Timestamp,
    },
    /// A start was carried out.
    Started {
        /// Which action did it.
        action: ActionId,
        /// Which workload runs now.
        workload: WorkloadId,
        /// Since when, as whoever carried it out tells: no later than this is heard of.
        since: Timestamp,
    },
    /// A start could not be carried out; the workload waits again.
    StartFailed {
        /// Which action failed.
        action: ActionId,
        /// Which workload waits again.
        workload: WorkloadId,
    },
    /// A workload ended by itself or at its limit.
    Ended {
        /// Which action had started the run that ended: an end told late or twice must not end a later run.
        action: ActionId,
        /// Which.
        workload: WorkloadId,
        /// How long its last attempt ran.
        ran: Millis,
        /// How it ended.
        cause: EndCause,
    },
    /// A running workload lost its place (its node was lost, its system put it back) and waits again.
    Evicted {
        /// Which action had started the run that lost its place.
        action: ActionId,
        /// Which.
        workload: WorkloadId,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// It did what it was for.
    Completed,
    /// It ended with an error of its own.
    Failed,
    /// Someone stopped it.
    Cancelled,
    /// It ran to its time limit.
    TimedOut,
    /// It ran out of memory.
    OutOfMemory,
    /// Its node was lost.
    NodeFailed,
    /// It was put back to make room or by its owner, and waits again.
    Requeued,
    /// The source does not say.
    #[default]
    Unknown,
}

impl EndCause {
    /// Every cause there is.
    pub const ALL: [Self; 8] = [
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
        Self::OutOfMemory,
        Self::NodeFailed,
        Self::Requeued,
        Self::Unknown,
    ];

    /// Words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed out",
            Self::OutOfMemory => "out of memory",
            Self::NodeFailed => "node failed",
            Self::Requeued => "requeued",
            Self::Unknown => "unknown",
        }
    }
}
