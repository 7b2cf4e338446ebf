//! Who is placed, by when they are expected to end: all together, and by node.

use std::collections::BTreeSet;

use fleet::action::Slot;
use fleet::ids::{NodeId, WorkloadId};
use fleet::time::Timestamp;

/// Everyone who is placed, in the order in which they are expected to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    all: BTreeSet<(Timestamp, WorkloadId)>,
    nodes: Vec<BTreeSet<(Timestamp, WorkloadId)>>,
}

impl Ends {
    pub(crate) fn insert(&mut self, end: Timestamp, id: WorkloadId, slots: &[Slot]) {
        let new = self.all.insert((end, id));
        assert!(new, "a workload is placed once");
        for slot in slots {
            let index = slot.node.index();
            if self.nodes.len() <= index {
                self.nodes.resize(index + 1, BTreeSet::new());
            }
            self.nodes[index].insert((end, id));
        }
    }

    pub(crate) fn remove(&mut self, end: Timestamp, id: WorkloadId, slots: &[Slot]) {
        assert!(self.all.remove(&(end, id)), "whoever stops was placed");
        for slot in slots {
            self.nodes[slot.node.index()].remove(&(end, id));
        }
    }

    pub(crate) fn first(&self) -> Option<(Timestamp, WorkloadId)> {
        self.all.first().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Timestamp, WorkloadId)> + '_ {
        self.all.iter().copied()
    }

    /// Those on a node, in the order in which they are expected to end.
    pub(crate) fn on(&self, node: NodeId) -> impl DoubleEndedIterator<Item = (Timestamp, WorkloadId)> + '_ {
        self.nodes.get(node.index()).into_iter().flatten().copied()
    }

    /// When the last on a node is expected to end; `None` if it is empty.
    pub(crate) fn drained(&self, node: NodeId) -> Option<Timestamp> {
        self.on(node).next_back().map(|(end, _)| end)
    }
}
