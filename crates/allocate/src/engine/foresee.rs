//! When and where a gang that does not fit now will fit, if running workloads end when they are expected to.

use fleet::ids::NodeId;
use fleet::node::Resources;
use fleet::time::Timestamp;
use fleet::workload::Spread;

use super::Engine;
use super::job::{Job, JobState};
use crate::cluster::Standing;
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

/// Nodes as they will be, one by one as they change.
struct Ahead<'a> {
    engine: &'a Engine,
    shape: &'a Shape,
    layout: &'a Layout,
    nodes: Vec<Option<Tally>>,
    /// Nodes with room for a chunk, in the order in which they get it.
    full: Vec<NodeId>,
    /// Nodes with room for the tasks left over, but not for a chunk when they got it.
    rest: Vec<NodeId>,
    /// `Spread::Any`: tasks that fit on all nodes together.
    tasks: u64,
}

/// What is free on a node at the moment looked at.
#[derive(Clone, Copy)]
struct Tally {
    free: Resources,
    room: u32,
}

impl Engine {
    /// Looks ahead for a gang. `None` if it cannot fit on those nodes that are up and not kept for others.
    pub(crate) fn foresee(&self, job: &Job, among: Among) -> Option<Foresight> {
        let shape = self.shapes.shape(job.shape);
        let layout = self.shapes.layout(job.shape);
        if !fits_empty(&self.cluster, shape, layout) {
            return None;
        }
        let mut ahead = Ahead {
            engine: self,
            shape,
            layout,
            nodes: vec![None; self.cluster.node_bound()],
            full: Vec::new(),
            rest: Vec::new(),
            tasks: 0,
        };
        ahead.begin(among);
        let mut at = self.last_at;
        let mut ends = self.ends.iter();
        while !ahead.fits() {
            let (end, id) = ends.next()?;
            at = at.max(end);
            let job = &self.jobs[&id];
            let JobState::Placed(place) = &job.state else { unreachable!("only who is placed has an end") };
            for slot in &place.slots {
                ahead.release(slot.node, &job.workload.request.times(slot.tasks));
            }
        }
        Some(Foresight { at, nodes: ahead.choose() })
    }
}

impl Ahead<'_> {
    fn begin(&mut self, among: Among) {
        let cluster = &self.engine.cluster;
        match among {
            Among::These(nodes) => {
                for &node in nodes.iter().filter(|&&node| cluster.node(node).standing == Standing::Up) {
                    self.begin_with(node);
                }
            }
            Among::All => {
                for &class in &self.layout.classes {
                    let class = &cluster.classes()[class as usize];
                    for node in (0..=class.units()).rev().flat_map(|units| class.with(units)) {
                        self.begin_with(node);
                    }
                }
            }
        }
    }

    fn begin_with(&mut self, node: NodeId) {
        if self.engine.guard.keeps(node) {
            return;
        }
        let state = self.engine.cluster.node(node);
        let free = Resources { cpu: state.cpu, memory: state.memory, devices: state.free_devices() };
        self.nodes[node.index()] = Some(Tally { free, room: 0 });
        self.count(node, state.room(&self.shape.request, self.shape.tasks));
    }

    fn release(&mut self, node: NodeId, amount: &Resources) {
        let Some(tally) = &mut self.nodes[node.index()] else { return };
        debug_assert_eq!(self.engine.cluster.node(node).standing, Standing::Up);
        tally.free = tally.free.plus(*amount);
        let room = self.shape.request.times_within(tally.free).min(u64::from(self.shape.tasks)) as u32;
        self.count(node, room);
    }

    /// Notes that a node has room for so many tasks now. Room only grows while looking ahead.
    fn count(&mut self, node: NodeId, room: u32) {
        let tally = self.nodes[node.index()].as_mut().expect("only nodes looked at are counted");
        let (before, after) = (tally.room, tally.room.max(room));
        tally.room = after;
        self.tasks += u64::from(after - before);
        if before < self.layout.chunk && after >= self.layout.chunk {
            self.full.push(node);
        } else if self.layout.rest > 0 && before < self.layout.rest && after >= self.layout.rest {
            self.rest.push(node);
        }
    }

    fn fits(&self) -> bool {
        match self.shape.spread {
            Spread::Any => self.tasks >= u64::from(self.shape.tasks),
            Spread::Packed | Spread::OnePerNode => {
                let (full, rest) = (self.layout.full as usize, usize::from(self.layout.rest > 0));
                self.full.len() >= full && (rest == 0 || self.full.len() > full || self.rest_beside_full(full))
            }
        }
    }

    /// Whether some node has room for the tasks left over without being one of the full ones that are needed.
    fn rest_beside_full(&self, full: usize) -> bool {
        self.rest.iter().any(|node| !self.full[..full].contains(node))
    }

    fn choose(&self) -> Vec<(NodeId, Resources)> {
        let left = |node: NodeId, tasks: u32| {
            let free = self.nodes[node.index()].as_ref().expect("a chosen node was looked at").free;
            let asked = self.shape.request.times(tasks);
            let left = Resources {
                cpu: free.cpu.saturating_sub(asked.cpu),
                memory: free.memory.saturating_sub(asked.memory),
                devices: free.devices.saturating_sub(asked.devices),
            };
            (node, left)
        };
        if self.shape.spread == Spread::Any {
            let mut missing = self.shape.tasks;
            let mut chosen = Vec::new();
            for &node in &self.full {
                let here = missing.min(self.nodes[node.index()].map_or(0, |tally| tally.room));
                chosen.push(left(node, here));
                missing -= here;
                if missing == 0 {
                    break;
                }
            }
            return chosen;
        }
        let full = self.layout.full as usize;
        let mut chosen: Vec<_> = self.full[..full].iter().map(|&node| left(node, self.layout.chunk)).collect();
        if self.layout.rest > 0 {
            let node = self.rest.iter().find(|node| !self.full[..full].contains(node));
            let node = node.or(self.full.get(full)).expect("there is room for the tasks left over");
            chosen.push(left(*node, self.layout.rest));
        }
        chosen
    }
}
