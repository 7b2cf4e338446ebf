//! What is free, where: nodes grouped into classes of like nodes, indexed by how much each has left.
//!
//! Never decides anything. Every change goes through [`Cluster::take`] and [`Cluster::give`], which are each other's inverse, so
//! a trial is undone by giving back what it took.

mod bits;
mod ends;
mod node_state;
mod profile;

use bits::Bits;
use fleet::action::Slot;
use fleet::ids::NodeId;
use fleet::node::{Node, Resources};
use fleet::quantity::MilliDevice;

pub(crate) use ends::{End, Ends};
pub(crate) use node_state::{NodeState, Standing, share_of};
pub(crate) use profile::{NodeSet, Profile};

/// Nodes of one specification.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) spec: Node,
    members: Vec<NodeId>,
    /// `open[u]`: members that may be given work and have `u` units free.
    open: Vec<Bits>,
    /// Members that may be given work and have a device used in part.
    sharing: Bits,
}

/// All nodes and what is free on them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cluster {
    nodes: Vec<Option<NodeState>>,
    classes: Vec<Class>,
    /// Of nodes that are up.
    capacity: Resources,
    /// Rises whenever a class is added.
    shape_version: u32,
}

/// A class is indexed by free devices, or where it has none by free cores, at most so many.
const UNITS_MAX: u64 = 256;

impl Cluster {
    pub(crate) fn add(&mut self, id: NodeId, spec: Node) {
        let class = self.classes.iter().position(|class| class.spec == spec).unwrap_or_else(|| {
            let units = units_of(&spec);
            let open = vec![Bits::default(); units as usize + 1];
            self.classes.push(Class { spec: spec.clone(), members: Vec::new(), open, sharing: Bits::default() });
            self.shape_version += 1;
            self.classes.len() - 1
        });
        let members = &mut self.classes[class].members;
        let state = NodeState::empty(&spec, class as u32, members.len() as u32);
        members.push(id);
        let count = members.len();
        for set in &mut self.classes[class].open {
            set.grow(count);
        }
        self.classes[class].sharing.grow(count);
        if self.nodes.len() <= id.index() {
            self.nodes.resize(id.index() + 1, None);
        }
        assert!(self.nodes[id.index()].is_none(), "a node is added once");
        self.nodes[id.index()] = Some(state);
        self.capacity = self.capacity.plus(spec.capacity());
        self.enter(id);
    }

    /// Changes whether a node may be given work.
    pub(crate) fn stand(&mut self, id: NodeId, standing: Standing) {
        if self.node(id).standing == standing {
            return;
        }
        if self.node(id).standing == Standing::Up {
            self.leave(id);
            self.capacity = minus(self.capacity, self.spec(id).capacity());
        }
        self.node_mut(id).standing = standing;
        if standing == Standing::Up {
            self.capacity = self.capacity.plus(self.spec(id).capacity());
            self.enter(id);
        }
    }

    /// Takes room for `tasks` tasks on a node; there must be room.
    pub(crate) fn take(&mut self, id: NodeId, request: &Resources, tasks: u32) -> Slot {
        self.leave_if_up(id);
        let state = self.nodes[id.index()].as_mut().expect("a placement names a known node");
        state.cpu -= request.cpu.times(tasks);
        state.memory -= request.memory.times(tasks);
        let devices = match share_of(request) {
            Some(share) => {
                assert_eq!(tasks, 1, "shares are placed one by one, so that a slot names one device");
                1 << state.take_share(share)
            }
            None => state.take_whole(tasks * (request.devices.0 / MilliDevice::WHOLE) as u32),
        };
        self.enter_if_up(id);
        Slot { node: id, tasks, devices }
    }

    /// Takes exactly what a slot names, if the node is not lost and all of it is free.
    pub(crate) fn take_exactly(&mut self, request: &Resources, slot: &Slot) -> bool {
        if !self.knows(slot.node) || self.node(slot.node).standing == Standing::Lost {
            return false;
        }
        self.leave_if_up(slot.node);
        let state = self.nodes[slot.node.index()].as_mut().expect("a known node is there");
        let taken = state.take_exactly(request, slot);
        self.enter_if_up(slot.node);
        taken
    }

    /// Gives back what a slot took.
    pub(crate) fn give(&mut self, request: &Resources, slot: &Slot) {
        self.leave_if_up(slot.node);
        let state = self.nodes[slot.node.index()].as_mut().expect("a placement names a known node");
        state.cpu += request.cpu.times(slot.tasks);
        state.memory += request.memory.times(slot.tasks);
        match share_of(request) {
            Some(share) => state.give_share(slot.devices.trailing_zeros() as u8, share),
            None => state.give_whole(slot.devices),
        }
        let spec = &self.classes[state.class as usize].spec;
        assert!(state.cpu <= spec.cpu && state.memory <= spec.memory, "no more is given back than was taken");
        self.enter_if_up(slot.node);
    }

    pub(crate) fn knows(&self, id: NodeId) -> bool {
        self.nodes.get(id.index()).is_some_and(Option::is_some)
    }

    pub(crate) fn node(&self, id: NodeId) -> &NodeState {
        self.nodes[id.index()].as_ref().expect("a placement names a known node")
    }

    pub(crate) fn spec(&self, id: NodeId) -> &Node {
        &self.classes[self.node(id).class as usize].spec
    }

    pub(crate) fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// What is free on all nodes of these classes that may be given work.
    pub(crate) fn free_on(&self, classes: &[u32]) -> Resources {
        let usable = self.nodes.iter().flatten().filter(|node| node.standing == Standing::Up);
        let eligible = usable.filter(|node| classes.contains(&node.class));
        eligible.fold(Resources::ZERO, |sum, node| sum.plus(node.free()))
    }

    /// Node ids are below this.
    pub(crate) fn node_bound(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn capacity(&self) -> Resources {
        self.capacity
    }

    pub(crate) fn shape_version(&self) -> u32 {
        self.shape_version
    }

    fn node_mut(&mut self, id: NodeId) -> &mut NodeState {
        self.nodes[id.index()].as_mut().expect("a placement names a known node")
    }

    fn leave_if_up(&mut self, id: NodeId) {
        if self.node(id).standing == Standing::Up {
            self.leave(id);
        }
    }

    fn enter_if_up(&mut self, id: NodeId) {
        if self.node(id).standing == Standing::Up {
            self.enter(id);
        }
    }

    fn enter(&mut self, id: NodeId) {
        let (class, units, member, sharing) = self.place_in_index(id);
        let class = &mut self.classes[class];
        class.open[units].insert(member);
        if sharing {
            class.sharing.insert(member);
        }
    }

    fn leave(&mut self, id: NodeId) {
        let (class, units, member, sharing) = self.place_in_index(id);
        let class = &mut self.classes[class];
        class.open[units].remove(member);
        if sharing {
            class.sharing.remove(member);
        }
    }

    fn place_in_index(&self, id: NodeId) -> (usize, usize, u32, bool) {
        let state = self.node(id);
        let class = state.class as usize;
        let units = self.classes[class].units_free(state);
        (class, units as usize, state.member, !state.shared.is_empty())
    }
}

impl Class {
    /// How many units a request takes of a node of this class, at least.
    pub(crate) fn units_asked(&self, request: &Resources, tasks: u32) -> usize {
        let units = if self.spec.devices > 0 {
            if share_of(request).is_some() { 0 } else { request.devices.times(tasks).0 / MilliDevice::WHOLE }
        } else {
            request.cpu.times(tasks).0 / 1_000
        };
        units.min(UNITS_MAX) as usize
    }

    /// The most units a node of this class can have free.
    pub(crate) fn units(&self) -> usize {
        self.open.len() - 1
    }

    /// How many nodes have exactly so many units free.
    pub(crate) fn count_with(&self, units: usize) -> u32 {
        self.open[units].len()
    }

    /// How many nodes may be given work.
    pub(crate) fn up(&self) -> u32 {
        self.open.iter().map(Bits::len).sum()
    }

    /// The nodes with exactly so many units free, in order of their place in the class.
    pub(crate) fn with(&self, units: usize) -> impl Iterator<Item = NodeId> + '_ {
        self.open[units].iter().map(|member| self.members[member as usize])
    }

    /// The nodes with a device used in part.
    pub(crate) fn sharing(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.sharing.iter().map(|member| self.members[member as usize])
    }

    fn units_free(&self, state: &NodeState) -> u64 {
        if self.spec.devices > 0 { u64::from(state.whole.count_ones()) } else { (state.cpu.0 / 1_000).min(UNITS_MAX) }
    }
}

fn units_of(spec: &Node) -> u64 {
    if spec.devices > 0 { u64::from(spec.devices) } else { (spec.cpu.0 / 1_000).min(UNITS_MAX) }
}

fn minus(left: Resources, right: Resources) -> Resources {
    Resources { cpu: left.cpu - right.cpu, memory: left.memory - right.memory, devices: left.devices - right.devices }
}
