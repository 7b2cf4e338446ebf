//! What every node has, gives and has left, while time passes.

use fleet::history::NodeChange;
use fleet::ids::NodeId;
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice};
use replay::history::History;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Accelerators.
    Devices,
    /// Cores.
    Cores,
}

impl Resource {
    /// The unit in which it is told.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Devices => "device-hours",
            Self::Cores => "core-hours",
        }
    }

    /// How much of it an amount holds, in thousandths.
    #[must_use]
    pub fn of(self, amount: Resources) -> u64 {
        match self {
            Self::Devices => amount.devices.0,
            Self::Cores => amount.cpu.0,
        }
    }
}

/// Whether a node can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Absent,
    Up,
    Drained,
    Lost,
}

/// What is had and held of one resource at a moment, in thousandths. Always
/// `capacity + beyond = lost + drained + idle + held`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Level {
    /// What all nodes have that are part of the fleet.
    pub(super) capacity: i64,
    /// On nodes that are lost.
    pub(super) lost: i64,
    /// Not held, on nodes that take nothing new.
    pub(super) drained: i64,
    /// Not held, on nodes that could take something.
    pub(super) idle: i64,
    /// Held according to the source, but by nothing that the nodes have.
    pub(super) beyond: i64,
}

/// Every node.
pub(super) struct Nodes {
    resources: Vec<Resource>,
    presence: Vec<Presence>,
    capacity: Vec<Resources>,
    used: Vec<Resources>,
    /// Totals of what lies on known nodes, by resource.
    totals: Vec<Level>,
    /// Held without a known node, by resource.
    unplaced: Vec<i64>,
    /// Runs without a known node that go on.
    pub(super) unplaced_runs: u32,
}

impl Nodes {
    /// All nodes absent and empty.
    pub(super) fn new(history: &History, resources: &[Resource]) -> Self {
        let capacity: Vec<Resources> =
            history.specs.iter().map(|spec| spec.as_ref().map_or(Resources::ZERO, |node| node.capacity())).collect();
        Self {
            resources: resources.to_vec(),
            presence: vec![Presence::Absent; capacity.len()],
            used: vec![Resources::ZERO; capacity.len()],
            capacity,
            totals: vec![Level::default(); resources.len()],
            unplaced: vec![0; resources.len()],
            unplaced_runs: 0,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.capacity.len()
    }

    /// A node becomes part of the fleet.
    pub(super) fn appear(&mut self, node: usize) {
        self.change(node, |presence, _| *presence = Presence::Up);
    }

    /// Something becomes of a node. What is not yet part of the fleet stays outside.
    pub(super) fn apply(&mut self, node: NodeId, change: NodeChange) {
        self.change(node.index(), |presence, _| {
            if *presence != Presence::Absent {
                *presence = match change {
                    NodeChange::Lost => Presence::Lost,
                    NodeChange::Drained => Presence::Drained,
                    NodeChange::Returned => Presence::Up,
                };
            }
        });
    }

    /// A run begins to hold so much on a node.
    pub(super) fn take(&mut self, node: NodeId, amount: Resources) {
        self.change(node.index(), |_, used| *used = used.plus(amount));
    }

    /// A run gives back what it held on a node.
    pub(super) fn give(&mut self, node: NodeId, amount: Resources) {
        self.change(node.index(), |_, used| {
            *used = Resources {
                cpu: used.cpu - amount.cpu,
                memory: used.memory - amount.memory,
                devices: used.devices - amount.devices,
            };
        });
    }

    /// A run begins to hold so much, nobody knows where.
    pub(super) fn take_somewhere(&mut self, amount: Resources) {
        self.unplaced_runs += 1;
        for (held, resource) in self.unplaced.iter_mut().zip(&self.resources) {
            *held += resource.of(amount) as i64;
        }
    }

    /// A run gives back what it held somewhere.
    pub(super) fn give_somewhere(&mut self, amount: Resources) {
        self.unplaced_runs -= 1;
        for (held, resource) in self.unplaced.iter_mut().zip(&self.resources) {
            *held -= resource.of(amount) as i64;
        }
    }

    /// How things stand. What lies nobody knows where is taken from what is idle, then from drained nodes.
    pub(super) fn level(&self, resource: usize) -> Level {
        let Level { capacity, lost, drained, idle, beyond } = self.totals[resource];
        let unplaced = self.unplaced[resource];
        let from_idle = unplaced.min(idle);
        let from_drained = (unplaced - from_idle).min(drained);
        Level {
            capacity,
            lost,
            drained: drained - from_drained,
            idle: idle - from_idle,
            beyond: beyond + unplaced - from_idle - from_drained,
        }
    }

    /// What a node that takes work has left; `None` for others.
    pub(super) fn free(&self, node: usize) -> Option<Resources> {
        let (has, used) = (self.capacity[node], self.used[node]);
        (self.presence[node] == Presence::Up).then(|| Resources {
            cpu: MilliCpu(has.cpu.0.saturating_sub(used.cpu.0)),
            memory: Bytes(has.memory.0.saturating_sub(used.memory.0)),
            devices: MilliDevice(has.devices.0.saturating_sub(used.devices.0)),
        })
    }

    /// All that a node has.
    pub(super) fn whole(&self, node: usize) -> Resources {
        self.capacity[node]
    }

    fn change(&mut self, node: usize, change: impl FnOnce(&mut Presence, &mut Resources)) {
        let before: [Level; 2] = std::array::from_fn(|resource| self.part(node, resource));
        change(&mut self.presence[node], &mut self.used[node]);
        for (resource, before) in before.into_iter().enumerate().take(self.resources.len()) {
            let after = self.part(node, resource);
            let total = &mut self.totals[resource];
            total.capacity += after.capacity - before.capacity;
            total.lost += after.lost - before.lost;
            total.drained += after.drained - before.drained;
            total.idle += after.idle - before.idle;
            total.beyond += after.beyond - before.beyond;
        }
    }

    /// What one node adds to the level.
    fn part(&self, node: usize, resource: usize) -> Level {
        let Some(resource) = self.resources.get(resource) else { return Level::default() };
        let has = resource.of(self.capacity[node]) as i64;
        let used = resource.of(self.used[node]) as i64;
        let (left, over) = ((has - used).max(0), (used - has).max(0));
        match self.presence[node] {
            Presence::Absent => Level { beyond: used, ..Level::default() },
            Presence::Lost => Level { capacity: has, lost: has, beyond: used, ..Level::default() },
            Presence::Drained => Level { capacity: has, drained: left, beyond: over, ..Level::default() },
            Presence::Up => Level { capacity: has, idle: left, beyond: over, ..Level::default() },
        }
    }
}
