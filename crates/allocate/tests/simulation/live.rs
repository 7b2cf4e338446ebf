//! Living a case: the production engine on one side, the adversary on the other, the books in between.

use std::panic::{AssertUnwindSafe, catch_unwind};

use allocate::{Budget, Engine, Observed};
use fleet::action::{Action, Decision};
use fleet::event::{Event, EventKind};
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::adversary::{Adversary, OtherFuture};
use crate::check::{self, Decided, Depth, Violation, ensure};
use crate::ledger::{Ledger, Standing};
use crate::random::Random;
use crate::script::{Case, Restart, Step, Stray};

/// What came of a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lived {
    pub(crate) events: u64,
    pub(crate) decisions: u64,
    pub(crate) starts: u64,
    pub(crate) restarts: u64,
    /// Every decision that did something, and when.
    pub(crate) trace: Vec<(Timestamp, Vec<Action>)>,
}

/// What a case is lived with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) other_future: Option<OtherFuture>,
    pub(crate) crash: Option<Crash>,
}

/// When the engine is lost and rebuilt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crash {
    /// Once, after so many events.
    At(u64, Restart),
    /// Again and again.
    AfterEvery(Restart),
}

/// Lives a case. A panic of the engine is a violation like any other.
pub(crate) fn live(case: &Case, options: Options) -> Result<Lived, Violation> {
    let lived = catch_unwind(AssertUnwindSafe(|| Life::new(case, options).live(case)));
    lived.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Violation { check: "the engine does not panic", seen: text.unwrap_or_default() })
    })
}

/// A copy of the engine, which this takes, costs more than a decision.
const LOOK_AGAIN_EVERY: u64 = 6;

/// After the last step, so many moments at most until all is quiet.
const MOMENTS_MAX: usize = 100_000;

struct Life {
    engine: Engine,
    /// Others that must do the same.
    twins: Vec<Twin>,
    ledger: Ledger,
    adversary: Adversary,
    log: Vec<Entry>,
    /// So much of the log the engine has read as adoptions, not as decisions of its own.
    adopted: usize,
    now: Timestamp,
    wake_at: Option<Timestamp>,
    seq: u64,
    /// Of the last event: actions have numbers too, but their events are heard only by who adopts them.
    heard_seq: u64,
    seed: u64,
    lived: Lived,
    policy: Policy,
    crash: Option<Crash>,
}

struct Twin {
    engine: Engine,
    hears: Hears,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hears {
    All,
    WhatCounts,
}

/// What a control plane would have written down before any action left.
#[derive(Clone)]
enum Entry {
    Event(Event),
    Decided { now: Timestamp, budget: Budget, first_seq: u64, actions: Vec<Action> },
}

impl Life {
    fn new(case: &Case, options: Options) -> Self {
        Self {
            engine: Engine::new(case.policy.clone(), case.metered),
            twins: Vec::new(),
            ledger: Ledger::new(case.policy.clone(), case.metered),
            adversary: Adversary::new(case.seed, options.other_future),
            log: Vec::new(),
            adopted: 0,
            now: Timestamp::from_seconds(1_600_000_000),
            wake_at: None,
            seq: 0,
            heard_seq: 0,
            seed: case.seed,
            lived: Lived::default(),
            policy: case.policy.clone(),
            crash: options.crash,
        }
    }

    fn live(mut self, case: &Case) -> Result<Lived, Violation> {
        for step in &case.steps {
            self.step(step)?;
        }
        self.finish()?;
        Ok(self.lived)
    }

    fn step(&mut self, step: &Step) -> Result<(), Violation> {
        match step {
            Step::Add(node, spec) => self.hear(EventKind::NodeAdded { node: *node, spec: spec.clone() }),
            Step::Lose(node) => self.hear(EventKind::NodeLost { node: *node }),
            Step::Drain(node) => self.hear(EventKind::NodeDrained { node: *node }),
            Step::Return(node) => self.hear(EventKind::NodeReturned { node: *node }),
            Step::Queue(queue) => self.hear(EventKind::QueueSet { queue: queue.clone() }),
            Step::Policy(policy) => self.hear(EventKind::PolicySet { policy: policy.clone() }),
            Step::Submit(workload) => self.hear(EventKind::Submitted { workload: workload.clone() }),
            Step::Withdraw(workload) => self.hear(EventKind::Withdrawn { workload: *workload }),
            Step::Evict(workload, lag) => {
                if let Some(action) = self.ledger.action_of(*workload) {
                    self.adversary.tell(self.now + *lag, 0, EventKind::Evicted { action, workload: *workload });
                }
                Ok(())
            }
            Step::Pass(length) => self.pass(*length),
            Step::Decide(starts) => self.decide(Budget { starts: *starts }),
            Step::Stray(stray) => self.stray(*stray),
            Step::Restart(kind) => self.restart(*kind),
        }
    }

    fn pass(&mut self, length: Millis) -> Result<(), Violation> {
        let until = self.now + length;
        let mut looks = 0;
        while let Some((at, news)) = self.next_moment(looks).filter(|&(at, _)| at <= until) {
            looks = if news { 0 } else { looks + 1 };
            self.moment(at)?;
        }
        self.now = until;
        Ok(())
    }

    /// When something comes next, and whether it is news. A policy that works at intervals gets two looks between news: more
    /// would mostly see what the second saw, and whoever is late with them does what an outside may do.
    fn next_moment(&self, looks: usize) -> Option<(Timestamp, bool)> {
        let look = self.wake_at.filter(|_| looks < 2);
        let news = self.adversary.next_at();
        let at = news.into_iter().chain(look).min()?;
        Some((at, news == Some(at)))
    }

    fn moment(&mut self, at: Timestamp) -> Result<(), Violation> {
        self.now = self.now.max(at);
        while let Some(news) = self.adversary.next(self.now) {
            self.hear(news)?;
        }
        self.decide(Budget::default())
    }

    fn hear(&mut self, kind: EventKind) -> Result<(), Violation> {
        self.seq += 1;
        let event = Event { seq: self.seq, at: self.now, kind };
        self.hear_event(event)
    }

    fn hear_event(&mut self, event: Event) -> Result<(), Violation> {
        self.lived.events += 1;
        self.heard_seq = event.seq;
        let counts = self.ledger.hear(&event);
        let observed = self.engine.observe(&event);
        ensure((observed == Observed::Applied) == counts, "only what counts changes anything", || {
            format!("{event:?} gave {observed:?}; by the books it {}", if counts { "counts" } else { "does not count" })
        })?;
        for twin in &mut self.twins {
            if counts || twin.hears == Hears::All {
                twin.engine.observe(&event);
            }
        }
        self.log.push(Entry::Event(event));
        self.crash()
    }

    fn crash(&mut self) -> Result<(), Violation> {
        match self.crash {
            Some(Crash::At(at, kind)) if self.lived.events == at + 1 => self.restart(kind),
            Some(Crash::AfterEvery(kind)) => self.restart(kind),
            _ => Ok(()),
        }
    }

    fn decide(&mut self, budget: Budget) -> Result<(), Violation> {
        let decision = self.engine.decide(self.now, budget);
        self.lived.decisions += 1;
        self.lived.starts += decision.actions.len() as u64;
        for twin in &mut self.twins {
            let same = twin.engine.decide(self.now, budget);
            ensure(same == decision, "the same events give the same actions", || {
                format!("at {}: {decision:?} here, {same:?} there", self.now)
            })?;
        }
        self.wake_at = decision.wake_at.filter(|&at| at > self.now || budget.starts > 0);
        let complete = decision.actions.len() < budget.starts;
        let kept = self.engine.kept();
        let decided = Decided { decision: &decision, now: self.now, complete, kept: &kept };
        let depth = self.depth();
        check::decision(&mut self.ledger, decided, depth)?;
        self.agree()?;
        self.write_down(budget, &decision);
        for action in &decision.actions {
            let workload = &self.ledger.gangs[&check::parts(action).0].workload;
            self.adversary.start(action.id, workload, self.now);
        }
        if complete && self.now_and_then(LOOK_AGAIN_EVERY) {
            self.looks_again_in_vain(&decision, budget)?;
        }
        if !decision.actions.is_empty() {
            self.lived.trace.push((self.now, decision.actions));
        }
        Ok(())
    }

    /// Nothing has happened since a complete decision, so there is nothing more to do; under fifo not even after an event that may
    /// let anyone start and changes nothing. (Where room is kept, such an event renews what is foreseen, and who may use it.)
    fn looks_again_in_vain(&self, decision: &Decision, budget: Budget) -> Result<(), Violation> {
        let policy = &self.ledger.policy;
        if policy.order == Order::Backfill && policy.backfill_plan.is_some() {
            // It looks at so many at a time: a second look reaches those behind.
            return Ok(());
        }
        let mut engine = self.engine.clone();
        let up = self.ledger.nodes.iter().find(|(_, book)| book.standing == Standing::Up);
        if let Some((&node, _)) = up.filter(|_| self.ledger.policy.order == Order::Fifo) {
            engine.observe(&Event { seq: self.seq + 1, at: self.now, kind: EventKind::NodeReturned { node } });
        }
        let again = engine.decide(self.now, budget);
        ensure(again.actions.is_empty(), "a decision is complete", || format!("{again:?} after {decision:?}"))
    }

    fn now_and_then(&self, every: u64) -> bool {
        Random::of(&[self.seed, self.lived.decisions]).below(every) == 0
    }

    /// Order is looked at always on small clusters, now and then on large ones.
    fn depth(&self) -> Depth {
        let cost = self.ledger.nodes.len() as u64 * self.ledger.gangs.len() as u64;
        if self.now_and_then(cost / 5_000 + 1) { Depth::AndOrder } else { Depth::Resources }
    }

    /// The engine's own counts are no evidence, but they must agree with the books.
    fn agree(&self) -> Result<(), Violation> {
        let (waiting, placed) = (self.ledger.waiting().count(), self.ledger.placed());
        ensure(
            self.engine.waiting() == waiting && self.engine.placed() == placed,
            "no workload is lost or doubled",
            || {
                let (w, p) = (self.engine.waiting(), self.engine.placed());
                format!("the engine has {w} waiting and {p} placed, the books {waiting} and {placed}")
            },
        )?;
        for (&(queue, user), used) in self.ledger.use_of.iter().filter(|((_, user), _)| user.is_none()) {
            let counted = self.engine.used(queue).0;
            ensure(counted == used.amount, "use of queues is counted right", || {
                format!("{queue:?} {user:?}: {counted} in the engine, {} in the books", used.amount)
            })?;
        }
        Ok(())
    }

    fn write_down(&mut self, budget: Budget, decision: &Decision) {
        let (now, first_seq, actions) = (self.now, self.seq + 1, decision.actions.clone());
        // Every action has a number in the log too, so that it can be adopted from there.
        self.seq += actions.len() as u64;
        self.log.push(Entry::Decided { now, budget, first_seq, actions });
    }

    fn stray(&mut self, stray: Stray) -> Result<(), Violation> {
        let none = ActionId(u64::MAX);
        match stray {
            Stray::UnknownAction(workload) => {
                self.hear(EventKind::Started { action: none, workload, since: Timestamp::MIN })?;
                self.hear(EventKind::StartFailed { action: none, workload })?;
                self.hear(EventKind::Evicted { action: none, workload })
            }
            Stray::SeenNumber(workload) => {
                let kind = EventKind::Withdrawn { workload };
                self.hear_event(Event { seq: self.heard_seq, at: self.now, kind })
            }
            Stray::SubmittedAgain(workload) => match self.ledger.gangs.get(&workload) {
                Some(gang) => self.hear(EventKind::Submitted { workload: Box::new((*gang.workload).clone()) }),
                None => Ok(()),
            },
            Stray::UnknownNode => {
                self.hear(EventKind::NodeLost { node: NodeId(1_000_000) })?;
                self.hear(EventKind::NodeReturned { node: NodeId(1_000_000) })
            }
        }
    }

    fn restart(&mut self, kind: Restart) -> Result<(), Violation> {
        self.lived.restarts += 1;
        match kind {
            Restart::Copy => self.twins.push(Twin { engine: self.engine.clone(), hears: Hears::All }),
            Restart::Filtered => self.twins.push(Twin { engine: self.engine.clone(), hears: Hears::WhatCounts }),
            Restart::Log => {
                let rebuilt = self.rebuilt()?;
                let before = std::mem::replace(&mut self.engine, rebuilt);
                self.twins.push(Twin { engine: before, hears: Hears::All });
            }
            Restart::Adopted => {
                self.adopted = self.log.len();
                self.engine = self.rebuilt()?;
                // What it expects of those it adopted it had to learn anew, so from here on it may decide otherwise.
                self.twins.clear();
            }
        }
        if self.twins.len() > 2 {
            self.twins.remove(0);
        }
        self.agree()
    }

    /// The engine as the log tells of it.
    fn rebuilt(&self) -> Result<Engine, Violation> {
        let mut engine = Engine::new(self.policy.clone(), self.ledger.metered);
        for (index, entry) in self.log.iter().enumerate() {
            match entry {
                Entry::Event(event) => {
                    engine.observe(event);
                }
                Entry::Decided { now, budget, .. } if index >= self.adopted => {
                    engine.decide(*now, *budget);
                }
                Entry::Decided { now, first_seq, actions, .. } => {
                    adopt(&mut engine, *now, *first_seq, actions)?;
                }
            }
        }
        Ok(engine)
    }

    /// No more arrivals; every node comes back, limits are lifted, all that runs ends: everything possible starts.
    fn finish(&mut self) -> Result<(), Violation> {
        let nodes: Vec<NodeId> = self.ledger.nodes.keys().copied().collect();
        for node in nodes {
            self.hear(EventKind::NodeReturned { node })?;
        }
        self.decide(Budget::default())?;
        let mut looks = 0;
        for _ in 0..MOMENTS_MAX {
            let Some((at, news)) = self.next_moment(looks) else { break };
            looks = if news { 0 } else { looks + 1 };
            self.moment(at)?;
        }
        let left: Vec<WorkloadId> = self
            .ledger
            .waiting()
            .filter(|gang| self.ledger.fits_empty(gang.form))
            .map(|gang| &gang.workload)
            .filter(|workload| check::within_limits(&self.ledger, &self.ledger.use_of, workload))
            .map(|workload| workload.id)
            .collect();
        ensure(left.is_empty() && self.ledger.placed() == 0, "everything possible starts and ends", || {
            format!("{left:?} wait, {} are placed, after all is quiet", self.ledger.placed())
        })
    }
}

/// Tells an engine of what was decided before it began.
fn adopt(engine: &mut Engine, now: Timestamp, first_seq: u64, actions: &[Action]) -> Result<(), Violation> {
    for (seq, action) in (first_seq..).zip(actions) {
        let (workload, slots) = check::parts(action);
        let kind = EventKind::Adopted { action: action.id, workload, slots: slots.to_vec(), since: now };
        let event = Event { seq, at: now, kind };
        let observed = engine.observe(&event);
        ensure(observed == Observed::Applied, "what was placed can be adopted", || {
            format!("{event:?} gave {observed:?}")
        })?;
    }
    Ok(())
}
