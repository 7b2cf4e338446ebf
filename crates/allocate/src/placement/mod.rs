//! Finding nodes for a gang: whole or not at all.
//!
//! [`try_take`] is the one way in. It takes what it finds from the cluster; whoever does not want it gives it back.

mod best_fit;
mod guard;
mod least_stranded;
mod neighbours;
mod possible;
mod shape;

use fleet::action::Slot;
use fleet::ids::{NodeId, WorkloadId};
use fleet::node::Resources;
use fleet::policy::Placement;
use fleet::time::Timestamp;
use fleet::workload::Spread;

use crate::cluster::{Cluster, Ends, share_of};

pub(crate) use guard::{Access, Guard, Hold, Stay};
pub(crate) use least_stranded::Mix;
pub(crate) use possible::fits_empty;
pub(crate) use shape::{Layout, Shape, Shapes};

/// What guides the choice among nodes that would do.
pub(crate) struct Choice<'a> {
    pub(crate) placement: Placement,
    pub(crate) mix: &'a Mix,
    pub(crate) guard: &'a Guard,
    pub(crate) stay: Stay,
    /// Under a policy that weighs when nodes will be empty.
    pub(crate) drains: Option<Drains<'a>>,
    /// Under a policy that keeps room where it was: the candidate, which goes elsewhere if it can than on nodes kept for others.
    pub(crate) spares: Option<WorkloadId>,
}

impl Choice<'_> {
    /// Whether the candidate would rather not go there, since it is being emptied for another.
    fn spares(&self, node: NodeId) -> bool {
        self.spares.is_some_and(|candidate| self.guard.kept_for_another(node, candidate))
    }
}

/// When nodes are expected to be empty, and when the candidate is expected to leave.
#[derive(Clone, Copy)]
pub(crate) struct Drains<'a> {
    pub(crate) ends: &'a Ends,
    pub(crate) now: Timestamp,
    pub(crate) end: Timestamp,
}

impl Drains<'_> {
    /// By how much the candidate would put off the moment when a node is empty, in doublings of the time until then.
    /// Doublings, because forecasts are about so good: five minutes more on ten are as bad as five hours more on ten.
    fn put_off(&self, node: NodeId) -> u32 {
        let doublings = |moment: Timestamp| {
            let seconds = u64::try_from(moment.since(self.now).0 / 1_000).unwrap_or(0);
            u64::BITS - seconds.leading_zeros()
        };
        let drained = self.ends.drained(node).unwrap_or(self.now);
        doublings(self.end).saturating_sub(doublings(drained))
    }
}

/// Finds room for the whole gang and takes it, or leaves the cluster as it was.
pub(crate) fn try_take(cluster: &mut Cluster, shape: &Shape, layout: &Layout, choice: &Choice) -> Option<Vec<Slot>> {
    if !worth_trying(cluster, shape, layout) {
        return None;
    }
    let mut slots = Vec::new();
    let whole = match shape.spread {
        Spread::Any => spread_out(cluster, shape, layout, choice, shape.tasks, &mut slots),
        Spread::OnePerNode => take_nodes(cluster, shape, layout, shape.tasks, choice, &mut slots),
        Spread::Packed => {
            take_nodes(cluster, shape, layout, layout.full, choice, &mut slots)
                && (layout.rest == 0 || take_chunk(cluster, shape, layout, layout.rest, choice, &mut slots))
        }
    };
    if whole {
        return Some(slots);
    }
    for slot in slots.iter().rev() {
        cluster.give(&shape.request, slot);
    }
    None
}

/// Where the whole gang would fit now, were no room kept for anybody. The cluster is left as it was.
pub(crate) fn fits_beside_running(
    cluster: &mut Cluster,
    shape: &Shape,
    layout: &Layout,
    placement: Placement,
    mix: &Mix,
) -> Option<Vec<Slot>> {
    let guard = &Guard::default();
    let choice = Choice { placement, mix, guard, stay: Stay::First, drains: None, spares: None };
    let slots = try_take(cluster, shape, layout, &choice)?;
    for slot in slots.iter().rev() {
        cluster.give(&shape.request, slot);
    }
    Some(slots)
}

/// How many tasks may go on a node now, given what is kept for others.
fn room(cluster: &Cluster, request: &Resources, node: NodeId, most: u32, choice: &Choice) -> u32 {
    let room = cluster.node(node).room(request, most);
    if room == 0 { 0 } else { choice.guard.room(node, request, room, choice.stay) }
}

/// A cheap test that rules out most gangs that do not fit: are there enough nodes with enough free, other things aside?
pub(crate) fn worth_trying(cluster: &Cluster, shape: &Shape, layout: &Layout) -> bool {
    if !layout.possible() {
        return false;
    }
    if shape.spread == Spread::Any || share_of(&shape.request).is_some() {
        return true;
    }
    let wanted = layout.full.max(1);
    let tasks = if layout.full > 0 { layout.chunk } else { layout.rest };
    let mut found = 0;
    for &class in &layout.classes {
        let class = &cluster.classes()[class as usize];
        for units in class.units_asked(&shape.request, tasks)..=class.units() {
            found += class.count_with(units);
            if found >= wanted {
                return true;
            }
        }
    }
    false
}

/// Takes one chunk of `tasks` on the node that suits best.
fn take_chunk(
    cluster: &mut Cluster,
    shape: &Shape,
    layout: &Layout,
    tasks: u32,
    choice: &Choice,
    slots: &mut Vec<Slot>,
) -> bool {
    let found = match choice.placement {
        Placement::LeastStranded if choice.drains.is_some() || choice.mix.matters(cluster, layout) => {
            least_stranded::find(cluster, shape, layout, tasks, choice)
        }
        Placement::Neighbours => {
            neighbours::find(cluster, shape, layout, tasks, 1, choice).and_then(|nodes| nodes.first().copied())
        }
        _ => best_fit::nodes(cluster, shape, layout, tasks, choice).next(),
    };
    let Some(node) = found else { return false };
    take_on(cluster, shape, node, tasks, slots);
    true
}

/// Takes room for tasks on one node. Shares of devices are taken one by one: a slot names the one device it shares.
fn take_on(cluster: &mut Cluster, shape: &Shape, node: NodeId, tasks: u32, slots: &mut Vec<Slot>) {
    if share_of(&shape.request).is_some() {
        slots.extend((0..tasks).map(|_| cluster.take(node, &shape.request, 1)));
    } else {
        slots.push(cluster.take(node, &shape.request, tasks));
    }
}

/// Takes one chunk on each of `count` nodes.
fn take_nodes(
    cluster: &mut Cluster,
    shape: &Shape,
    layout: &Layout,
    count: u32,
    choice: &Choice,
    slots: &mut Vec<Slot>,
) -> bool {
    if count == 1 {
        return take_chunk(cluster, shape, layout, layout.chunk, choice, slots);
    }
    let best = || best_fit::nodes(cluster, shape, layout, layout.chunk, choice);
    let nodes: Vec<NodeId> = if choice.placement == Placement::Neighbours {
        neighbours::find(cluster, shape, layout, layout.chunk, count, choice).unwrap_or_default()
    } else if choice.spares.is_some() {
        let (mut nodes, spared): (Vec<NodeId>, Vec<NodeId>) = best().partition(|&node| !choice.spares(node));
        nodes.extend(spared);
        nodes.truncate(count as usize);
        nodes
    } else {
        best().take(count as usize).collect()
    };
    if nodes.len() < count as usize {
        return false;
    }
    for node in nodes {
        take_on(cluster, shape, node, layout.chunk, slots);
    }
    true
}

/// Fills the fullest nodes first, any number of tasks on each.
fn spread_out(
    cluster: &mut Cluster,
    shape: &Shape,
    layout: &Layout,
    choice: &Choice,
    tasks: u32,
    slots: &mut Vec<Slot>,
) -> bool {
    let mut left = tasks;
    let mut found = Vec::new();
    for node in best_fit::nodes(cluster, shape, layout, 1, choice) {
        let here = room(cluster, &shape.request, node, left, choice);
        found.push((node, here));
        left -= here;
        if left == 0 {
            break;
        }
    }
    if left > 0 {
        return false;
    }
    for (node, here) in found {
        take_on(cluster, shape, node, here, slots);
    }
    true
}
