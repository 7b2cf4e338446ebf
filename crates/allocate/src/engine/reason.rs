//! Why a workload waits, for people: told from the state as it is, without changing it.

use fleet::ids::WorkloadId;

use super::Engine;
use super::job::JobState;
use crate::placement::fits_beside_running;
use crate::queues::Limit;

/// Why a workload waits now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A rule of its queue holds it back, whatever is free.
    Limit(Limit),
    /// No node of the fleet could ever take it.
    Impossible,
    /// Even together, what is free on the nodes it may use is less than it asks for.
    TooLittleFree,
    /// Enough is free in sum, but not where it would have to be: in pieces too small, or without cores or memory beside it.
    Pieces,
    /// It would fit, but that room is kept for others that come first.
    KeptForOthers,
}

impl Engine {
    /// Why a workload waits; `None` if it does not wait. Meant for the moment after a decision. Costs a copy of what is free.
    #[must_use]
    pub fn reason(&self, id: WorkloadId) -> Option<Reason> {
        let job = self.jobs.get(&id).filter(|job| matches!(job.state, JobState::Waiting))?;
        if let Some(limit) = self.queues.limit(job.workload.queue, job.workload.user, job.metered) {
            return Some(Reason::Limit(limit));
        }
        let (shape, layout) = (self.shapes.shape(job.shape), self.shapes.layout(job.shape));
        if !layout.possible() {
            return Some(Reason::Impossible);
        }
        let mut cluster = self.cluster.clone();
        if fits_beside_running(&mut cluster, shape, layout, self.policy.placement, &self.mix).is_some() {
            return Some(Reason::KeptForOthers);
        }
        let free = self.cluster.free_on(&layout.classes);
        let enough = job.workload.total().within(free);
        Some(if enough { Reason::Pieces } else { Reason::TooLittleFree })
    }
}
