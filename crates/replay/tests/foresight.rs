//! Starts that are foreseen while time passes: what is said of them comes true as often as it should.

use std::collections::BTreeMap;

use allocate::Engine;
use fleet::action::Decision;
use fleet::event::{EndCause, Event, EventKind};
use fleet::history::{Attempt, Header, NodeRecord, Record, WorkloadRecord};
use fleet::ids::WorkloadId;
use fleet::node::Resources;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::foresight::{Expected, Foresight, look, look_for};
use replay::forward::Past;
use replay::history::History;
use replay::scenario::Scenario;
use replay::seed::Seed;
use replay::setup::Setup;
use replay::{Observer, run_observed};

/// Work for sixteen devices: runs of seconds to an hour, a little more of them than fit.
fn history(seed: u64) -> History {
    let mut seed = Seed::new(seed);
    let node = Record::Node(NodeRecord { name: "n".into(), devices: 16, ..NodeRecord::default() });
    let jobs = (0..400).map(|index| {
        let run = 20_u64 << seed.below(8);
        Record::Workload(Box::new(WorkloadRecord {
            id: index.to_string(),
            queue: ["p", "q", "r"][seed.below(3) as usize].into(),
            submit: Timestamp::from_seconds(index * 140 + seed.below(3_600) as i64),
            tasks: 1,
            request: Resources::devices(1 << seed.below(4)),
            attempts: vec![Attempt {
                run: Some(Millis::seconds((run + seed.below(run)) as i64)),
                cause: EndCause::Completed,
                ..Attempt::default()
            }],
            ..WorkloadRecord::default()
        }))
    });
    History::from_records(Header::default(), std::iter::once(node).chain(jobs))
}

/// Looks every five minutes, and asks about one of those who wait.
struct Asks {
    foresight: Foresight,
    past: Past,
    seed: Seed,
    waiting: Vec<WorkloadId>,
    next: Timestamp,
    said: Vec<(WorkloadId, Timestamp, Expected)>,
    starts: BTreeMap<WorkloadId, Timestamp>,
}

impl Observer for Asks {
    fn event(&mut self, _: &Engine, event: &Event) {
        match &event.kind {
            EventKind::Submitted { workload } => {
                self.past.came(workload, event.at);
                self.waiting.push(workload.id);
            }
            EventKind::Started { workload, .. } => {
                self.foresight.started(*workload, event.at);
                self.waiting.retain(|other| other != workload);
                self.starts.insert(*workload, event.at);
            }
            _ => {}
        }
    }

    fn decision(&mut self, engine: &Engine, now: Timestamp, decision: &Decision) {
        if !decision.actions.is_empty() || now < self.next || self.waiting.is_empty() {
            return;
        }
        self.next = now + Millis::minutes(5);
        let seen = look(engine, &self.past, now, self.seed.next_u64(), &mut |_| true);
        self.foresight.saw(seen);
        let one = self.waiting[self.seed.below(self.waiting.len() as u64) as usize];
        let said = self.foresight.expected(one, now, Millis::ZERO).expect("all who wait are seen to start");
        self.said.push((one, now, said));
    }
}

fn asked(seed: u64) -> Asks {
    let history = history(seed);
    let setup = Setup::new(&history, &Scenario::recorded()).expect("it fits");
    let mut asks = Asks {
        foresight: Foresight::new(seed),
        past: Past::default(),
        seed: Seed::new(seed),
        waiting: Vec::new(),
        next: Timestamp::MIN,
        said: Vec::new(),
        starts: BTreeMap::new(),
    };
    run_observed(&setup, 1, &mut asks);
    asks
}

#[test]
fn intervals_hold_about_as_often_as_they_say() {
    let asks = asked(1);
    let holds = |(workload, at, said): &&(WorkloadId, Timestamp, Expected)| {
        let wait = asks.starts[workload].since(*at);
        said.low <= wait && said.high.is_none_or(|high| wait <= high)
    };
    let (all, held) = (asks.said.len(), asks.said.iter().filter(holds).count());
    assert!(all > 100, "{all} were asked about");
    let share = held * 100 / all;
    assert!((70..=90).contains(&share), "{held} of {all}");
}

/// Knows the engine at its last decision at which somebody waited.
#[derive(Default)]
struct Last(Option<(Engine, Timestamp, Vec<WorkloadId>)>, Vec<WorkloadId>);

impl Observer for Last {
    fn event(&mut self, _: &Engine, event: &Event) {
        match &event.kind {
            EventKind::Submitted { workload } => self.1.push(workload.id),
            EventKind::Started { workload, .. } => self.1.retain(|other| other != workload),
            _ => {}
        }
    }

    fn decision(&mut self, engine: &Engine, now: Timestamp, decision: &Decision) {
        if decision.actions.is_empty() && engine.waiting() > 5 {
            self.0 = Some((engine.clone(), now, self.1.clone()));
        }
    }
}

#[test]
fn a_look_for_one_sees_of_it_what_a_look_for_all_sees() {
    let history = history(5);
    let setup = Setup::new(&history, &Scenario::recorded()).expect("it fits");
    let mut last = Last::default();
    run_observed(&setup, 1, &mut last);
    let (engine, now, waiting) = last.0.expect("some wait");
    let (past, foresight) = (Past::default(), Foresight::new(1));
    let all = look(&engine, &past, now, 3, &mut |_| true);
    assert_eq!(all.len(), waiting.len());
    for one in waiting {
        let alone = look_for(one, &engine, &past, now, 3, &mut |_| true);
        assert_eq!(foresight.of(&alone, one), foresight.of(&all, one));
    }
    let none = look(&engine, &past, now, 3, &mut |_| false);
    assert!(none.len() < all.len(), "whoever is not given time sees less");
}
