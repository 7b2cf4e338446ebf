//! What would start when, if this is what comes: a copy of the production engine lives the time ahead, with ends and arrivals that
//! an [`Outlook`] supposes.
//!
//! It never changes the engine it is given, never learns from what is supposed, and knows no more than its outlook tells. Start at
//! [`look_ahead`]; [`Drawn`] is the outlook that draws from what an engine has learnt.

mod drawn;

pub use drawn::{Drawn, Past};

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use allocate::predict::Distribution;
use allocate::{Budget, Engine};
use fleet::action::ActionKind;
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, WorkloadId};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

/// A start in the time ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Who.
    pub workload: WorkloadId,
    /// Its group, as [`Engine::group`] tells it.
    pub group: u32,
    /// When.
    pub at: Timestamp,
}

/// What is supposed of the time ahead.
pub trait Outlook {
    /// How much longer a workload runs that has run for `age` and of which this was expected.
    fn remaining(&mut self, workload: WorkloadId, expected: &Distribution, age: Millis) -> Millis;
    /// Who comes next, and when: in order of time, from now on. Ids must be of nobody whom the engine knows.
    fn arrival(&mut self) -> Option<(Timestamp, Workload)>;
    /// Hears of a start; breaks off when it has heard enough.
    fn started(&mut self, start: Start) -> ControlFlow<()>;
}

/// Lives the time from `now` to `until` ahead of an engine: what it has placed runs until the outlook says that it ends, starts are
/// carried out at once and never fail, nodes and rules stay as they are.
pub fn look_ahead(engine: &Engine, now: Timestamp, until: Timestamp, outlook: &mut dyn Outlook) {
    let mut ahead = Ahead {
        seq: engine.last_seq(),
        engine: engine.ahead(),
        now,
        ends: BinaryHeap::new(),
        arrival: outlook.arrival(),
        outlook,
    };
    for run in engine.runs() {
        // Some may not have begun yet; to those that have this is no news.
        ahead.tell(EventKind::Started { action: run.action, workload: run.workload, since: run.since });
        ahead.runs(run.workload, run.action, run.since);
    }
    let _ = ahead.live(until);
}

/// An end that is supposed: when, whose, of which start, and how long it ran.
type End = Reverse<(Timestamp, WorkloadId, ActionId, Millis)>;

struct Ahead<'a> {
    engine: Engine,
    seq: u64,
    now: Timestamp,
    ends: BinaryHeap<End>,
    arrival: Option<(Timestamp, Workload)>,
    outlook: &'a mut dyn Outlook,
}

impl Ahead<'_> {
    fn live(&mut self, until: Timestamp) -> ControlFlow<()> {
        loop {
            let wake_at = self.decide()?;
            let end = self.ends.peek().map(|Reverse((at, ..))| *at);
            let arrival = self.arrival.as_ref().map(|(at, _)| *at);
            let Some(next) = end.into_iter().chain(arrival).chain(wake_at).min().filter(|next| *next <= until) else {
                return ControlFlow::Continue(());
            };
            self.now = self.now.max(next);
            self.happen();
        }
    }

    /// Tells the engine of all that happens now: ends before arrivals.
    fn happen(&mut self) {
        while let Some(&Reverse((at, workload, action, ran))) = self.ends.peek()
            && at <= self.now
        {
            self.ends.pop();
            self.tell(EventKind::Ended { action, workload, ran, cause: EndCause::Completed });
        }
        while let Some((_, workload)) = self.arrival.take_if(|(at, _)| *at <= self.now) {
            self.tell(EventKind::Submitted { workload: Box::new(workload) });
            self.arrival = self.outlook.arrival();
        }
    }

    fn decide(&mut self) -> ControlFlow<(), Option<Timestamp>> {
        let decision = self.engine.decide(self.now, Budget::default());
        for action in &decision.actions {
            let ActionKind::Start { workload, .. } = action.kind;
            self.tell(EventKind::Started { action: action.id, workload, since: self.now });
            self.runs(workload, action.id, self.now);
            let group = self.engine.group(workload).expect("who was just started is there");
            self.outlook.started(Start { workload, group, at: self.now })?;
        }
        ControlFlow::Continue(decision.wake_at)
    }

    fn runs(&mut self, workload: WorkloadId, action: ActionId, since: Timestamp) {
        let expected = self.engine.expected(workload).expect("whoever runs is there");
        let age = self.now.since(since);
        let remaining = self.outlook.remaining(workload, expected, age);
        self.ends.push(Reverse((self.now + remaining, workload, action, age + remaining)));
    }

    fn tell(&mut self, kind: EventKind) {
        self.seq += 1;
        self.engine.observe(&Event { seq: self.seq, at: self.now, kind });
    }
}
