//! Looks ahead: what they foretell comes true where all is known, and nothing comes of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use allocate::Engine;
use allocate::predict::Distribution;
use fleet::action::Decision;
use fleet::event::{EndCause, Event, EventKind};
use fleet::history::{Attempt, Header, NodeRecord, Record, WorkloadRecord};
use fleet::ids::WorkloadId;
use fleet::node::Resources;
use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;
use replay::forward::{Drawn, Outlook, Past, Start, look_ahead};
use replay::history::History;
use replay::outcome::Outcome;
use replay::scenario::{Change, Scenario};
use replay::seed::Seed;
use replay::setup::Setup;
use replay::{Observer, run_observed};

/// Work for two nodes of four devices: first a crowd, then, if anybody is to come later, one every few minutes.
fn history(seed: u64, crowd: u64, later: u64) -> History {
    let mut seed = Seed::new(seed);
    let nodes = ["a", "b"].map(|name| Record::Node(NodeRecord { name: name.into(), devices: 4, ..Default::default() }));
    let jobs = (0..crowd + later).map(|index| {
        let submit = (index + 1).saturating_sub(crowd) * 300 + seed.below(2);
        let attempt = Attempt {
            start: None,
            run: Some(Millis::seconds(60 + seed.below(7_200) as i64)),
            cause: EndCause::Completed,
            nodes: Vec::new(),
            ..Attempt::default()
        };
        Record::Workload(Box::new(WorkloadRecord {
            id: index.to_string(),
            queue: ["p", "q"][seed.below(2) as usize].into(),
            submit: Timestamp::from_seconds(submit as i64),
            tasks: 1 + seed.below(2) as u32,
            request: Resources::devices(1 + seed.below(4)),
            attempts: vec![attempt],
            ..WorkloadRecord::default()
        }))
    });
    History::from_records(Header::default(), nodes.into_iter().chain(jobs))
}

fn live(history: &History, order: Order, observer: &mut dyn Observer) -> Outcome {
    let scenario = Scenario::of(Change::Policy { policy: Policy::new(order) });
    let setup = Setup::new(history, &scenario).expect("the scenario fits");
    run_observed(&setup, 1, observer)
}

/// Knows how long everyone runs; nobody comes.
struct Known<'a> {
    runs: &'a [Millis],
    starts: BTreeMap<WorkloadId, Timestamp>,
}

impl Outlook for Known<'_> {
    fn remaining(&mut self, workload: WorkloadId, _: &Distribution, age: Millis) -> Millis {
        Millis(self.runs[workload.index()].0 - age.0)
    }

    fn arrival(&mut self) -> Option<(Timestamp, Workload)> {
        None
    }

    fn started(&mut self, start: Start) -> ControlFlow<()> {
        let again = self.starts.insert(start.workload, start.at);
        assert_eq!(again, None, "nobody starts twice");
        ControlFlow::Continue(())
    }
}

/// Looks ahead at every decision once everyone is there.
struct Foretells<'a> {
    runs: &'a [Millis],
    to_come: usize,
    said: Vec<BTreeMap<WorkloadId, Timestamp>>,
}

impl Observer for Foretells<'_> {
    fn event(&mut self, _: &Engine, event: &Event) {
        self.to_come -= usize::from(matches!(event.kind, EventKind::Submitted { .. }));
    }

    fn decision(&mut self, engine: &Engine, now: Timestamp, _: &Decision) {
        if self.to_come == 0 {
            let mut known = Known { runs: self.runs, starts: BTreeMap::new() };
            look_ahead(engine, now, now + Millis::hours(10_000), &mut known);
            self.said.push(known.starts);
        }
    }
}

#[test]
fn what_is_known_in_full_is_foretold_exactly() {
    for order in [Order::Fifo, Order::Backfill] {
        for seed in 0..20 {
            let history = history(seed, 40, 0);
            let runs: Vec<Millis> = history.workloads.iter().map(|recorded| recorded.run()).collect();
            let mut foretells = Foretells { runs: &runs, to_come: runs.len(), said: Vec::new() };
            let outcome = live(&history, order, &mut foretells);
            assert!(foretells.said.iter().map(BTreeMap::len).max() > Some(20), "many wait");
            for said in &foretells.said {
                for (id, at) in said {
                    assert_eq!(outcome.workloads[id.index()].start(), Some(*at), "{order:?}, seed {seed}, {id:?}");
                }
            }
        }
    }
}

/// Draws what comes, at every decision.
#[derive(Default)]
struct Draws {
    seed: u64,
    past: Past,
    heard: Vec<Vec<Start>>,
}

impl Observer for Draws {
    fn event(&mut self, _: &Engine, event: &Event) {
        if let EventKind::Submitted { workload } = &event.kind {
            self.past.came(workload, event.at);
        }
    }

    fn decision(&mut self, engine: &Engine, now: Timestamp, _: &Decision) {
        let mut heard = Vec::new();
        let mut hear = |start: Start| {
            heard.push(start);
            ControlFlow::Continue(())
        };
        let until = now + Millis::hours(12);
        look_ahead(engine, now, until, &mut Drawn::new(self.seed, &self.past, now, &mut hear));
        assert!(heard.iter().all(|start| now <= start.at && start.at <= until));
        assert!(heard.is_sorted_by_key(|start| start.at));
        self.heard.push(heard);
    }
}

#[test]
fn nothing_comes_of_a_look_ahead() {
    for order in Order::ALL {
        for seed in 0..5 {
            let history = history(seed, 10, 60);
            let watched = live(&history, order, &mut Draws { seed, ..Draws::default() });
            let alone = live(&history, order, &mut ());
            assert_eq!(format!("{watched:?}"), format!("{alone:?}"), "{order:?}, seed {seed}");
        }
    }
}

#[test]
fn a_seed_draws_the_same_and_another_draws_otherwise() {
    let history = history(3, 10, 60);
    let draw = |seed| {
        let mut draws = Draws { seed, ..Draws::default() };
        live(&history, Order::Trimtab, &mut draws);
        draws.heard
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
