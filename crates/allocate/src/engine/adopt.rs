//! Taking over what was placed before this engine began.

use fleet::action::Slot;
use fleet::ids::{ActionId, WorkloadId};
use fleet::time::Timestamp;

use super::Engine;
use super::job::{JobState, Outcome, Place};
use super::observe::{Ignored, not_before};
use crate::policy;

impl Engine {
    /// Places a waiting workload where it is said to be, whole or not at all. Limits and quota do not stand in the way of what is
    /// so already; what is counted against them is counted.
    pub(super) fn adopt(
        &mut self,
        action: ActionId,
        id: WorkloadId,
        slots: &[Slot],
        since: Timestamp,
    ) -> Result<(), Ignored> {
        let job = self.jobs.get_mut(&id).ok_or(Ignored::UnknownWorkload)?;
        if !matches!(job.state, JobState::Waiting) {
            return Err(Ignored::NotWaiting);
        }
        let request = job.workload.request;
        for (index, slot) in slots.iter().enumerate() {
            if !self.cluster.take_exactly(&request, slot) {
                for taken in &slots[..index] {
                    self.cluster.give(&request, taken);
                }
                return Err(Ignored::NoRoom);
            }
        }
        let now = self.last_at;
        let end = policy::expected_end(self.policy.order, &job.workload, &job.expected, since, now);
        let expected_end = not_before(end, now);
        self.waiting.remove(job.group, job.rank, &job.workload);
        self.queues.take(job.workload.queue, job.workload.user, job.metered);
        self.ends.insert(expected_end, id, slots, &request);
        self.guard.forget(id);
        job.state =
            JobState::Placed(Place { action, slots: slots.to_vec(), since, outcome: Outcome::Awaited, expected_end });
        self.next_action = self.next_action.max(action.0.saturating_add(1));
        self.runs_from(id, since.min(now));
        Ok(())
    }
}
