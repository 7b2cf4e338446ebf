//! Bar 7: a large engine, one event and one decision at a time. 10,000 nodes of 8 devices, 80 % full, 100,000 gangs waiting (the
//! mix is told in `crowd`).
//!
//! Eighty percent full with a long queue comes about in two ways, and both are measured: queues at their limits, where every
//! round looks like the last; and the moment after 100,000 came at once, where one decision has to fill what is free. After
//! that the fleet is full, and rounds go on.

use std::time::{Duration, Instant};

use allocate::{Budget, Engine};
use fleet::action::ActionKind;
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, QueueId, WorkloadId};
use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use fleet::queue::Metered;
use fleet::time::Timestamp;

use super::crowd::{self, Crowd};
use super::median_s;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 7;
const PENDING: usize = 100_000;
/// So many ends and so many arrivals come before a decision.
const CHANGES: usize = 100;
const ROUNDS: usize = 50;
const FILL_PERCENT: u32 = 80;
const SEED: u64 = 7;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    for order in [Order::Trimtab, Order::Backfill, Order::Fifo] {
        let held = |target| if order == Order::Trimtab { target } else { Target::Stated };
        let name = order.name();

        let mut fleet = Fleet::new(order, Some(FILL_PERCENT));
        fleet.fill();
        fleet.crowd_in();
        let first = fleet.round();
        decided(session, &format!("{name}, queues at their limits, first decision"), vec![first], held);
        fleet.must_be_full(FILL_PERCENT - 1)?;
        let rounds = (0..ROUNDS).map(|_| fleet.round()).collect();
        decided(session, &format!("{name}, queues at their limits"), rounds, held);
        observed(session, &format!("{name}, queues at their limits"), fleet.observed, held);

        let mut fleet = Fleet::new(order, None);
        fleet.fill();
        fleet.must_be_full(FILL_PERCENT - 1)?;
        fleet.crowd_in();
        let before = fleet.running.len();
        let first = fleet.round();
        let started = fleet.running.len() + CHANGES - before;
        decided(session, &format!("{name}, {started} starts that fill the fleet"), vec![first], held);
        let rounds = (0..ROUNDS).map(|_| fleet.round()).collect();
        decided(session, &format!("{name}, full"), rounds, held);
        observed(session, &format!("{name}, full"), fleet.observed, held);
    }
    Ok(())
}

fn decided(session: &mut Session, case: &str, times: Vec<Duration>, held: impl Fn(Target) -> Target) {
    let worst = times.iter().max().expect("there was a round").as_secs_f64() * 1e3;
    let mut add = |case: String, time| session.add(Row::new(BAR, case, time, held(Target::AtMost(100.0)), "ms"));
    match times.len() {
        1 => add(format!("decide, {case}"), worst),
        rounds => {
            add(format!("decide, {case}, median of {rounds}"), median_s(times) * 1e3);
            add(format!("decide, {case}, worst of {rounds}"), worst);
        }
    }
}

fn observed(session: &mut Session, case: &str, mut times: Vec<Duration>, held: impl Fn(Target) -> Target) {
    times.sort_unstable();
    let p99 = times[(times.len() * 99).div_ceil(100) - 1].as_secs_f64() * 1e3;
    let case = format!("observe, {case}, p99 of {}", times.len());
    session.add(Row::new(BAR, case, p99, held(Target::AtMost(1.0)), "ms"));
}

/// An engine and the little that happens around it.
struct Fleet {
    engine: Engine,
    crowd: Crowd,
    now: Timestamp,
    seq: u64,
    running: Vec<(WorkloadId, ActionId)>,
    observed: Vec<Duration>,
}

impl Fleet {
    fn new(order: Order, limit_percent: Option<u32>) -> Self {
        let mut fleet = Self {
            engine: Engine::new(Policy::new(order), Metered::Devices),
            crowd: Crowd::new(SEED),
            now: Timestamp::from_seconds(1_700_000_000),
            seq: 0,
            running: Vec::new(),
            observed: Vec::new(),
        };
        for (node, spec) in crowd::nodes() {
            fleet.tell(EventKind::NodeAdded { node, spec });
        }
        for queue in crowd::queues(limit_percent) {
            fleet.tell(EventKind::QueueSet { queue });
        }
        fleet
    }

    /// Arrivals, one a second with a decision each, until so much runs; then a past to learn from: that many of them end and
    /// others take their place.
    fn fill(&mut self) {
        let enough = u64::from(crowd::DEVICES) * 1_000 * u64::from(FILL_PERCENT) / 100;
        for _ in 0..20_000 {
            if self.used_milli() >= enough {
                self.end_one();
            } else {
                self.arrive();
            }
            self.now = self.now + Millis::seconds(1);
            self.decide();
        }
        self.observed.clear();
    }

    /// What is measured is measured on a fleet that is as full as is said.
    fn must_be_full(&self, percent: u32) -> anyhow::Result<()> {
        let used = self.used_milli() / (u64::from(crowd::DEVICES) * 10);
        anyhow::ensure!(used >= u64::from(percent), "the fleet is {used} % full; expected at least {percent} %");
        Ok(())
    }

    fn used_milli(&self) -> u64 {
        (0..crowd::QUEUES).map(|queue| self.engine.used(QueueId(queue)).0).sum()
    }

    /// The crowd arrives without a decision.
    fn crowd_in(&mut self) {
        while self.engine.waiting() < PENDING {
            self.arrive();
        }
    }

    /// Ends, arrivals, a decision; the time that decision took.
    fn round(&mut self) -> Duration {
        self.now = self.now + Millis::minutes(1);
        for _ in 0..CHANGES {
            self.end_one();
        }
        for _ in 0..CHANGES {
            self.arrive();
        }
        self.decide()
    }

    fn arrive(&mut self) {
        let workload = Box::new(self.crowd.next());
        self.tell(EventKind::Submitted { workload });
    }

    /// One of those that run, drawn by chance, ends.
    fn end_one(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let at = self.crowd.below(self.running.len());
        let (workload, action) = self.running.swap_remove(at);
        let ran = self.crowd.run(workload);
        self.tell(EventKind::Ended { action, workload, ran, cause: EndCause::Completed });
    }

    fn decide(&mut self) -> Duration {
        let clock = Instant::now();
        let decision = self.engine.decide(self.now, Budget::default());
        let time = clock.elapsed();
        for action in decision.actions {
            let ActionKind::Start { workload, .. } = action.kind;
            self.running.push((workload, action.id));
            self.tell(EventKind::Started { action: action.id, workload, since: self.now });
        }
        time
    }

    fn tell(&mut self, kind: EventKind) {
        self.seq += 1;
        let event = Event { seq: self.seq, at: self.now, kind };
        let clock = Instant::now();
        self.engine.observe(&event);
        self.observed.push(clock.elapsed());
    }
}
