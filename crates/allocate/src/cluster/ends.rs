//! Who is placed, by when they are expected to end: all together, and by node with what each will give back there.

use std::collections::BTreeSet;

use fleet::action::Slot;
use fleet::ids::{NodeId, WorkloadId};
use fleet::node::Resources;
use fleet::time::Timestamp;

/// When somebody is expected to end. Of one moment, by number.
pub(crate) type End = (Timestamp, WorkloadId);

/// What somebody will give back on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub(crate) end: End,
    pub(crate) amount: Resources,
}

/// Everyone who is placed, in the order in which they are expected to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    all: BTreeSet<End>,
    /// A node has few at a time and is read often: a sorted list each.
    nodes: Vec<Vec<Leaving>>,
}

impl Ends {
    /// Notes a workload on these slots; a task there takes `request`.
    pub(crate) fn insert(&mut self, end: Timestamp, id: WorkloadId, slots: &[Slot], request: &Resources) {
        let end = (end, id);
        let new = self.all.insert(end);
        assert!(new, "a workload is placed once");
        for slot in slots {
            let index = slot.node.index();
            if self.nodes.len() <= index {
                self.nodes.resize(index + 1, Vec::new());
            }
            let node = &mut self.nodes[index];
            let amount = request.times(slot.tasks);
            let at = node.partition_point(|other| other.end < end);
            match node.get_mut(at).filter(|other| other.end == end) {
                // Shares of devices are a slot each.
                Some(same) => same.amount = same.amount.plus(amount),
                None => node.insert(at, Leaving { end, amount }),
            }
        }
    }

    pub(crate) fn remove(&mut self, end: Timestamp, id: WorkloadId, slots: &[Slot]) {
        let end = (end, id);
        assert!(self.all.remove(&end), "whoever stops was placed");
        for slot in slots {
            let node = &mut self.nodes[slot.node.index()];
            let at = node.partition_point(|other| other.end < end);
            if node.get(at).is_some_and(|other| other.end == end) {
                node.remove(at);
            }
        }
    }

    pub(crate) fn first(&self) -> Option<End> {
        self.all.first().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Everyone, in the order in which they are expected to end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = End> + '_ {
        self.all.iter().copied()
    }

    /// Those on a node, in the order in which they are expected to end.
    pub(crate) fn on(&self, node: NodeId) -> &[Leaving] {
        self.nodes.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// When the last on a node is expected to end; `None` if it is empty.
    pub(crate) fn drained(&self, node: NodeId) -> Option<Timestamp> {
        self.on(node).last().map(|leaving| leaving.end.0)
    }
}
