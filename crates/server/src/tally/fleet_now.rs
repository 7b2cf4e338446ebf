//! What the fleet has and gave out, as of the last entry.

use std::collections::BTreeMap;

use fleet::action::Slot;
use fleet::history::{NodeChange, NodeRecord};
use fleet::ids::NodeId;
use store::NodeStanding;

use super::Amount;

/// The nodes, and their sum.
#[derive(Default)]
pub(crate) struct FleetNow {
    nodes: BTreeMap<NodeId, Place>,
    /// The sum.
    pub(crate) level: Level,
    /// How many nodes are drained, and lost.
    pub(crate) drained: usize,
    pub(crate) lost: usize,
}

/// How much of the fleet is what. What is lost counts for nothing, but for what was given there: its runs are over only once that is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// It was given to workloads.
    pub(crate) given: Amount,
    /// It could be given, and is not.
    pub(crate) idle: Amount,
    /// It is on drained nodes, and not given.
    pub(crate) drained: Amount,
}

#[derive(Clone, Copy)]
struct Place {
    has: Amount,
    given: Amount,
    standing: NodeStanding,
}

impl FleetNow {
    pub(crate) fn found(&mut self, id: NodeId, facts: &NodeRecord) {
        let has = [u64::from(facts.devices) * 1_000, facts.cpu_milli.unwrap_or(0)];
        let new = Place { has, given: [0; 2], standing: NodeStanding::Usable };
        self.nodes.entry(id).or_insert(Place { has: [0; 2], ..new });
        self.change(id, |place| place.has = has);
    }

    pub(crate) fn changed(&mut self, id: NodeId, change: NodeChange) {
        self.change(id, |place| place.standing = NodeStanding::after(change));
    }

    pub(crate) fn give(&mut self, request: Amount, slots: &[Slot]) {
        for slot in slots {
            self.change(slot.node, |place| {
                place.given = both(place.given, request, |given, part| given + part * u64::from(slot.tasks));
            });
        }
    }

    pub(crate) fn take_back(&mut self, request: Amount, slots: &[Slot]) {
        for slot in slots {
            self.change(slot.node, |place| {
                place.given =
                    both(place.given, request, |given, part| given.saturating_sub(part * u64::from(slot.tasks)));
            });
        }
    }

    fn change(&mut self, id: NodeId, change: impl FnOnce(&mut Place)) {
        let Some(place) = self.nodes.get_mut(&id) else { return };
        let before = *place;
        change(place);
        let after = *place;
        self.level.less(before.level());
        self.level.plus(after.level());
        let counted = |standing, place: Place| usize::from(place.standing == standing);
        let recount = |count: &mut usize, standing| {
            *count = *count + counted(standing, after) - counted(standing, before);
        };
        recount(&mut self.drained, NodeStanding::Drained);
        recount(&mut self.lost, NodeStanding::Lost);
    }

    /// Which part quotas and sums count: 0, devices, where there are any; else 1, cores.
    pub(crate) fn metered(&self) -> usize {
        usize::from(self.nodes.values().all(|place| place.has[0] == 0))
    }

    /// What there is that is not lost.
    pub(crate) fn there(&self) -> u64 {
        let part = self.metered();
        self.nodes.values().filter(|place| place.standing != NodeStanding::Lost).map(|place| place.has[part]).sum()
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }
}

impl Place {
    fn level(self) -> Level {
        let left = both(self.has, self.given, u64::saturating_sub);
        let given = self.given;
        match self.standing {
            NodeStanding::Usable => Level { given, idle: left, drained: [0; 2] },
            NodeStanding::Drained => Level { given, idle: [0; 2], drained: left },
            NodeStanding::Lost => Level { given, idle: [0; 2], drained: [0; 2] },
        }
    }
}

impl Level {
    /// All that is not lost.
    pub(crate) fn capacity(self) -> Amount {
        both(both(self.given, self.idle, |a, b| a + b), self.drained, |a, b| a + b)
    }

    fn plus(&mut self, other: Self) {
        self.given = both(self.given, other.given, |a, b| a + b);
        self.idle = both(self.idle, other.idle, |a, b| a + b);
        self.drained = both(self.drained, other.drained, |a, b| a + b);
    }

    fn less(&mut self, other: Self) {
        self.given = both(self.given, other.given, |a, b| a - b);
        self.idle = both(self.idle, other.idle, |a, b| a - b);
        self.drained = both(self.drained, other.drained, |a, b| a - b);
    }
}

/// Part by part.
pub(crate) fn both(a: Amount, b: Amount, work: impl Fn(u64, u64) -> u64) -> Amount {
    [work(a[0], b[0]), work(a[1], b[1])]
}
