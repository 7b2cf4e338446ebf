//! How often one asks changes no decision, and neither does how late one is told of a start.

use allocate::{Budget, Engine};
use fleet::action::{Action, ActionKind};
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, NodeId, QueueId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::policy::{Order, Policy};
use fleet::quantity::{Bytes, MilliCpu, Millis};
use fleet::queue::Metered;
use fleet::time::Timestamp;
use fleet::workload::{Constraint, Spread, Workload};

/// An engine with a node of eight devices, and what it has running.
struct Fleet {
    engine: Engine,
    seq: u64,
    /// When who ends, and how long it ran.
    ends: Vec<(i64, ActionId, WorkloadId, i64)>,
    /// How long after a start the engine is told of it.
    told_after_s: i64,
    /// When it is told of which.
    starts: Vec<(i64, ActionId, WorkloadId, Timestamp)>,
}

impl Fleet {
    fn new(order: Order, told_after_s: i64) -> Self {
        let engine = Engine::new(Policy::new(order), Metered::Devices);
        let mut fleet = Self { engine, seq: 0, ends: Vec::new(), told_after_s, starts: Vec::new() };
        let (cpu, memory) = (MilliCpu(8_000), Bytes::gibi(64));
        let spec = Node { pools: Vec::new(), cpu, memory, devices: 8, model: None };
        fleet.tell(0, EventKind::NodeAdded { node: NodeId(0), spec });
        fleet
    }

    fn tell(&mut self, at_s: i64, kind: EventKind) {
        self.seq += 1;
        self.engine.observe(&Event { seq: self.seq, at: Timestamp::from_seconds(at_s), kind });
    }

    fn ask(&mut self, at_s: i64) -> Vec<Action> {
        self.engine.decide(Timestamp::from_seconds(at_s), Budget::default()).actions
    }

    /// A second passes: who is over ends, one comes every third, those that are started run for a while.
    fn second(&mut self, at_s: i64) -> Vec<Action> {
        for (_, action, workload, since) in self.starts.extract_if(.., |(told, ..)| *told == at_s).collect::<Vec<_>>() {
            self.tell(at_s, EventKind::Started { action, workload, since });
        }
        let over: Vec<_> = self.ends.extract_if(.., |(end, ..)| *end == at_s).collect();
        for (_, action, workload, ran_s) in &over {
            let ran = Millis::seconds(*ran_s);
            self.tell(at_s, EventKind::Ended { action: *action, workload: *workload, ran, cause: EndCause::Completed });
        }
        let comes = at_s % 3 == 0;
        if comes {
            self.tell(at_s, EventKind::Submitted { workload: Box::new(workload(at_s as u32 / 3)) });
        }
        if over.is_empty() && !comes {
            return Vec::new();
        }
        let actions = self.ask(at_s);
        for action in &actions {
            let ActionKind::Start { workload, .. } = action.kind;
            let runs_s = 5 + i64::from(workload.0 * 7 % 40);
            self.ends.push((at_s + runs_s, action.id, workload, runs_s));
            let now = Timestamp::from_seconds(at_s);
            if self.told_after_s == 0 {
                self.tell(at_s, EventKind::Started { action: action.id, workload, since: now });
            } else {
                self.starts.push((at_s + self.told_after_s, action.id, workload, now + Millis(300)));
            }
        }
        actions
    }
}

fn workload(id: u32) -> Workload {
    Workload {
        id: WorkloadId(id),
        queue: QueueId(id % 3),
        user: None,
        name: None,
        priority: 0,
        tasks: 1,
        request: Resources::devices(1 + u64::from(id * 5 % 8)),
        spread: Spread::Packed,
        constraint: Constraint::default(),
        time_limit: None,
    }
}

#[test]
fn nothing_comes_of_asking_when_nothing_happened() {
    for order in [Order::Fifo, Order::Trimtab] {
        let (mut rarely, mut often) = (Fleet::new(order, 0), Fleet::new(order, 0));
        let mut starts = 0;
        for at_s in 1..2_000 {
            let expected = rarely.second(at_s);
            assert_eq!(often.second(at_s), expected, "{order:?} at {at_s}");
            assert_eq!(often.ask(at_s), [], "{order:?} at {at_s}");
            starts += expected.len();
        }
        assert!(starts > 100, "{starts}");
        assert!(rarely.engine.waiting() > 10, "many wait: room is kept, and expected ends pass");
    }
}

#[test]
fn how_late_one_is_told_of_a_start_changes_nothing() {
    for order in [Order::Fifo, Order::Trimtab, Order::Backfill] {
        // At once; after others have ended and come; after most are over.
        let (mut at_once, mut late, mut hardly) = (Fleet::new(order, 0), Fleet::new(order, 4), Fleet::new(order, 40));
        let mut starts = 0;
        for at_s in 1..2_000 {
            let expected = at_once.second(at_s);
            assert_eq!(late.second(at_s), expected, "{order:?} at {at_s}");
            assert_eq!(hardly.second(at_s), expected, "{order:?} at {at_s}");
            starts += expected.len();
        }
        assert!(starts > 100, "{starts}");
    }
}
