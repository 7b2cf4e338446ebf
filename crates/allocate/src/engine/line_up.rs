//! Where in the line a workload waits, by the rules as they are.

use fleet::ids::WorkloadId;
use fleet::queue::Queue;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use super::Engine;
use super::job::JobState;
use super::waiting::{GroupKey, Rank};
use crate::policy;
use crate::predict::Distribution;

impl Engine {
    /// The group and the rank of a workload.
    pub(super) fn line_up(
        &mut self,
        workload: &Workload,
        shape: u32,
        eligible: Timestamp,
        expected: &Distribution,
    ) -> (u32, Rank) {
        let rules = self.queues.rules(workload.queue);
        let user = workload.user.filter(|_| rules.is_some_and(counts_users));
        let queue_priority = rules.map_or(0, |rules| rules.priority);
        let key = policy::key(self.policy.order, eligible, expected);
        let group = self.waiting.group(GroupKey { queue: workload.queue, shape, user });
        (group, Rank::new(queue_priority, workload.priority, key))
    }

    /// Other rules for a queue: its workloads line up again if that can change their place.
    pub(super) fn set_queue(&mut self, queue: &Queue) {
        let before = self.queues.rules(queue.id);
        let same = before.map_or((0, false), line_rules) == line_rules(queue);
        self.queues.set(queue.clone());
        if !same {
            self.line_up_again(|workload| workload.queue == queue.id);
        }
    }

    /// Lines these workloads up by the rules as they are now. Those that run too, for they may wait again.
    pub(super) fn line_up_again(&mut self, who: impl Fn(&Workload) -> bool) {
        let placed = self.ends.iter().map(|(_, id)| id);
        let mut ids: Vec<WorkloadId> = self.waiting.all().chain(placed).collect();
        ids.retain(|id| who(&self.jobs[id].workload));
        ids.sort_unstable();
        for id in ids {
            let job = self.jobs.remove(&id).expect("it was there a moment ago");
            let (group, rank) = self.line_up(&job.workload, job.shape, job.eligible, &job.expected);
            if matches!(job.state, JobState::Waiting) {
                self.waiting.remove(job.group, job.rank, &job.workload);
                self.waiting.insert(group, rank, &job.workload);
            }
            self.jobs.insert(id, super::job::Job { group, rank, ..job });
        }
    }
}

/// What of a queue's rules decides where its workloads stand.
fn line_rules(rules: &Queue) -> (i32, bool) {
    (rules.priority, counts_users(rules))
}

/// Whether a rule counts by user, so that workloads of different users do not stand for each other.
fn counts_users(rules: &Queue) -> bool {
    rules.limit_per_user.is_some() || rules.limit_running_per_user.is_some()
}
