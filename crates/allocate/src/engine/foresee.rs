//! When and where a gang that does not fit now will fit, if running workloads end when they are expected to.
//!
//! Node by node: the moment from which on a node has room for its part of the gang. The gang fits when enough nodes have.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fleet::ids::NodeId;
use fleet::node::Resources;
use fleet::time::Timestamp;
use fleet::workload::Spread;

use super::Engine;
use super::job::Job;
use crate::cluster::{End, NodeState, Standing};
use crate::placement::{Layout, Shape, fits_empty};

/// What is foreseen for a gang.
pub(crate) struct Foresight {
    pub(crate) at: Timestamp,
    /// The nodes it will use, and what each has beyond it then.
    pub(crate) nodes: Vec<(NodeId, Resources)>,
}

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Among<'a> {
    All,
    These(&'a [NodeId]),
}

/// From when on a node has room: now, in the order in which it was looked at, or once somebody has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ready {
    Now(u32),
    After(End),
}

/// A look ahead for one gang.
struct Ahead<'a> {
    engine: &'a Engine,
    shape: &'a Shape,
    layout: &'a Layout,
    /// Nodes that are up and kept for nobody else, the emptiest first.
    nodes: Vec<NodeId>,
}

impl Engine {
    /// Looks ahead for a gang. `None` if it cannot fit on those nodes that are up and not kept for others.
    pub(crate) fn foresee(&self, job: &Job, among: Among) -> Option<Foresight> {
        let shape = self.shapes.shape(job.shape);
        let layout = self.shapes.layout(job.shape);
        if !fits_empty(&self.cluster, shape, layout) {
            return None;
        }
        let ahead = Ahead { engine: self, shape, layout, nodes: self.open_nodes(layout, among) };
        match shape.spread {
            Spread::Any => ahead.any(),
            Spread::Packed | Spread::OnePerNode => ahead.by_node(),
        }
    }

    fn open_nodes(&self, layout: &Layout, among: Among) -> Vec<NodeId> {
        let open = |node: &NodeId| !self.guard.keeps(*node);
        match among {
            Among::These(nodes) => {
                let up = |node: &NodeId| self.cluster.node(*node).standing == Standing::Up;
                nodes.iter().copied().filter(up).filter(open).collect()
            }
            Among::All => {
                let classes = layout.classes.iter().map(|&class| &self.cluster.classes()[class as usize]);
                let emptiest_first =
                    classes.flat_map(|class| (0..=class.units()).rev().flat_map(|units| class.with(units)));
                emptiest_first.filter(open).collect()
            }
        }
    }
}

impl Ahead<'_> {
    /// A gang that takes a chunk on each of some nodes, and what is left over on one more.
    fn by_node(&self) -> Option<Foresight> {
        let full_count = self.layout.full as usize;
        let mut full = self.ready(self.layout.chunk);
        if full.len() < full_count {
            return None;
        }
        if full_count > 0 && full_count < full.len() {
            full.select_nth_unstable(full_count - 1);
        }
        let (chosen, others) = full.split_at_mut(full_count);
        chosen.sort_unstable();
        let mut ready = chosen.last().map_or(Ready::Now(0), |&(ready, _)| ready);
        let mut parts: Vec<(NodeId, u32)> = chosen.iter().map(|&(_, node)| (node, self.layout.chunk)).collect();
        if self.layout.rest > 0 {
            let rest = self.ready(self.layout.rest);
            let free = |node: &NodeId| !chosen.iter().any(|(_, other)| other == node);
            let rest: Vec<(Ready, NodeId)> = rest.into_iter().filter(|(_, node)| free(node)).collect();
            ready = ready.max(rest.iter().min()?.0);
            // Rather a node in use, so that an empty one stays whole for others.
            let whole = |node: NodeId| others.iter().any(|&(whole, other)| other == node && whole <= ready);
            let in_time = rest.into_iter().filter(|(at, _)| *at <= ready);
            let (_, _, node) = in_time.map(|(at, node)| (whole(node), at, node)).min()?;
            parts.push((node, self.layout.rest));
        }
        Some(self.foresight(ready, parts))
    }

    /// From when on each node has room for so many tasks; nodes that never have are left out.
    fn ready(&self, tasks: u32) -> Vec<(Ready, NodeId)> {
        let wanted = self.shape.request.times(tasks);
        let ready = |(index, &node): (usize, &NodeId)| {
            let state = self.engine.cluster.node(node);
            if state.room(&self.shape.request, tasks) >= tasks {
                return Some((Ready::Now(index as u32), node));
            }
            if self.room_empty(node) < tasks {
                return None;
            }
            let mut free = state.free();
            let ends = self.engine.ends.on(node);
            let enough = ends.iter().find(|leaving| {
                free = free.plus(leaving.amount);
                wanted.within(free)
            })?;
            Some((Ready::After(enough.end), node))
        };
        self.nodes.iter().enumerate().filter_map(ready).collect()
    }

    /// For how many tasks an empty node has room. Shares do not add up across devices: seven tenths fit once on each of two devices,
    /// not twice and eight tenths.
    fn room_empty(&self, node: NodeId) -> u32 {
        NodeState::empty(self.engine.cluster.spec(node), 0, 0).room(&self.shape.request, self.shape.tasks)
    }

    /// A gang whose tasks may lie anywhere: the moment when all nodes together have room for all of them.
    fn any(&self) -> Option<Foresight> {
        let request = &self.shape.request;
        let wanted = self.shape.tasks;
        // By node, in the order in which they get room: what is free, and for how many tasks that does.
        let mut rooms: Vec<(Resources, u32)> = Vec::with_capacity(self.nodes.len());
        let mut order: Vec<usize> = Vec::new();
        let mut found: u64 = 0;
        let mut next: BinaryHeap<Reverse<(End, usize, usize)>> = BinaryHeap::new();
        for (index, &node) in self.nodes.iter().enumerate() {
            let state = self.engine.cluster.node(node);
            let room = state.room(request, wanted);
            rooms.push((state.free(), room));
            found += u64::from(room);
            if room > 0 {
                order.push(index);
            }
            if let Some(first) = self.engine.ends.on(node).first() {
                next.push(Reverse((first.end, index, 0)));
            }
        }
        let mut ready = Ready::Now(0);
        while found < u64::from(wanted) {
            let Reverse((end, index, place)) = next.pop()?;
            let ends = self.engine.ends.on(self.nodes[index]);
            let (free, before) = rooms[index];
            let free = free.plus(ends[place].amount);
            let most = self.room_empty(self.nodes[index]);
            let room = before.max(request.times_within(free).min(u64::from(most)) as u32);
            rooms[index] = (free, room);
            found += u64::from(room - before);
            if before == 0 && room > 0 {
                order.push(index);
            }
            if let Some(after) = ends.get(place + 1) {
                next.push(Reverse((after.end, index, place + 1)));
            }
            ready = Ready::After(end);
        }
        let mut missing = wanted;
        let mut parts = Vec::new();
        for index in order {
            let here = missing.min(rooms[index].1);
            parts.push((self.nodes[index], here));
            missing -= here;
            if missing == 0 {
                break;
            }
        }
        Some(self.foresight(ready, parts))
    }

    /// What these nodes have beyond so many tasks each, once all whom the gang waits for have ended.
    fn foresight(&self, ready: Ready, parts: Vec<(NodeId, u32)>) -> Foresight {
        let now = self.engine.last_at;
        let at = match ready {
            Ready::Now(_) => now,
            Ready::After((end, _)) => now.max(end),
        };
        let left = |(node, tasks): (NodeId, u32)| {
            let ends = self.engine.ends.on(node).iter();
            let gone = ends.take_while(|leaving| Ready::After(leaving.end) <= ready);
            let free = gone.fold(self.engine.cluster.node(node).free(), |free, leaving| free.plus(leaving.amount));
            let asked = self.shape.request.times(tasks);
            let left = Resources {
                cpu: free.cpu.saturating_sub(asked.cpu),
                memory: free.memory.saturating_sub(asked.memory),
                devices: free.devices.saturating_sub(asked.devices),
            };
            (node, left)
        };
        Foresight { at, nodes: parts.into_iter().map(left).collect() }
    }
}
