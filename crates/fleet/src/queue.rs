//! Queues: where quota, borrowing and limits live.

use crate::history::QueueRecord;
use crate::ids::QueueId;
use crate::quantity::MilliDevice;

/// The settings of one queue. Amounts are counted in the fleet's [`Metered`] resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Which one.
    pub id: QueueId,
    /// What it may use before it borrows; `None` where no quota is set: then it never borrows.
    pub quota: Option<MilliDevice>,
    /// What it may never pass, borrowed or not.
    pub limit: Option<MilliDevice>,
    /// What one of its users may never pass.
    pub limit_per_user: Option<MilliDevice>,
    /// How many of its workloads may run at once.
    pub limit_running: Option<u32>,
    /// How many workloads of one of its users may run at once.
    pub limit_running_per_user: Option<u32>,
    /// Higher goes first among queues.
    pub priority: i32,
}

impl Queue {
    /// The settings that a record of a queue's rules tells.
    #[must_use]
    pub fn of(id: QueueId, rules: &QueueRecord) -> Self {
        Self {
            id,
            quota: rules.quota_milli,
            limit: rules.limit_milli,
            limit_per_user: rules.limit_per_user_milli,
            limit_running: rules.limit_running,
            limit_running_per_user: rules.limit_running_per_user,
            priority: rules.priority,
        }
    }

    /// A queue without quota or limits.
    #[must_use]
    pub fn unlimited(id: QueueId) -> Self {
        Self {
            id,
            quota: None,
            limit: None,
            limit_per_user: None,
            limit_running: None,
            limit_running_per_user: None,
            priority: 0,
        }
    }
}

/// What quotas count: devices where the fleet has any, cores (a core counted as a device is) where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metered {
    /// Accelerators.
    Devices,
    /// Cores.
    Cores,
}
