//! The bound on overtaking that `policy/trimtab.rs` states, checked from outside: on an overloaded fleet nobody starts before one
//! that asks the same in the same queue and became eligible more than the bound earlier.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use allocate::{ALLOWANCE_MAX, Budget, Engine};
use fleet::action::ActionKind;
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, NodeId, QueueId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::policy::{Order, Policy};
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::queue::{Metered, Queue};
use fleet::time::Timestamp;
use fleet::workload::{Constraint, Spread, Workload};

const NODES: u32 = 6;
const WORKLOADS: u32 = 900;
const QUEUES: u32 = 2;

/// Xorshift (Marsaglia, "Xorshift RNGs", 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

struct Fleet {
    engine: Engine,
    seq: u64,
}

impl Fleet {
    fn tell(&mut self, at: Timestamp, kind: EventKind) {
        self.seq += 1;
        self.engine.observe(&Event { seq: self.seq, at, kind });
    }
}

fn fleet() -> Fleet {
    let mut fleet = Fleet { engine: Engine::new(Policy::new(Order::Trimtab), Metered::Devices), seq: 0 };
    let spec = Node { pools: vec![], cpu: MilliCpu::ZERO, memory: Bytes::ZERO, devices: 8, model: None };
    for node in 0..NODES {
        fleet.tell(Timestamp(0), EventKind::NodeAdded { node: NodeId(node), spec: spec.clone() });
    }
    for queue in 0..QUEUES {
        let quota = Some(MilliDevice::whole(u64::from(NODES * 8 / QUEUES)));
        let queue = Queue { quota, ..Queue::unlimited(QueueId(queue)) };
        fleet.tell(Timestamp(0), EventKind::QueueSet { queue });
    }
    fleet
}

fn workload(id: u32, random: &mut Random) -> Workload {
    Workload {
        id: WorkloadId(id),
        queue: QueueId(random.below(u64::from(QUEUES)) as u32),
        user: None,
        name: Some(fleet::ids::NameId(random.below(3) as u32)),
        priority: 0,
        tasks: [1, 1, 1, 2, 4, 8, 8, 16, 24][random.below(9) as usize],
        request: Resources::devices(1),
        spread: Spread::Packed,
        constraint: Constraint::default(),
        time_limit: None,
    }
}

/// Replays one seed; gives how often one passed another that asks the same.
fn check(seed: u64) -> usize {
    let mut random = Random(seed);
    let mut fleet = fleet();
    let mut arrivals: Vec<(Timestamp, Workload)> =
        (0..WORKLOADS).map(|id| (Timestamp(random.below(10 * 86_400_000) as i64), workload(id, &mut random))).collect();
    arrivals.sort_by_key(|(at, workload)| (Reverse(*at), workload.id));
    let mut waiting: BTreeMap<WorkloadId, (Timestamp, QueueId, u32)> = BTreeMap::new();
    let mut ends: BinaryHeap<Reverse<(Timestamp, WorkloadId, ActionId, Millis)>> = BinaryHeap::new();
    let mut names: BTreeMap<WorkloadId, u32> = BTreeMap::new();
    let mut passed = 0;
    let mut started = 0;
    loop {
        let arrival = arrivals.last().map(|(at, _)| *at);
        let end = ends.peek().map(|Reverse((at, ..))| *at);
        let Some(now) = arrival.into_iter().chain(end).min() else { break };
        while let Some(&Reverse((_, workload, action, ran))) = ends.peek().filter(|Reverse((at, ..))| *at <= now) {
            ends.pop();
            fleet.tell(now, EventKind::Ended { action, workload, ran, cause: EndCause::Unknown });
        }
        while let Some((_, workload)) = arrivals.pop_if(|(at, _)| *at <= now) {
            waiting.insert(workload.id, (now, workload.queue, workload.tasks));
            names.insert(workload.id, workload.name.map_or(0, |name| name.0));
            fleet.tell(now, EventKind::Submitted { workload: Box::new(workload) });
        }
        for action in fleet.engine.decide(now, Budget::default()).actions {
            let ActionKind::Start { workload, .. } = action.kind;
            let (eligible, queue, tasks) = waiting.remove(&workload).expect("only who waits is started");
            for (other, &(earlier, ..)) in waiting.iter().filter(|(_, other)| (other.1, other.2) == (queue, tasks)) {
                let by = eligible.since(earlier);
                assert!(by <= ALLOWANCE_MAX, "seed {seed}: {workload:?} passed {other:?}, eligible {by:?} before it");
                passed += usize::from(by.0 > 0);
            }
            // Names tell run times: minutes, hours, most of a day.
            let longest = [600_000, 14_400_000, 72_000_000][names[&workload] as usize];
            let ran = Millis(1_000 + random.below(longest) as i64);
            ends.push(Reverse((now + ran, workload, action.id, ran)));
            started += 1;
            fleet.tell(now, EventKind::Started { action: action.id, workload, since: now });
        }
    }
    assert_eq!(started, WORKLOADS, "seed {seed}: everyone starts in the end");
    passed
}

#[test]
fn nobody_is_passed_beyond_the_bound() {
    let passed: usize = (1..=40).map(|seed| check(seed * 0x9E37_79B9)).sum();
    assert!(passed > 100, "the order must let short work pass, or this proves nothing: {passed}");
}
