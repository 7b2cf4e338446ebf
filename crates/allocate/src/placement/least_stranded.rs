//! Least stranded: of the nodes that would do, the one on which the fewest devices become useless to what this fleet usually
//! runs. A device is useless to a workload when its node cannot give what the workload wants beside it.
//!
//! The measure is the expected fragmentation of Weng et al., "Beware of Fragmentation" (USENIX ATC'23, section 3), with the
//! mix of requests learnt from what was submitted, not given. Of nodes equal in that, under a policy that predicts, the one whose
//! emptying is put off least: work that ends about when its neighbours do leaves whole nodes to gangs. Integers throughout; ties
//! go to best fit, then to the lowest node.

use std::collections::BTreeMap;

use fleet::ids::NodeId;
use fleet::node::Resources;
use fleet::quantity::MilliDevice;

use super::{Choice, Layout, Shape, best_fit};
use crate::cluster::{Cluster, NodeState, share_of};

/// The requests this fleet usually gets: the commonest, by device time asked for lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mix {
    counts: BTreeMap<Resources, u64>,
    seen: u64,
    top: Vec<(Resources, u64)>,
}

impl Mix {
    /// How many requests the measure looks at.
    const TOP: usize = 12;
    /// How many different requests are counted; the rarest are forgotten.
    const COUNTED: usize = 256;
    /// After so many submissions the order is worked out again and all counts are halved.
    const PERIOD: u64 = 1_024;
    /// How many nodes are weighed for one chunk. Best-fit order comes first, so those left out are the emptiest.
    pub(super) const CANDIDATES: usize = 128;

    /// Counts a submission of `tasks` like requests.
    pub(crate) fn learn(&mut self, request: &Resources, tasks: u32) {
        if request.devices == MilliDevice::ZERO {
            return;
        }
        *self.counts.entry(*request).or_insert(0) += u64::from(tasks).saturating_mul(16);
        self.seen += 1;
        if self.seen.is_power_of_two() && self.seen < Self::PERIOD || self.seen.is_multiple_of(Self::PERIOD) {
            self.rank();
        }
    }

    /// Whether the choice of node can matter: only where something besides devices can run out, or shares are asked for.
    pub(super) fn matters(&self, cluster: &Cluster, layout: &Layout) -> bool {
        let plain = |request: &Resources| request.cpu.0 == 0 && request.memory.0 == 0 && share_of(request).is_none();
        layout.classes.iter().any(|&class| cluster.classes()[class as usize].spec.devices > 0)
            && self.top.iter().any(|(request, _)| !plain(request))
    }

    /// Device thousandths of a node, times weight, that the mix cannot use.
    fn stranded(&self, node: &NodeState) -> u64 {
        let free = node.free_devices().0;
        if free == 0 {
            return 0;
        }
        self.top.iter().map(|(request, weight)| weight * (free - usable(node, request, free))).sum()
    }

    fn rank(&mut self) {
        self.top = self.counts.iter().map(|(request, &count)| (*request, count)).collect();
        self.top.sort_by_key(|&(request, count)| (std::cmp::Reverse(count), request));
        if self.seen.is_multiple_of(Self::PERIOD) {
            for (request, _) in self.top.iter().skip(Self::COUNTED) {
                self.counts.remove(request);
            }
            for count in self.counts.values_mut() {
                *count = (*count / 2).max(1);
            }
        }
        self.top.truncate(Self::TOP);
    }
}

/// The node with room for `tasks` tasks that leaves the least stranded.
pub(super) fn find(cluster: &Cluster, shape: &Shape, layout: &Layout, tasks: u32, choice: &Choice) -> Option<NodeId> {
    let matters = choice.mix.matters(cluster, layout);
    let mut best: Option<((bool, i128, u32), NodeId)> = None;
    for node in best_fit::nodes(cluster, shape, layout, tasks, choice).take(Mix::CANDIDATES) {
        let stranded = if matters { stranding(cluster.node(node), shape, tasks, choice.mix) } else { 0 };
        let put_off = choice.drains.map_or(0, |drains| drains.put_off(node));
        let price = (choice.spares(node), stranded, put_off);
        // Strictly less: of equals the first in best-fit order stays.
        if best.is_none_or(|(least, _)| price < least) {
            best = Some((price, node));
        }
    }
    best.map(|(_, node)| node)
}

/// How much more of a node the mix could not use if these tasks went there.
fn stranding(before: &NodeState, shape: &Shape, tasks: u32, mix: &Mix) -> i128 {
    let mut after = before.clone();
    take(&mut after, &shape.request, tasks);
    i128::from(mix.stranded(&after)) - i128::from(mix.stranded(before))
}

fn take(node: &mut NodeState, request: &Resources, tasks: u32) {
    node.cpu -= request.cpu.times(tasks);
    node.memory -= request.memory.times(tasks);
    match share_of(request) {
        Some(share) => (0..tasks).for_each(|_| {
            node.take_share(share);
        }),
        None => {
            node.take_whole(tasks * (request.devices.0 / MilliDevice::WHOLE) as u32);
        }
    }
}

/// Device thousandths of a node's free ones that tasks of this request could take.
fn usable(node: &NodeState, request: &Resources, free: u64) -> u64 {
    let fits = node.room(request, u32::MAX);
    (u64::from(fits) * request.devices.0).min(free)
}
