//! What queues with limits, and their users, hold at a moment.

use std::collections::BTreeMap;

use fleet::ids::{QueueId, UserId};
use fleet::workload::Workload;
use replay::history::History;

use super::nodes::Resource;
use super::waiting::Kind;

/// What every queue holds and, where it has limits per user, each of its users.
pub(super) struct Held<'a> {
    history: &'a History,
    resource: Resource,
    queues: Vec<Use>,
    users: BTreeMap<(QueueId, Option<UserId>), Use>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Use {
    amount: u64,
    running: u32,
}

impl<'a> Held<'a> {
    pub(super) fn new(history: &'a History, resource: Resource) -> Self {
        Self { history, resource, queues: vec![Use::default(); history.queues.len()], users: BTreeMap::new() }
    }

    pub(super) fn take(&mut self, workload: &Workload) {
        let amount = self.resource.of(workload.total());
        self.each(workload, |held| {
            held.amount += amount;
            held.running += 1;
        });
    }

    pub(super) fn give(&mut self, workload: &Workload) {
        let amount = self.resource.of(workload.total());
        self.each(workload, |held| {
            held.amount -= amount;
            held.running -= 1;
        });
    }

    /// Whether a queue's limits keep one more of this kind from starting, whatever is free.
    pub(super) fn limits(&self, kind: &Kind) -> bool {
        let Some(queue) = kind.queue else { return false };
        let rules = &self.history.queues[queue.index()];
        let over = |held: Use, amount: Option<u64>, running: Option<u32>| {
            amount.is_some_and(|limit| held.amount + kind.ask > limit)
                || running.is_some_and(|limit| held.running >= limit)
        };
        // Limits per user hold nobody whose name is not known: the engine keeps it the same way.
        let by_user = kind.user.is_some_and(|user| {
            let held = self.users.get(&(queue, Some(user))).copied().unwrap_or_default();
            over(held, rules.limit_per_user_milli.map(|limit| limit.0), rules.limit_running_per_user)
        });
        by_user || over(self.queues[queue.index()], rules.limit_milli.map(|limit| limit.0), rules.limit_running)
    }

    fn each(&mut self, workload: &Workload, change: impl Fn(&mut Use)) {
        change(&mut self.queues[workload.queue.index()]);
        let rules = &self.history.queues[workload.queue.index()];
        if rules.limit_per_user_milli.is_some() || rules.limit_running_per_user.is_some() {
            change(self.users.entry((workload.queue, workload.user)).or_default());
        }
    }
}
