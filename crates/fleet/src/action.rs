//! What the engine says. Actions take time and can fail outside; until their outcome comes back as an event, what they use
//! stays reserved.

use serde::{Deserialize, Serialize};

use crate::ids::{ActionId, NodeId, WorkloadId};
use crate::time::Timestamp;

/// What one call of `decide` wants done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// In the order they were decided.
    pub actions: Vec<Action>,
    /// Decide again at this moment even if nothing happens before.
    pub wake_at: Option<Timestamp>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its id; outcomes carry it.
    pub id: ActionId,
    /// What to do.
    pub kind: ActionKind,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// Start a gang, whole.
    Start {
        /// Which workload.
        workload: WorkloadId,
        /// Where its tasks go.
        slots: Vec<Slot>,
    },
}

/// So many tasks of a gang on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// Where.
    pub node: NodeId,
    /// How many tasks.
    pub tasks: u32,
    /// Which devices of the node, as a bit set by device index. Whole devices are listed; a share of a device names the one.
    pub devices: u64,
}
