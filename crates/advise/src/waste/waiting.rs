//! Who waits at a moment, those alike together: of two workloads that ask for the same under the same rules, one fits
//! exactly if the other does.

use std::collections::{BTreeMap, BTreeSet};

use fleet::ids::{QueueId, UserId};
use fleet::node::Resources;
use fleet::workload::{Constraint, Spread};
use replay::history::History;

use super::nodes::Resource;

/// What makes workloads alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// What the whole gang asks of the counted resource, in thousandths; first, so that small kinds come first.
    pub(super) ask: u64,
    pub(super) tasks: u32,
    pub(super) request: Resources,
    pub(super) spread: Spread,
    pub(super) constraint: Constraint,
    /// Its queue, where that has limits.
    pub(super) queue: Option<QueueId>,
    /// Its user, where the queue has limits per user.
    pub(super) user: Option<UserId>,
}

/// Who waits.
pub(super) struct Waiting {
    kinds: Vec<Kind>,
    kind_of: Vec<u32>,
    /// By kind: the workloads, oldest first.
    members: Vec<BTreeSet<u32>>,
    /// Kinds of which any waits.
    present: BTreeSet<u32>,
    /// What all of them ask for, in thousandths.
    pub(super) demand: i64,
}

impl Waiting {
    /// Nobody yet.
    pub(super) fn new(history: &History, resource: Resource) -> Self {
        let mut index: BTreeMap<Kind, u32> = BTreeMap::new();
        let kinds: Vec<Kind> = history.workloads.iter().map(|recorded| kind(history, recorded, resource)).collect();
        for kind in &kinds {
            if !index.contains_key(kind) {
                index.insert(kind.clone(), 0);
            }
        }
        for (number, place) in (0_u32..).zip(index.values_mut()) {
            *place = number;
        }
        let kind_of = kinds.iter().map(|kind| index[kind]).collect();
        let members = vec![BTreeSet::new(); index.len()];
        Self { kinds: index.into_keys().collect(), kind_of, members, present: BTreeSet::new(), demand: 0 }
    }

    pub(super) fn add(&mut self, workload: u32) {
        let kind = self.kind_of[workload as usize];
        if self.members[kind as usize].insert(workload) {
            self.demand += self.kinds[kind as usize].ask as i64;
            self.present.insert(kind);
        }
    }

    pub(super) fn remove(&mut self, workload: u32) {
        let kind = self.kind_of[workload as usize];
        let members = &mut self.members[kind as usize];
        if members.remove(&workload) {
            self.demand -= self.kinds[kind as usize].ask as i64;
            if members.is_empty() {
                self.present.remove(&kind);
            }
        }
    }

    /// The kinds that wait, smallest first, each with how many wait and the oldest of them. Those that ask for nothing of the
    /// counted resource are left out: nothing of it idles because of them.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (usize, &Kind, u64, u32)> {
        self.present.iter().filter_map(|&number| {
            let (kind, members) = (&self.kinds[number as usize], &self.members[number as usize]);
            let oldest = *members.first()?;
            (kind.ask > 0).then_some((number as usize, kind, members.len() as u64, oldest))
        })
    }

    /// How many kinds there are in the whole history.
    pub(super) fn kind_count(&self) -> usize {
        self.kinds.len()
    }
}

fn kind(history: &History, recorded: &replay::history::Recorded, resource: Resource) -> Kind {
    let workload = &recorded.workload;
    let rules = &history.queues[workload.queue.index()];
    let by_user = rules.limit_per_user_milli.is_some() || rules.limit_running_per_user.is_some();
    let by_queue = by_user || rules.limit_milli.is_some() || rules.limit_running.is_some();
    Kind {
        ask: resource.of(workload.total()),
        tasks: workload.tasks,
        request: workload.request,
        spread: workload.spread,
        constraint: workload.constraint.clone(),
        queue: by_queue.then_some(workload.queue),
        user: if by_user { workload.user } else { None },
    }
}
