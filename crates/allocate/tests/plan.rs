//! `backfill` by a plan, as Slurm does: room is kept for all who wait, whole nodes at a time, and looks come at intervals.

use allocate::{Budget, Engine};
use fleet::action::ActionKind;
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, ModelId, NodeId, QueueId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::policy::{Order, Placement, Plan, Policy};
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::queue::{Metered, Queue};
use fleet::time::Timestamp;
use fleet::workload::{Constraint, Spread, Workload};

/// A cluster of nodes of 8 devices, each of a model, and what happens there.
struct Lab {
    engine: Engine,
    seq: u64,
    now: Timestamp,
    actions: Vec<ActionId>,
}

impl Lab {
    fn new(policy: Policy, models: &[u32]) -> Self {
        let mut lab =
            Self { engine: Engine::new(policy, Metered::Devices), seq: 0, now: Timestamp(0), actions: Vec::new() };
        for (index, &model) in models.iter().enumerate() {
            let cpu = MilliCpu::whole(64);
            let spec = Node { pools: vec![], cpu, memory: Bytes::ZERO, devices: 8, model: Some(ModelId(model)) };
            lab.tell(EventKind::NodeAdded { node: NodeId(index as u32), spec });
        }
        lab
    }

    fn tell(&mut self, kind: EventKind) {
        self.seq += 1;
        self.engine.observe(&Event { seq: self.seq, at: self.now, kind });
    }

    /// Hands in a workload of so many tasks, one on a node, each of so many devices of a model, with a limit in minutes.
    fn submit(&mut self, tasks: u32, devices: u64, model: u32, limit: i64) -> u32 {
        self.submit_to(0, tasks, devices, model, limit)
    }

    /// The same, to a queue.
    fn submit_to(&mut self, queue: u32, tasks: u32, devices: u64, model: u32, limit: i64) -> u32 {
        let id = self.actions.len() as u32;
        self.actions.push(ActionId(0));
        let workload = Workload {
            id: WorkloadId(id),
            queue: QueueId(queue),
            user: None,
            name: None,
            priority: 0,
            tasks,
            request: Resources { cpu: MilliCpu::whole(1), devices: MilliDevice::whole(devices), ..Resources::ZERO },
            spread: Spread::OnePerNode,
            constraint: Constraint { pools: vec![], models: vec![ModelId(model)] },
            time_limit: Some(Millis::minutes(limit)),
        };
        self.tell(EventKind::Submitted { workload: Box::new(workload) });
        id
    }

    fn end(&mut self, id: u32) {
        let action = self.actions[id as usize];
        let kind =
            EventKind::Ended { action, workload: WorkloadId(id), ran: Millis::seconds(1), cause: EndCause::Completed };
        self.tell(kind);
    }

    /// Decides at a moment in seconds: who starts, and where.
    fn decide(&mut self, at_s: i64) -> Vec<(u32, Vec<u32>)> {
        self.now = Timestamp::from_seconds(at_s);
        let decision = self.engine.decide(self.now, Budget::default());
        let mut started = Vec::new();
        for action in decision.actions {
            let ActionKind::Start { workload, slots } = action.kind;
            self.actions[workload.0 as usize] = action.id;
            self.tell(EventKind::Started { action: action.id, workload, since: self.now });
            started.push((workload.0, slots.iter().map(|slot| slot.node.0).collect()));
        }
        started
    }
}

fn easy() -> Policy {
    Policy::new(Order::Backfill)
}

fn planned() -> Policy {
    let plan = Plan { resolution: Millis::seconds(1), ..Plan::default() };
    Policy { backfill_plan: Some(plan), placement: Placement::Neighbours, ..easy() }
}

#[test]
fn room_is_kept_for_the_second_in_line_too() {
    for (policy, starts) in [(easy(), vec![(4, vec![2])]), (planned(), vec![(5, vec![2])])] {
        let mut lab = Lab::new(policy, &[0, 0, 1]);
        lab.submit(2, 8, 0, 60);
        lab.submit(1, 4, 1, 30);
        assert_eq!(lab.decide(0).len(), 2);
        lab.submit(2, 8, 0, 60);
        // All of the third node, from when the second workload ends at its limit.
        lab.submit(1, 8, 1, 60);
        lab.submit(1, 4, 1, 100);
        lab.submit(1, 4, 1, 20);
        assert_eq!(lab.decide(1), starts);
    }
}

#[test]
fn whole_nodes_are_kept_until_the_limit() {
    let mut lab = Lab::new(planned(), &[0, 0]);
    let first = lab.submit(2, 8, 0, 30);
    lab.decide(0);
    // It will have one device of one node at 30; the node is kept whole, until 90.
    lab.submit(1, 1, 0, 60);
    lab.submit(2, 4, 0, 10);
    lab.submit(1, 8, 0, 55);
    assert_eq!(lab.decide(1), []);
    lab.end(first);
    assert_eq!(lab.decide(2), [(1, vec![0]), (2, vec![0, 1])], "those that fit now");
    assert_eq!(lab.decide(3), []);
}

#[test]
fn looks_past_the_head_come_between_seconds_and_at_intervals() {
    let policy = Policy { backfill_interval: Millis::seconds(30), ..planned() };
    let mut lab = Lab::new(policy, &[0]);
    lab.submit(1, 4, 0, 30);
    assert_eq!(lab.decide(0).len(), 1, "in order, at once");
    lab.submit(1, 8, 0, 30);
    lab.submit(1, 4, 0, 30);
    lab.now = Timestamp::from_seconds(1);
    let decision = lab.engine.decide(lab.now, Budget::default());
    assert_eq!((decision.actions.len(), decision.wake_at), (0, Some(Timestamp(1_500))));
    lab.now = Timestamp(1_500);
    let decision = lab.engine.decide(lab.now, Budget::default());
    assert_eq!(decision.actions.len(), 0, "it would end at its limit a second and a half after the first");
    assert_eq!(decision.wake_at, None, "nothing happened since");
    lab.submit(1, 4, 0, 29);
    let decision = lab.engine.decide(lab.now, Budget::default());
    assert_eq!((decision.actions.len(), decision.wake_at), (0, Some(Timestamp(31_500))));
    lab.now = Timestamp(31_500);
    assert_eq!(lab.engine.decide(lab.now, Budget::default()).actions.len(), 1);
}

#[test]
fn whoever_starts_may_let_others_start_in_the_same_decision() {
    let mut lab = Lab::new(planned(), &[0]);
    let limited = Queue { limit_running: Some(1), ..Queue::unlimited(QueueId(1)) };
    lab.tell(EventKind::QueueSet { queue: limited });
    lab.submit(1, 2, 0, 60);
    lab.decide(0);
    // All of the node from 60 on, unless its queue runs something else by then.
    lab.submit_to(1, 1, 8, 0, 60);
    lab.submit_to(1, 1, 2, 0, 30);
    lab.submit(1, 2, 0, 300);
    let started: Vec<u32> = lab.decide(1).into_iter().map(|(id, _)| id).collect();
    assert_eq!(started, [2, 3], "the second reached the limit, so no room is kept for the first");
}

#[test]
fn depth_and_window_bound_the_plan() {
    let plan = |depth, window| Plan { depth, resolution: Millis::seconds(1), window: Millis::minutes(window) };
    // The first in line keeps its node from 30 on; the one behind it fits beside only if that is not planned.
    for (plan, started) in [(plan(500, 60), 0), (plan(500, 20), 1), (plan(1, 60), 0)] {
        let mut lab = Lab::new(Policy { backfill_plan: Some(plan), ..planned() }, &[0]);
        lab.submit(1, 4, 0, 30);
        lab.decide(0);
        lab.submit(1, 8, 0, 30);
        lab.submit(1, 4, 0, 60);
        assert_eq!(lab.decide(1).len(), started, "{plan:?}");
    }
}

#[test]
fn neighbours_are_taken_as_slurm_takes_them() {
    let mut lab = Lab::new(planned(), &[0, 0, 0, 1, 0, 0]);
    // Of runs that do, the one with the fewest free cores: nodes 4 and 5, not 0 to 2.
    lab.submit(2, 8, 0, 10);
    assert_eq!(lab.decide(0), [(0, vec![4, 5])]);
    // Of a run, where the fewest cores are free; at first the lowest node.
    lab.submit(1, 1, 0, 10);
    lab.submit(1, 1, 0, 10);
    assert_eq!(lab.decide(1), [(1, vec![0]), (2, vec![0])]);
    // No run is long enough for four: the one with the most free cores first.
    lab.end(0);
    lab.submit(4, 2, 0, 10);
    assert_eq!(lab.decide(2), [(3, vec![0, 1, 2, 4])]);
}
