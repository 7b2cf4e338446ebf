//! Random histories: a few nodes that come and go, queues with rules, and work of every kind a history can hold.

use fleet::event::EndCause;
use fleet::history::{
    Attempt, Header, NodeChange, NodeEvent, NodeRecord, PolicyRecord, QueueRecord, Record, WorkloadRecord,
};
use fleet::node::Resources;
use fleet::policy::{Order, Placement, Policy};
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::time::Timestamp;
use fleet::workload::Spread;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use replay::scenario::{Change, Scenario};

/// A history, and what goes wrong while it is lived again.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    pub(crate) nodes: Vec<NodeRecord>,
    pub(crate) queues: Vec<QueueRecord>,
    pub(crate) policy: Policy,
    pub(crate) node_events: Vec<NodeEvent>,
    pub(crate) workloads: Vec<WorkloadRecord>,
    pub(crate) faults: (i64, u32),
    pub(crate) seed: u64,
}

impl Drawn {
    pub(crate) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let policy = PolicyRecord { at: None, policy: self.policy.clone(), completing: None };
        let nodes = self.nodes.iter().cloned().map(Record::Node);
        let queues = self.queues.iter().cloned().map(Record::Queue);
        let events = self.node_events.iter().cloned().map(Record::NodeEvent);
        let workloads = self.workloads.iter().cloned().map(|workload| Record::Workload(Box::new(workload)));
        nodes.chain(queues).chain([Record::Policy(policy)]).chain(events).chain(workloads)
    }

    pub(crate) fn header() -> Header {
        Header { source: "trimtab".into(), ..Header::default() }
    }

    pub(crate) fn scenario(&self) -> Scenario {
        let (delay_max_ms, start_fails_permille) = self.faults;
        Scenario::of(Change::Faults { delay_max_ms: Millis(delay_max_ms), start_fails_permille })
    }
}

pub(crate) fn history() -> impl Strategy<Value = Drawn> {
    let policy = (select(&Order::ALL[..]), any::<bool>(), select(vec![0_i64, 0, 30]));
    let faults = (select(vec![0_i64, 0, 5_000, 600_000]), select(vec![0_u32, 0, 100, 500]));
    (
        vec(node(), 1..5),
        vec(queue(), 1..4),
        policy,
        vec(node_event(), 0..6),
        vec(workload(), 1..40),
        faults,
        0..1_000_u64,
    )
        .prop_map(|(nodes, queues, (order, best_fit, interval), node_events, workloads, faults, seed)| {
            let placement = if best_fit { Placement::BestFit } else { Placement::LeastStranded };
            let policy = Policy { placement, backfill_interval: Millis::seconds(interval), ..Policy::new(order) };
            named(Drawn { nodes, queues, policy, node_events, workloads, faults, seed })
        })
}

/// Gives names by place: what is drawn names others by a number, which shrinking may leave without anyone behind it.
fn named(mut drawn: Drawn) -> Drawn {
    for (index, node) in drawn.nodes.iter_mut().enumerate() {
        node.name = format!("n{index}");
    }
    for (index, queue) in drawn.queues.iter_mut().enumerate() {
        queue.name = format!("q{index}");
    }
    let (nodes, queues) = (drawn.nodes.len(), drawn.queues.len());
    let among = |drawn: &str, count: usize| drawn.parse::<usize>().expect("drawn as a number") % count;
    for event in &mut drawn.node_events {
        event.node = format!("n{}", among(&event.node, nodes));
    }
    for (index, workload) in drawn.workloads.iter_mut().enumerate() {
        workload.id = format!("w{index}");
        workload.queue = format!("q{}", among(&workload.queue, queues));
        let on = workload.depends_on.iter().filter(|_| index > 0).map(|on| format!("w{}", among(on, index.max(1))));
        workload.depends_on = on.collect();
    }
    drawn
}

fn node() -> impl Strategy<Value = NodeRecord> {
    let host = prop::option::of((select(vec![4_000_u64, 16_000]), select(vec![16_u64, 64])));
    (select(vec![0_u32, 1, 2, 4, 8]), host, vec(select(vec!["day", "night"]), 0..2)).prop_map(
        |(devices, host, pools)| NodeRecord {
            devices,
            cpu_milli: host.map(|(cpu, _)| cpu),
            memory_bytes: host.map(|(_, memory)| memory << 30),
            pools: pools.into_iter().map(str::to_owned).collect(),
            ..NodeRecord::default()
        },
    )
}

fn queue() -> impl Strategy<Value = QueueRecord> {
    let amount = || prop::option::weighted(0.3, (0..12_u64).prop_map(MilliDevice::whole));
    let running = || prop::option::weighted(0.15, 1..5_u32);
    (amount(), amount(), amount(), running(), running(), 0..2_i32).prop_map(
        |(quota_milli, limit_milli, limit_per_user_milli, limit_running, limit_running_per_user, priority)| {
            QueueRecord {
                quota_milli,
                limit_milli,
                limit_per_user_milli,
                limit_running,
                limit_running_per_user,
                priority,
                ..QueueRecord::default()
            }
        },
    )
}

fn node_event() -> impl Strategy<Value = NodeEvent> {
    let change = select(vec![NodeChange::Lost, NodeChange::Drained, NodeChange::Returned, NodeChange::Returned]);
    (0..20_000_i64, 0..8_u8, change).prop_map(|(at, node, change)| NodeEvent {
        at: Timestamp::from_seconds(at),
        node: node.to_string(),
        change,
        reason: None,
    })
}

prop_compose! {
    fn workload()(
        submit in 0..10_000_i64,
        held in select(vec![0_i64, 0, 0, 500]),
        queue in 0..8_u8,
        user in prop::option::of(0..3_u8),
        tasks in select(vec![1_u32, 1, 1, 2, 3, 5]),
        devices in select(vec![0_u64, 300, 500, 1_000, 1_000, 2_000, 4_000]),
        cpu in select(vec![0_u64, 500, 4_000]),
        memory in select(vec![0_u64, 8]),
        spread in select(vec![Spread::Packed, Spread::Any, Spread::OnePerNode]),
        pools in vec(select(vec!["day", "night"]), 0..2),
        limit in prop::option::of(select(vec![60_i64, 3_000, 9_000])),
        runs in vec((select(vec![0_i64, 1, 60, 900, 8_000]), 0..100_i64, select(EndCause::ALL.to_vec())), 0..4),
        withdrawn in 0..3_000_i64,
        depends_on in vec(0..40_u8, 0..2),
        often_depends in 0..4_u8,
        checkpoint in prop::option::of(1..600_i64),
        priority in 0..2_i32,
        around in select(vec![(None, None), (None, None), (Some(1_500), None), (Some(40), Some(700)), (None, Some(0))]),
    ) -> WorkloadRecord {
        let attempts: Vec<Attempt> = runs
            .iter()
            .map(|&(length, more, cause)| Attempt {
                start: None,
                run: Some(Millis(length * 1_000 + more)),
                cause,
                nodes: Vec::new(),
                starting: around.0.map(Millis),
                completing: around.1.map(Millis),
            })
            .collect();
        WorkloadRecord {
            queue: queue.to_string(),
            user: user.map(|user| format!("u{user}")),
            priority,
            submit: Timestamp::from_seconds(submit),
            eligible: Some(Timestamp::from_seconds(submit + held)),
            tasks,
            request: Resources { cpu: MilliCpu(cpu), memory: Bytes::gibi(memory), devices: MilliDevice(devices) },
            spread,
            pools: pools.into_iter().map(str::to_owned).collect(),
            time_limit_ms: limit.map(Millis::seconds),
            // Whoever never ran was withdrawn.
            withdrawn: attempts.is_empty().then(|| Timestamp::from_seconds(submit + held + withdrawn)),
            attempts,
            depends_on: depends_on.iter().filter(|_| often_depends == 0).map(u8::to_string).collect(),
            checkpoint_every_ms: checkpoint.map(Millis::seconds),
            ..WorkloadRecord::default()
        }
    }
}
