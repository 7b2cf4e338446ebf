//! What is recommended for the example: that its changes are what was replayed, and that nothing breaks what was promised.

use std::sync::Arc;

use advise::ground::Options;
use advise::optimize::optimize;
use advise::report::Report;
use connect::import::Report as Imported;
use fleet::event::EndCause;
use fleet::fleet_file::FleetFile;
use fleet::history::{Attempt, Header, Record, WorkloadRecord};
use fleet::node::Resources;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::History;
use replay::scenario::Scenario;
use replay::setup::Setup;

use crate::opened::furnish;
use crate::replayer::Threads;

fn lab() -> History {
    crate::example::open().expect("the example opens").history
}

/// The first days of the example: enough to see who fares worse, and sooner replayed.
fn begun() -> History {
    let days = 12;
    let mut records = crate::lab::records(crate::lab::SEED).into_iter();
    let Some(Record::Header(header)) = records.next() else { unreachable!("the example begins with its header") };
    let until = |from: Timestamp, at: Timestamp| at.since(from) < Millis::hours(24 * days);
    let mut from = None;
    let kept = records.filter(|record| match record {
        Record::Workload(workload) => until(*from.get_or_insert(workload.submit), workload.submit),
        _ => true,
    });
    History::from_records(header, kept)
}

fn report(history: &History, protected: &[&str]) -> Report {
    let options = Options {
        p95_wait: Millis::minutes(10),
        protected: protected.iter().map(|&name| name.to_owned()).collect(),
        seed: 1,
        slow: Vec::new(),
        baseline: Scenario::recorded(),
        name: "--example".into(),
        hash: "0".into(),
    };
    optimize(history, &options, &Threads::new(history, 1, Arc::default()), &mut |_| {}).expect("the example has nodes")
}

/// The scenario that a proof's command names.
fn scenario(command: &str) -> Scenario {
    let json = command.split("--scenario '").nth(1).and_then(|rest| rest.split('\'').next());
    Scenario::parse(json.expect("the command names a scenario")).expect("it is one")
}

#[test]
fn a_fleet_file_with_the_change_is_what_was_replayed_and_with_the_undo_what_was() {
    let history = lab();
    let report = report(&history, &[]);
    assert!(report.recommendations.len() >= 4, "{}", report.recommendations.len());
    for recommendation in report.recommendations.iter().filter(|found| !found.rule.starts_with("fleet-size")) {
        let proof = scenario(&recommendation.proof.command);
        assert_eq!(proof.id(), recommendation.proof.candidate);
        let replayed = Setup::new(&history, &proof).expect("it fits");
        let before = Setup::new(&history, &Scenario::recorded()).expect("it fits");
        for (steps, expected) in [(&recommendation.change, &replayed), (&recommendation.undo, &before)] {
            let tables = steps.iter().filter(|step| step.system == "fleet file" && !step.text.starts_with('#'));
            let text: String = tables.map(|step| format!("{}\n", step.text)).collect();
            let file = FleetFile::parse(&format!("version = 1\n{text}"), "change.toml").expect(&text);
            let mut changed = history.clone();
            furnish(&mut changed, &file);
            let changed = Setup::new(&changed, &Scenario::recorded()).expect("it fits");
            assert_eq!(changed.queues, expected.queues, "{}", recommendation.title);
            assert_eq!(changed.policy, expected.policy, "{}", recommendation.title);
        }
    }
}

#[test]
fn what_was_promised_is_not_broken() {
    let mut history = begun();
    let free = report(&history, &[]);
    let worse = |report: &Report, queue: &str| {
        let queue = format!("queue `{queue}`");
        report.recommendations.iter().filter(|found| found.worse_for.iter().any(|words| words.contains(&queue))).count()
    };
    assert!(worse(&free, "language") > 0);
    let protecting = report(&history, &["language"]);
    assert_eq!(worse(&protecting, "language"), 0);
    assert!(protecting.withheld.iter().any(|withheld| withheld.reason.contains("the protected queue `language`")));

    let mut rules = history.queues.iter().find(|queue| queue.name == "language").expect("it has one").clone();
    rules.wait_p95_max_ms = Some(Millis::minutes(1));
    history.set_queue(rules);
    let promised = report(&history, &[]);
    let p95 = |report: &Report| {
        let queue = report.baseline.waits.queues.iter().find(|queue| queue.name == "language");
        queue.expect("it has one").wait_s.p95
    };
    assert!((p95(&free) - p95(&promised)).abs() < 1e-9, "a promise alone changes nothing");
    assert!(
        promised
            .withheld
            .iter()
            .any(|withheld| withheld.reason.contains("of queue `language` 95 of 100 were promised"))
    );
}

#[test]
fn nodes_under_contract_and_room_that_was_promised_stay() {
    let counts = |committed: u32, quota: u32| {
        let text = format!(
            "version = 1\n[[nodes]]\nname = \"n\"\ncount = 6\ndevices = 4\ncommitted = {committed}\n\
             [[queues]]\nname = \"q\"\nquota_devices = {quota}\n"
        );
        let file = FleetFile::parse(&text, "fleet.toml").expect("a fleet file");
        let jobs = (0..40).map(|number| {
            Record::Workload(Box::new(WorkloadRecord {
                id: number.to_string(),
                queue: "q".into(),
                submit: Timestamp::from_seconds(number * 3_600),
                tasks: 1,
                request: Resources::devices(2),
                attempts: vec![Attempt {
                    start: None,
                    run: Some(Millis::minutes(30)),
                    cause: EndCause::Completed,
                    nodes: Vec::new(),
                    ..Attempt::default()
                }],
                ..WorkloadRecord::default()
            }))
        });
        let mut history = History::from_records(Header::default(), jobs);
        furnish(&mut history, &file);
        let report = report(&history, &[]);
        let change =
            report.recommendations.iter().find(|found| found.rule == "fleet-size").map(|found| found.change.clone());
        change.map_or(6, |steps| {
            let count = steps[0].text.lines().find_map(|line| line.strip_prefix("count = ")).expect("it names a count");
            count.parse().expect("it is a number")
        })
    };
    assert_eq!(counts(0, 0), 1, "one node would do");
    assert_eq!(counts(4, 0), 4, "four are under contract");
    assert_eq!(counts(0, 10), 3, "ten devices were promised");
    assert_eq!(counts(6, 0), 6, "all are under contract");
}

#[test]
fn lines_keep_to_the_width_but_for_what_is_to_be_copied() {
    let report = report(&begun(), &[]);
    for width in [80, 100] {
        let text = super::text::render(&report, &Imported::default(), width);
        let plain = anstream::adapter::strip_str(&text).to_string();
        for line in plain.lines().filter(|line| !line.starts_with("       ") && !line.contains(". ")) {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        for expected in ["In short", "ran and did not complete", "what waited was behind limits", "purchase avoided:"] {
            assert!(plain.contains(expected), "{plain}\nlacks {expected}");
        }
    }
}
