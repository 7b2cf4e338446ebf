//! Random clusters: a few kinds of nodes, what is asked of them, and the rules of queues.

use fleet::ids::{ModelId, NameId, PoolId, QueueId, UserId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::queue::{Metered, Queue};
use fleet::workload::{Constraint, Spread, Workload};

use crate::random::Random;

/// The kinds of nodes of one cluster, and what its users like to ask for.
#[derive(Clone, Debug)]
pub(crate) struct Kinds {
    nodes: Vec<Node>,
    requests: Vec<Resources>,
    /// What is asked for again and again: only those who ask the same can pass each other against the bound.
    usual: Vec<Ask>,
    limits: Vec<Option<Millis>>,
    constrained_permille: u64,
}

/// What decides whether and where a gang fits.
#[derive(Clone, Debug)]
struct Ask {
    request: Resources,
    tasks: u32,
    spread: Spread,
    constraint: Constraint,
}

impl Kinds {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let devices_at_all = random.chance(850);
        let host_counts = random.chance(750);
        let count = random.between(1, 4);
        let nodes = (0..count).map(|_| node(devices_at_all, host_counts, random)).collect();
        let shares = random.chance(400);
        let count = random.between(2, 8);
        let requests = (0..count).map(|_| request(devices_at_all, host_counts, shares, random)).collect();
        let limits = (0..4)
            .map(|_| random.chance(700).then(|| Millis::seconds(random.pick(&[60, 600, 3_600, 86_400]))))
            .collect();
        let constrained_permille = random.pick(&[0, 100, 400]);
        let mut kinds = Self { nodes, requests, usual: Vec::new(), limits, constrained_permille };
        kinds.usual = (0..random.between(1, 6)).map(|_| kinds.ask(random)).collect();
        kinds
    }

    fn ask(&self, random: &mut Random) -> Ask {
        let tasks = match random.below(100) {
            0..55 => 1,
            55..90 => random.between(2, 8),
            _ => random.between(9, 60),
        };
        let constrained = |random: &mut Random| random.chance(self.constrained_permille);
        let pools = if constrained(random) { vec![PoolId(random.below(3) as u32)] } else { Vec::new() };
        let models = if constrained(random) { vec![ModelId(random.below(3) as u32)] } else { Vec::new() };
        Ask {
            request: random.pick(&self.requests),
            tasks: tasks as u32,
            spread: random.pick(&[Spread::Packed, Spread::Packed, Spread::Any, Spread::OnePerNode]),
            constraint: Constraint { pools, models },
        }
    }

    pub(crate) fn any_devices(&self) -> bool {
        self.nodes.iter().any(|node| node.devices > 0)
    }

    pub(crate) fn node(&self, random: &mut Random) -> Node {
        random.pick(&self.nodes)
    }

    pub(crate) fn workload(&self, id: WorkloadId, queue: QueueId, random: &mut Random) -> Workload {
        let ask = if random.chance(600) { random.pick(&self.usual) } else { self.ask(random) };
        Workload {
            id,
            queue,
            user: random.chance(900).then(|| UserId(random.below(4) as u32)),
            name: random.chance(500).then(|| NameId(random.below(5) as u32)),
            priority: if random.chance(200) { random.below(3) as i32 } else { 0 },
            tasks: ask.tasks,
            request: ask.request,
            spread: ask.spread,
            constraint: ask.constraint,
            time_limit: random.pick(&self.limits),
        }
    }

    pub(crate) fn queue(&self, id: QueueId, metered: Metered, nodes: u32, random: &mut Random) -> Queue {
        let each = self.nodes.iter().map(|node| match metered {
            Metered::Devices => u64::from(node.devices),
            Metered::Cores => node.cpu.0 / 1_000,
        });
        let all = each.max().unwrap_or(0).max(1) * u64::from(nodes);
        let mut some = |permille| random.chance(permille).then(|| MilliDevice(random.below(all * 1_000 + 1)));
        let (quota, limit, limit_per_user) = (some(600), some(250), some(200));
        Queue {
            id,
            quota,
            limit,
            limit_per_user,
            limit_running: random.chance(150).then(|| random.below(12) as u32),
            limit_running_per_user: random.chance(150).then(|| random.below(5) as u32),
            priority: if random.chance(250) { random.below(3) as i32 } else { 0 },
        }
    }
}

fn node(devices_at_all: bool, host_counts: bool, random: &mut Random) -> Node {
    let devices = if devices_at_all && random.chance(800) { random.pick(&[1, 2, 4, 8, 8, 16, 64]) } else { 0 };
    let pools = (0..3).filter(|_| random.chance(500)).map(PoolId).collect();
    let (cpu, memory) = if host_counts {
        let cpu = MilliCpu(random.pick(&[4_000, 15_500, 64_000, 300_000]));
        (cpu, Bytes::gibi(random.pick(&[16, 64, 512])))
    } else if devices == 0 {
        (MilliCpu::whole(8), Bytes::gibi(64))
    } else {
        (MilliCpu::ZERO, Bytes::ZERO)
    };
    let model = (devices > 0 && random.chance(800)).then(|| ModelId(random.below(3) as u32));
    Node { pools, cpu, memory, devices, model }
}

fn request(devices_at_all: bool, host_counts: bool, shares: bool, random: &mut Random) -> Resources {
    let devices = if !devices_at_all || random.chance(150) {
        MilliDevice::ZERO
    } else if shares && random.chance(600) {
        MilliDevice(random.pick(&[1, 100, 250, 300, 400, 500, 700, 999]))
    } else {
        MilliDevice::whole(random.pick(&[1, 1, 2, 3, 4, 8]))
    };
    if !host_counts && devices != MilliDevice::ZERO {
        return Resources { devices, ..Resources::ZERO };
    }
    let cpu = MilliCpu(random.pick(&[0, 500, 1_000, 2_500, 4_000, 16_000]));
    let memory = Bytes::gibi(random.pick(&[0, 1, 4, 24]));
    Resources { cpu, memory, devices }
}
