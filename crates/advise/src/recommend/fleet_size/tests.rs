//! The smallest fleet of small histories, held against replays of every fleet there could be.

use fleet::event::EndCause;
use fleet::history::{Attempt, Header, NodeRecord, Record, WorkloadRecord};
use fleet::money::{Currency, Money};
use fleet::node::Resources;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::History;
use replay::measure::waits;
use replay::scenario::{Change, Scenario};
use replay::seed::Seed;
use replay::setup::Setup;

use super::known::Counts;
use super::{RULE, RULE_OVERALL};
use crate::ground::Options;
use crate::optimize::optimize;
use crate::question::Serial;
use crate::report::Report;

const CAP: Millis = Millis::minutes(10);

/// A kind of node: so many, with so many devices each, at a price in cents.
#[derive(Clone, Copy, Debug)]
struct Kind(u32, u32, i64);

fn name(kind: usize) -> String {
    format!("kind{kind}")
}

/// Some days of work: half of it small and of one queue, half of it gangs and of another.
fn history(kinds: &[Kind], seed: u64) -> History {
    let nodes = kinds.iter().enumerate().flat_map(|(index, &Kind(count, devices, cents))| {
        (0..count).map(move |number| {
            let price = (cents > 0).then_some(Money { micros: cents * 10_000, currency: Currency::USD });
            Record::Node(NodeRecord {
                name: format!("{}-{number}", name(index)),
                group: Some(name(index)),
                devices,
                price_per_hour: price,
                ..NodeRecord::default()
            })
        })
    });
    let mut seed = Seed::new(seed);
    let mut at_s = 0;
    let work = (0..680).map(|number| {
        at_s += seed.below(1_700) as i64;
        let gang = number % 2 == 0;
        let devices = if gang { [1, 2, 4][seed.below(3) as usize] } else { 1 };
        let run = Millis::seconds(60 + (seed.below(90) * seed.below(90)) as i64);
        Record::Workload(Box::new(WorkloadRecord {
            id: number.to_string(),
            queue: if gang { "gangs" } else { "small" }.into(),
            submit: Timestamp::from_seconds(at_s),
            tasks: 1,
            request: Resources::devices(devices),
            attempts: vec![Attempt {
                start: None,
                run: Some(run),
                cause: EndCause::Completed,
                nodes: Vec::new(),
                ..Attempt::default()
            }],
            ..WorkloadRecord::default()
        }))
    });
    let records: Vec<Record> = nodes.chain(work).collect();
    History::from_records(Header::default(), records.into_iter())
}

fn report(history: &History) -> Report {
    let options = Options {
        p95_wait: CAP,
        protected: Vec::new(),
        seed: 1,
        slow: Vec::new(),
        baseline: Scenario::recorded(),
        name: "h".into(),
        hash: "0".into(),
    };
    optimize(history, &options, &Serial(history), &mut |_| {}).unwrap()
}

/// The counts that a rule recommends.
fn found(report: &Report, kinds: &[Kind], rule: &str) -> Option<Counts> {
    let recommendation = report.recommendations.iter().find(|recommendation| recommendation.rule == rule)?;
    let count = |(index, kind): (usize, &Kind)| {
        let step = recommendation.change.iter().find(|step| step.text.contains(&format!("\"{}\"", name(index))));
        step.map_or(kind.0, |step| step.text.rsplit(' ').next().unwrap().parse().unwrap())
    };
    Some(kinds.iter().enumerate().map(count).collect())
}

fn cost(kinds: &[Kind], counts: &[u32]) -> i64 {
    let priced = kinds.iter().all(|kind| kind.2 > 0);
    let each = kinds.iter().zip(counts);
    each.map(|(kind, &count)| i64::from(count) * if priced { kind.2 } else { i64::from(kind.1) }).sum()
}

/// Whether a fleet keeps the wait, measured without what the search uses: of all together, and of every queue.
fn keeps(history: &History, counts: &[u32]) -> (bool, bool) {
    let scenario = counts.iter().enumerate().fold(Scenario::recorded(), |scenario, (kind, &count)| {
        scenario.with(Change::Nodes { group: name(kind), count })
    });
    let Ok(setup) = Setup::new(history, &scenario) else { return (false, false) };
    let waits = waits(history, &replay::run(&setup, 1));
    let all = waits.never_ran == 0 && waits.all.wait_s.p95 <= CAP.as_seconds();
    (all, all && waits.queues.iter().all(|queue| queue.wait_s.p95 <= CAP.as_seconds()))
}

/// Every fleet there could be is replayed; none that keeps the wait is cheaper than the one that is recommended.
fn check(kinds: &[Kind], seed: u64) {
    let history = history(kinds, seed);
    let mut fleets: Vec<Counts> = vec![Vec::new()];
    for kind in kinds {
        fleets =
            fleets.iter().flat_map(|start| (0..=kind.0).map(|count| [start.as_slice(), &[count]].concat())).collect();
    }
    let lived: Vec<(Counts, (bool, bool))> =
        fleets.into_iter().map(|counts| (counts.clone(), keeps(&history, &counts))).collect();
    let least = |keeps: fn(&(bool, bool)) -> bool| {
        lived.iter().filter(|(_, kept)| keeps(kept)).map(|(counts, _)| cost(kinds, counts)).min().unwrap()
    };
    let report = report(&history);
    let (every, overall) = (found(&report, kinds, RULE), found(&report, kinds, RULE_OVERALL));
    let every = every.expect("a smaller fleet does");
    assert_eq!(cost(kinds, &every), least(|kept| kept.1), "every queue, {kinds:?}, seed {seed}: {every:?}");
    // Where it is no smaller it is not told twice.
    let overall = overall.unwrap_or(every);
    assert_eq!(cost(kinds, &overall), least(|kept| kept.0), "together, {kinds:?}, seed {seed}: {overall:?}");
}

#[test]
fn no_fleet_that_keeps_the_wait_is_cheaper() {
    check(&[Kind(14, 4, 1_400)], 1);
    check(&[Kind(8, 2, 300), Kind(6, 4, 640)], 2);
    check(&[Kind(8, 2, 0), Kind(6, 4, 640)], 3);
    check(&[Kind(3, 1, 150), Kind(3, 2, 300), Kind(5, 4, 700)], 4);
}

#[test]
fn words_go_with_the_number_of_kinds() {
    for (kinds, words) in [
        (&[Kind(14, 4, 1_400)][..], "One node less fails; no cheaper fleet keeps it"),
        (&[Kind(8, 2, 0), Kind(6, 4, 640)], "One node less of either kind fails; no smaller fleet keeps it"),
        (&[Kind(4, 1, 150), Kind(4, 2, 300), Kind(5, 4, 700)], "One node less of any kind fails; no cheaper"),
    ] {
        let history = history(kinds, 1);
        let report = report(&history);
        let first = &report.recommendations[0];
        assert_eq!(first.rule, RULE, "what keeps every queue's wait goes first");
        assert!(first.because.iter().any(|because| because.starts_with(words)), "{:?}", first.because);
        let worth = &first.worth;
        if let Some(cash) = worth.cash_saved_per_month {
            assert!(cash.low.micros <= cash.high.micros && cash.high.micros > 0);
        }
        assert_eq!(worth.cash_saved_per_month.is_some(), kinds.iter().all(|kind| kind.2 > 0), "{worth:?}");
    }
}
