//! What someone wants run: a gang of like tasks that starts whole or not at all.

use serde::{Deserialize, Serialize};

use crate::ids::{ModelId, NameId, PoolId, QueueId, UserId, WorkloadId};
use crate::node::Resources;
use crate::quantity::{MilliDevice, Millis};

/// A workload as the engine knows it. There is no field for how long it will really run, and there must never be one:
/// what the engine expects, it has learnt from ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Which one.
    pub id: WorkloadId,
    /// Where it waits and whose quota it uses.
    pub queue: QueueId,
    /// Who asked; `None` where the source did not say.
    pub user: Option<UserId>,
    /// What its owner called it.
    pub name: Option<NameId>,
    /// Higher goes first within its queue.
    pub priority: i32,
    /// How many tasks the gang has, at least one.
    pub tasks: u32,
    /// What each task asks for.
    pub request: Resources,
    /// How the tasks may lie on nodes.
    pub spread: Spread,
    /// Where it may run.
    pub constraint: Constraint,
    /// The longest it may run, as asked when it was submitted.
    pub time_limit: Option<Millis>,
}

impl Workload {
    /// Whether it can be placed at all: a gang has a task, and a task asks for whole devices or for a share of one.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let devices = self.request.devices.0;
        self.tasks > 0 && (devices < MilliDevice::WHOLE || devices.is_multiple_of(MilliDevice::WHOLE))
    }

    /// What the whole gang asks for.
    #[must_use]
    pub fn total(&self) -> Resources {
        self.request.times(self.tasks)
    }
}

/// How the tasks of a gang may lie on nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// On the fewest nodes that the largest eligible node allows: `n` tasks of a gang on nodes that hold `m` take
    /// `n / m` nodes whole and one more for the rest. What training over fast links inside a node wants.
    #[default]
    Packed,
    /// Anywhere, any number on a node. What loosely coupled processes accept.
    Any,
    /// One task to a node, never two together.
    OnePerNode,
}

/// Where a workload may run. An empty list means anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraint {
    /// Only on nodes of one of these pools; ascending.
    pub pools: Vec<PoolId>,
    /// Only on devices of one of these models; ascending.
    pub models: Vec<ModelId>,
}
