//! Who waits, in the order the policy gave, grouped so that one look at a group's first tells about all of it: members of a
//! group share queue, shape and (where a rule counts per user) user, so if the first does not fit now, none does but those that
//! may use room kept for others because they are gone earlier. Those are found by their limits.

use std::collections::{BTreeMap, BTreeSet};

use fleet::ids::{QueueId, UserId, WorkloadId};
use fleet::quantity::Millis;
use fleet::workload::Workload;

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
    groups: Vec<Group>,
    filled: BTreeSet<u32>,
    len: usize,
}

/// The members of a group.
#[derive(Clone, Debug, Default)]
struct Group {
    in_turn: BTreeSet<(Rank, WorkloadId)>,
    /// Those with a time limit, the shortest first.
    by_limit: BTreeSet<(Millis, Rank, WorkloadId)>,
}

impl Waiting {
    /// The group of a key, made if it is new.
    pub(crate) fn group(&mut self, key: GroupKey) -> u32 {
        *self.index.entry(key).or_insert_with(|| {
            self.groups.push(Group::default());
            self.groups.len() as u32 - 1
        })
    }

    pub(crate) fn insert(&mut self, group: u32, rank: Rank, workload: &Workload) {
        let members = &mut self.groups[group as usize];
        let new = members.in_turn.insert((rank, workload.id));
        assert!(new, "a workload waits once");
        members.by_limit.extend(workload.time_limit.map(|limit| (limit, rank, workload.id)));
        self.filled.insert(group);
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, group: u32, rank: Rank, workload: &Workload) {
        let members = &mut self.groups[group as usize];
        assert!(members.in_turn.remove(&(rank, workload.id)), "whoever stops waiting was waiting");
        if let Some(limit) = workload.time_limit {
            members.by_limit.remove(&(limit, rank, workload.id));
        }
        if members.in_turn.is_empty() {
            self.filled.remove(&group);
        }
        self.len -= 1;
    }

    /// Groups with at least one member.
    pub(crate) fn filled(&self) -> impl Iterator<Item = u32> + '_ {
        self.filled.iter().copied()
    }

    /// Everyone.
    pub(crate) fn all(&self) -> impl Iterator<Item = WorkloadId> + '_ {
        self.groups.iter().flat_map(|group| group.in_turn.iter().map(|&(_, id)| id))
    }

    /// The first of a group.
    pub(crate) fn first(&self, group: u32) -> Option<(Rank, WorkloadId)> {
        self.groups[group as usize].in_turn.first().copied()
    }

    /// The first of those in a group with a limit of at most so much.
    pub(crate) fn first_within(&self, group: u32, limit_max: Millis) -> Option<(Rank, WorkloadId)> {
        let short = self.groups[group as usize].by_limit.iter().take_while(|(limit, ..)| *limit <= limit_max);
        short.map(|&(_, rank, id)| (rank, id)).min()
    }

    /// The one behind this one in a group.
    pub(crate) fn behind(&self, group: u32, rank: Rank, workload: WorkloadId) -> Option<(Rank, WorkloadId)> {
        let here = std::ops::Bound::Excluded((rank, workload));
        self.groups[group as usize].in_turn.range((here, std::ops::Bound::Unbounded)).next().copied()
    }

    /// How many of a group come before this one.
    pub(crate) fn before(&self, group: u32, rank: Rank, workload: WorkloadId) -> usize {
        self.groups[group as usize].in_turn.range(..(rank, workload)).count()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
