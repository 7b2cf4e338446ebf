//! Who waits, in the order the policy gave, grouped so that one look at a group's first tells about all of it: members of a
//! group share queue, shape and (where a rule counts per user) user, so if the first does not fit now, none does.

use std::collections::{BTreeMap, BTreeSet};

use fleet::ids::{QueueId, UserId, WorkloadId};
use fleet::quantity::Millis;

/// Smaller goes first: queue priority, workload priority, then the policy's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    queue: std::cmp::Reverse<i32>,
    workload: std::cmp::Reverse<i32>,
    key: i64,
}

impl Rank {
    pub(crate) fn new(queue_priority: i32, workload_priority: i32, key: i64) -> Self {
        Self { queue: std::cmp::Reverse(queue_priority), workload: std::cmp::Reverse(workload_priority), key }
    }

    /// The place of one who goes so much later than its key says.
    pub(crate) fn put_off(self, by: Millis) -> Self {
        Self { key: self.key.saturating_add(by.0), ..self }
    }
}

/// What the members of a group share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupKey {
    pub(crate) queue: QueueId,
    pub(crate) shape: u32,
    pub(crate) user: Option<UserId>,
}

/// Everyone who waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    index: BTreeMap<GroupKey, u32>,
    groups: Vec<BTreeSet<(Rank, WorkloadId)>>,
    filled: BTreeSet<u32>,
    len: usize,
}

impl Waiting {
    /// The group of a key, made if it is new.
    pub(crate) fn group(&mut self, key: GroupKey) -> u32 {
        *self.index.entry(key).or_insert_with(|| {
            self.groups.push(BTreeSet::new());
            self.groups.len() as u32 - 1
        })
    }

    pub(crate) fn insert(&mut self, group: u32, rank: Rank, workload: WorkloadId) {
        let new = self.groups[group as usize].insert((rank, workload));
        assert!(new, "a workload waits once");
        self.filled.insert(group);
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, group: u32, rank: Rank, workload: WorkloadId) {
        let members = &mut self.groups[group as usize];
        assert!(members.remove(&(rank, workload)), "whoever stops waiting was waiting");
        if members.is_empty() {
            self.filled.remove(&group);
        }
        self.len -= 1;
    }

    /// Groups with at least one member.
    pub(crate) fn filled(&self) -> impl Iterator<Item = u32> + '_ {
        self.filled.iter().copied()
    }

    /// The first of a group.
    pub(crate) fn first(&self, group: u32) -> Option<(Rank, WorkloadId)> {
        self.groups[group as usize].first().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
