//! Living a history again: the engine on one side, the world on the other, and a clock that jumps to whatever comes next.

use allocate::{Budget, Engine};
use fleet::action::{ActionKind, Decision};
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{NodeId, QueueId, WorkloadId};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use crate::outcome::Outcome;
use crate::setup::Setup;
use crate::world::{Answer, Change, Coming, Withdrawn, World};
use fleet::queue::Queue;

/// Told of every event the engine hears and every decision it makes, in order; for progress, traces and tests.
pub trait Observer {
    /// The engine is about to hear this.
    fn event(&mut self, _engine: &Engine, _event: &Event) {}
    /// A run of this workload began; all its waiting so far, that before earlier runs included.
    fn began(&mut self, _workload: WorkloadId, _waited: Millis) {}
    /// The engine decided this.
    fn decision(&mut self, _engine: &Engine, _now: Timestamp, _decision: &Decision) {}
    /// Whether to go on; asked after every decision.
    fn go_on(&mut self) -> bool {
        true
    }
}

/// Watches nothing.
impl Observer for () {}

/// Lives the history again.
#[must_use]
pub fn run(setup: &Setup, seed: u64) -> Outcome {
    run_observed(setup, seed, &mut ())
}

/// Lives the history again, watched. A watcher that stops it gets what has come of it so far.
pub fn run_observed(setup: &Setup, seed: u64, observer: &mut dyn Observer) -> Outcome {
    let mut replay = Replay {
        engine: Engine::new(setup.policy.clone(), setup.metered),
        world: World::new(setup, seed),
        setup,
        seq: 0,
        now: setup.history.from,
        observer,
    };
    replay.furnish();
    replay.live();
    replay.world.outcome
}

/// A start that failed at once is tried again after this.
const RETRY_AFTER: Millis = Millis::seconds(10);

struct Replay<'a> {
    engine: Engine,
    world: World<'a>,
    setup: &'a Setup<'a>,
    seq: u64,
    now: Timestamp,
    observer: &'a mut dyn Observer,
}

impl Replay<'_> {
    /// Tells the engine of nodes and queues.
    fn furnish(&mut self) {
        let first = self.world.next_at().unwrap_or(self.now);
        self.now = self.now.min(first);
        for (index, spec) in self.setup.specs.iter().enumerate() {
            if let Some(spec) = spec {
                self.tell(EventKind::NodeAdded { node: NodeId(index as u32), spec: spec.clone() });
            }
        }
        for (index, queue) in self.setup.queues.iter().enumerate() {
            self.tell(EventKind::QueueSet { queue: Queue::of(QueueId(index as u32), queue) });
        }
    }

    fn live(&mut self) {
        let mut wake_at: Option<Timestamp> = None;
        let mut idle_wakes = 0;
        loop {
            let next = match (self.world.next_at(), wake_at) {
                (Some(coming), Some(wake)) => coming.min(wake),
                (Some(coming), None) => coming,
                // Nothing is coming any more: a policy that works at intervals gets two more looks at those who wait.
                (None, Some(wake)) if idle_wakes < 2 => {
                    idle_wakes += 1;
                    wake
                }
                (None, _) => break,
            };
            self.now = self.now.max(next);
            while let Some(coming) = self.world.next(self.now) {
                self.happen(coming);
            }
            let decision = self.engine.decide(self.now, Budget::default());
            self.observer.decision(&self.engine, self.now, &decision);
            self.world.outcome.decisions += 1;
            wake_at = decision.wake_at;
            if !decision.actions.is_empty() {
                idle_wakes = 0;
            }
            if self.carry_out(decision) {
                let again = self.now + RETRY_AFTER;
                wake_at = Some(wake_at.map_or(again, |at| at.min(again)));
            }
            if !self.observer.go_on() {
                return;
            }
        }
        self.world.outcome.impossible = self.engine.waiting() as u64;
    }

    fn happen(&mut self, coming: Coming) {
        match coming {
            Coming::End(workload, run) => {
                if let Some((action, ran, cause)) = self.world.ended(workload, run, self.now) {
                    self.tell(EventKind::Ended { action, workload, ran, cause });
                }
            }
            Coming::Start(workload, action) => {
                if self.world.starting(workload, action) {
                    self.begin(workload);
                    self.tell(EventKind::Started { action, workload, since: self.now });
                }
            }
            Coming::Fail(workload, action) => {
                if self.world.starting(workload, action) {
                    self.world.failed(workload);
                    self.tell(EventKind::StartFailed { action, workload });
                }
            }
            Coming::Node(node, change) => self.node(node, change),
            Coming::Withdraw(workload) => match self.world.withdrawn(workload, self.now) {
                Withdrawn::Waiting => self.tell(EventKind::Withdrawn { workload }),
                Withdrawn::Running(action, ran) => {
                    self.tell(EventKind::Ended { action, workload, ran, cause: EndCause::Cancelled });
                }
            },
            Coming::Arrive(id) => {
                if self.world.arrived(id, self.now) {
                    let workload = self.asked(id);
                    self.tell(EventKind::Submitted { workload: Box::new(workload) });
                }
            }
        }
    }

    fn node(&mut self, node: NodeId, change: Change) {
        if self.setup.specs[node.index()].is_none() {
            return;
        }
        match change {
            Change::Lost => {
                for (workload, run) in self.world.over_on(node, self.now) {
                    self.happen(Coming::End(workload, run));
                }
                self.world.lose(node, self.now);
                self.tell(EventKind::NodeLost { node });
            }
            Change::Drained => self.tell(EventKind::NodeDrained { node }),
            Change::Returned => self.tell(EventKind::NodeReturned { node }),
        }
    }

    /// Carries out a decision; tells whether a start failed at once, so that it has to be tried again though nothing is coming.
    fn carry_out(&mut self, decision: Decision) -> bool {
        let mut failed = false;
        for action in decision.actions {
            let ActionKind::Start { workload, slots } = action.kind;
            match self.world.start(workload, action.id, slots, self.now) {
                Answer::Started => {
                    self.begin(workload);
                    self.tell(EventKind::Started { action: action.id, workload, since: self.now });
                }
                Answer::Failed => {
                    failed = true;
                    self.world.failed(workload);
                    self.tell(EventKind::StartFailed { action: action.id, workload });
                }
                Answer::Later => {}
            }
        }
        failed
    }

    fn begin(&mut self, workload: WorkloadId) {
        self.world.began(workload, self.now);
        self.observer.began(workload, self.world.waited(workload, self.now));
    }

    /// A workload as the engine hears of it in this scenario.
    fn asked(&self, id: WorkloadId) -> Workload {
        let recorded = &self.setup.history.workloads[id.index()].workload;
        Workload {
            queue: self.setup.queue_of(id.index()),
            time_limit: self.setup.limit(id.index()),
            priority: self.setup.priority(id.index()),
            ..recorded.clone()
        }
    }

    fn tell(&mut self, kind: EventKind) {
        self.seq += 1;
        let event = Event { seq: self.seq, at: self.now, kind };
        self.observer.event(&self.engine, &event);
        self.engine.observe(&event);
    }
}
