//! A copy to look ahead with: it learns nothing, the engine it was taken from does not change, and both go on learning apart.

use allocate::{Budget, Engine};
use fleet::action::ActionKind;
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{NodeId, QueueId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::policy::{Order, Policy};
use fleet::quantity::{Bytes, MilliCpu, Millis};
use fleet::queue::Metered;
use fleet::time::Timestamp;
use fleet::workload::{Constraint, Spread, Workload};

fn tell(engine: &mut Engine, at_s: i64, kind: EventKind) {
    engine.observe(&Event { seq: engine.last_seq() + 1, at: Timestamp::from_seconds(at_s), kind });
}

fn submit(engine: &mut Engine, at_s: i64, id: u32) {
    let workload = Workload {
        id: WorkloadId(id),
        queue: QueueId(0),
        user: None,
        name: None,
        priority: 0,
        tasks: 1,
        request: Resources::devices(1),
        spread: Spread::Packed,
        constraint: Constraint::default(),
        time_limit: None,
    };
    tell(engine, at_s, EventKind::Submitted { workload: Box::new(workload) });
}

/// One after another run alone, each for so long, from `at_s` on.
fn run(engine: &mut Engine, at_s: i64, ids: std::ops::Range<u32>, run_s: i64) {
    for (index, id) in ids.enumerate() {
        let from = at_s + index as i64 * run_s;
        submit(engine, from, id);
        let decision = engine.decide(Timestamp::from_seconds(from), Budget::default());
        let [action] = &decision.actions[..] else { panic!("{id} starts, and nobody else: {decision:?}") };
        let ActionKind::Start { workload, .. } = action.kind;
        let since = Timestamp::from_seconds(from);
        tell(engine, from, EventKind::Started { action: action.id, workload, since });
        let ended =
            EventKind::Ended { action: action.id, workload, ran: Millis::seconds(run_s), cause: EndCause::Completed };
        tell(engine, from + run_s, ended);
    }
}

/// The median of what is expected of one handed in then, in seconds.
fn expects(engine: &Engine, at_s: i64) -> u64 {
    let mut copy = engine.clone();
    submit(&mut copy, at_s, 999_999);
    copy.expected(WorkloadId(999_999)).expect("it waits").quantile(500) / 1_000
}

#[test]
fn a_copy_to_look_ahead_with_learns_nothing() {
    let mut engine = Engine::new(Policy::new(Order::Trimtab), Metered::Devices);
    let spec = Node { pools: vec![], cpu: MilliCpu::ZERO, memory: Bytes::ZERO, devices: 1, model: None };
    tell(&mut engine, 0, EventKind::NodeAdded { node: NodeId(0), spec });
    run(&mut engine, 0, 0..50, 60);
    let later = 1_000_000;
    let before = expects(&engine, later);
    assert!((50..75).contains(&before), "a minute is expected, not {before} s");

    let mut ahead = engine.ahead();
    run(&mut ahead, 10_000, 100..150, 7_200);
    assert_eq!(expects(&ahead, later), before, "the copy learnt from what may never happen");
    assert_eq!(expects(&engine, later), before, "the engine learnt from its copy");

    run(&mut engine, 10_000, 200..250, 7_200);
    assert!(expects(&engine, later) > 3_600, "the engine learns on");
    assert_eq!(expects(&ahead, later), before, "the copy learnt from the engine");
}

#[test]
fn who_runs_and_who_is_before_whom_is_told() {
    let mut engine = Engine::new(Policy::new(Order::Fifo), Metered::Devices);
    let spec = Node { pools: vec![], cpu: MilliCpu::ZERO, memory: Bytes::ZERO, devices: 1, model: None };
    tell(&mut engine, 0, EventKind::NodeAdded { node: NodeId(0), spec });
    for id in 0..4 {
        submit(&mut engine, i64::from(id), id);
    }
    engine.decide(Timestamp::from_seconds(10), Budget::default());
    let runs: Vec<(WorkloadId, Timestamp)> = engine.runs().map(|run| (run.workload, run.since)).collect();
    assert_eq!(runs, [(WorkloadId(0), Timestamp::from_seconds(10))]);
    let before: Vec<Option<usize>> = (0..5).map(|id| engine.before(WorkloadId(id))).collect();
    assert_eq!(before, [None, Some(0), Some(1), Some(2), None]);
    assert_eq!(engine.group(WorkloadId(0)), engine.group(WorkloadId(3)));
}
