//! What is kept for gangs that are next but do not fit yet, so that whoever goes ahead of them does not delay them.

use std::collections::BTreeMap;

use fleet::ids::{NodeId, WorkloadId};
use fleet::node::Resources;
use fleet::quantity::MilliDevice;
use fleet::time::Timestamp;

use crate::cluster::share_of;
use crate::queues::Tier;

/// The nodes kept for waiting gangs. A node is kept for one gang at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    holds: Vec<Hold>,
    spare: BTreeMap<NodeId, Spare>,
    /// For whom room was kept when last decided, and where. Survives [`Guard::clear`], so that room stays where it was.
    kept: BTreeMap<WorkloadId, Kept>,
    /// The same by node.
    kept_for: BTreeMap<NodeId, WorkloadId>,
}

/// Where and when a waiting gang is expected to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) workload: WorkloadId,
    pub(crate) at: Timestamp,
    pub(crate) tier: Tier,
    pub(crate) access: Access,
}

/// Whether others may use kept room until its gang starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Those who are expected to leave in time.
    Brief,
    /// Nobody.
    Closed,
}

/// Where room was last kept for a gang, and since when without a break.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) since: Timestamp,
}

/// What of a kept node will be left when its gang starts.
#[derive(Clone, Copy, Debug)]
struct Spare {
    left: Resources,
    at: Timestamp,
    access: Access,
}

/// How long a candidate will stay, as far as the policy can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Gone by this moment.
    Until(Timestamp),
    /// Nothing is kept from it: it is the one for which things are kept, or comes before it.
    First,
}

impl Spare {
    /// Whether one who leaves by `end` may use all that is free until then.
    fn lets_in(&self, end: Timestamp) -> bool {
        self.access == Access::Brief && end <= self.at
    }
}

impl Guard {
    pub(crate) fn clear(&mut self) {
        self.holds.clear();
        self.spare.clear();
    }

    /// Forgets a gang that does not wait any more.
    pub(crate) fn forget(&mut self, id: WorkloadId) {
        self.release(id);
    }

    /// Whether room there was last kept for a gang other than this.
    pub(crate) fn kept_for_another(&self, node: NodeId, id: WorkloadId) -> bool {
        self.kept_for.get(&node).is_some_and(|&other| other != id)
    }

    /// Forgets everyone for whom no room is kept any more.
    pub(crate) fn lapse(&mut self) {
        let held = |id: WorkloadId| self.holds.iter().any(|hold| hold.workload == id);
        let lapsed: Vec<WorkloadId> = self.kept.keys().copied().filter(|&id| !held(id)).collect();
        for id in lapsed {
            self.release(id);
        }
    }

    /// Where room was last kept for a gang.
    pub(crate) fn kept(&self, id: WorkloadId) -> Option<&Kept> {
        self.kept.get(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    pub(crate) fn holds(&self) -> &[Hold] {
        &self.holds
    }

    pub(crate) fn keeps(&self, node: NodeId) -> bool {
        self.spare.contains_key(&node)
    }

    /// Keeps nodes for a gang; `left` is what each has beyond it when it starts.
    pub(crate) fn hold(&mut self, hold: Hold, since: Timestamp, nodes: Vec<(NodeId, Resources)>) {
        self.release(hold.workload);
        let kept = Kept { nodes: nodes.iter().map(|&(node, _)| node).collect(), since };
        self.kept_for.extend(kept.nodes.iter().map(|&node| (node, hold.workload)));
        self.kept.insert(hold.workload, kept);
        for (node, left) in nodes {
            let before = self.spare.insert(node, Spare { left, at: hold.at, access: hold.access });
            assert!(before.is_none(), "a node is kept for one gang at a time");
        }
        self.holds.push(hold);
    }

    fn release(&mut self, id: WorkloadId) {
        for node in self.kept.remove(&id).map(|kept| kept.nodes).unwrap_or_default() {
            if self.kept_for.get(&node) == Some(&id) {
                self.kept_for.remove(&node);
            }
        }
    }

    /// How many of `most` tasks may go on a node without delaying the gang it is kept for.
    pub(crate) fn room(&self, node: NodeId, request: &Resources, most: u32, stay: Stay) -> u32 {
        let Some(spare) = self.spare.get(&node) else { return most };
        match stay {
            Stay::First => most,
            Stay::Until(end) if spare.lets_in(end) => most,
            Stay::Until(_) => times_within(request, &spare.left).min(u64::from(most)) as u32,
        }
    }

    /// Notes that a candidate started on a kept node.
    pub(crate) fn took(&mut self, node: NodeId, amount: Resources, stay: Stay) {
        if let (Some(spare), Stay::Until(end)) = (self.spare.get_mut(&node), stay)
            && !spare.lets_in(end)
        {
            spare.left.cpu -= amount.cpu;
            spare.left.memory -= amount.memory;
            spare.left.devices -= amount.devices;
        }
    }
}

/// How often a request fits into what is left of a kept node. A share needs a single device with room, which thousandths
/// summed over a node cannot promise; for shares only whole devices count.
fn times_within(request: &Resources, left: &Resources) -> u64 {
    match share_of(request) {
        None => request.times_within(*left),
        Some(_) => Resources { devices: MilliDevice::whole(1), ..*request }.times_within(*left),
    }
}
