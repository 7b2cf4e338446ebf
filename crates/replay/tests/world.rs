//! What the world does at its edges: withdrawals, dependents, starts that fail.

use fleet::event::EndCause;
use fleet::history::{Attempt, Header, NodeChange, NodeEvent, NodeRecord, PolicyRecord, Record, WorkloadRecord};
use fleet::node::Resources;
use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::History;
use replay::outcome::Outcome;
use replay::scenario::{Change, Scenario};
use replay::setup::Setup;

fn job(id: &str, submit_s: i64, devices: u64, run_s: i64) -> WorkloadRecord {
    WorkloadRecord {
        id: id.into(),
        queue: "q".into(),
        submit: Timestamp::from_seconds(submit_s),
        tasks: 1,
        request: Resources::devices(devices),
        attempts: vec![Attempt {
            start: None,
            run: Some(Millis::seconds(run_s)),
            cause: EndCause::Completed,
            nodes: Vec::new(),
            ..Attempt::default()
        }],
        ..WorkloadRecord::default()
    }
}

fn live(jobs: Vec<WorkloadRecord>, scenario: &Scenario) -> Outcome {
    let node = NodeRecord { name: "n".into(), devices: 4, ..NodeRecord::default() };
    let jobs = jobs.into_iter().map(|job| Record::Workload(Box::new(job)));
    let history = History::from_records(Header::default(), std::iter::once(Record::Node(node)).chain(jobs));
    let setup = Setup::new(&history, scenario).expect("the scenario fits");
    replay::run(&setup, 7)
}

#[test]
fn whoever_is_withdrawn_as_it_arrives_never_runs() {
    let withdrawn =
        WorkloadRecord { attempts: Vec::new(), withdrawn: Some(Timestamp::from_seconds(5)), ..job("gone", 5, 1, 0) };
    let outcome = live(vec![job("a", 0, 1, 60), withdrawn], &Scenario::recorded());
    let gone = outcome.workloads.iter().find(|fate| fate.withdrawn.is_some()).expect("one was withdrawn");
    assert!(gone.stints.is_empty());
    assert_eq!(outcome.impossible, 0);
}

#[test]
fn whoever_waits_for_a_withdrawn_workload_comes_when_that_is_gone() {
    let full = job("full", 0, 4, 100);
    let withdrawn =
        WorkloadRecord { attempts: Vec::new(), withdrawn: Some(Timestamp::from_seconds(50)), ..job("gone", 1, 4, 0) };
    let after = WorkloadRecord {
        depends_on: vec!["gone".into()],
        eligible: Some(Timestamp::from_seconds(60)),
        ..job("after", 2, 1, 10)
    };
    let outcome = live(vec![full, withdrawn, after], &Scenario::recorded());
    let last = outcome.workloads.last().expect("three workloads");
    assert_eq!(last.eligible, Timestamp::from_seconds(50));
    assert_eq!(last.start(), Some(Timestamp::from_seconds(100)));
}

#[test]
fn a_start_that_fails_with_nothing_else_coming_is_tried_again() {
    let faults = Change::Faults { delay_max_ms: Millis::ZERO, start_fails_permille: 900 };
    let outcome = live(vec![job("a", 0, 1, 60)], &Scenario::of(faults));
    assert_eq!(outcome.impossible, 0);
    assert_eq!(outcome.workloads[0].run(), Millis::seconds(60));
}

/// Found by tests/random_histories: it was lived again, without an end.
#[test]
fn whoever_was_put_back_last_and_is_not_heard_of_again_is_over() {
    let mut last_put_back = job("a", 0, 4, 60);
    last_put_back.attempts[0].cause = EndCause::Requeued;
    let outcome = live(vec![last_put_back, job("b", 1, 4, 60)], &Scenario::recorded());
    assert_eq!(outcome.workloads[0].stints.len(), 1);
    assert_eq!(outcome.workloads[0].stints[0].cause, EndCause::Unknown);
    assert_eq!(outcome.workloads[1].start(), Some(Timestamp::from_seconds(60)));
}

/// Found by tests/random_histories: the end it would never come to kept a policy that works at intervals looking for ever.
#[test]
fn whoever_never_ends_keeps_nobody_looking() {
    let withdrawn =
        WorkloadRecord { attempts: Vec::new(), withdrawn: Some(Timestamp::from_seconds(90)), ..job("never", 0, 1, 0) };
    let policy = Policy { backfill_interval: Millis::seconds(30), ..Policy::new(Order::Backfill) };
    let outcome = live(vec![withdrawn, job("too large", 1, 9, 60)], &Scenario::of(Change::Policy { policy }));
    assert_eq!(outcome.impossible, 1);
    assert!(outcome.decisions < 20, "{} decisions", outcome.decisions);
}

#[test]
fn room_is_free_when_it_is_cleaned_up() {
    let lose = |at_ms| NodeEvent { at: Timestamp(at_ms), node: "n".into(), change: NodeChange::Lost, reason: None };
    // The node is lost while the first is over and its room still being cleaned up, or after that, or while it runs.
    for (lost_ms, first_end_s) in [(10_300, 10), (20_000, 10), (5_000, 5)] {
        let policy = PolicyRecord { at: None, policy: Policy::new(Order::Fifo), completing: Some(Millis(500)) };
        let node = NodeRecord { name: "n".into(), devices: 4, ..NodeRecord::default() };
        let jobs = [job("first", 0, 4, 10), job("second", 1, 4, 5)].map(|job| Record::Workload(Box::new(job)));
        let records = [Record::Node(node), Record::Policy(policy), Record::NodeEvent(lose(lost_ms))];
        let history = History::from_records(Header::default(), records.into_iter().chain(jobs));
        let outcome = replay::run(&Setup::new(&history, &Scenario::recorded()).expect("it fits"), 7);
        let [first, second] = [0, 1].map(|index| &outcome.workloads[index]);
        assert_eq!(first.stints.len(), 1, "lost at {lost_ms}: {first:?}");
        assert_eq!(first.stints[0].end, Timestamp::from_seconds(first_end_s));
        let starts = second.stints.first().map(|stint| stint.start);
        assert_eq!(starts, (lost_ms > 10_500).then_some(Timestamp(10_500)), "lost at {lost_ms}");
    }
}

#[test]
fn what_is_recorded_of_a_start_and_an_end_is_lived_again() {
    let around = |mut job: WorkloadRecord| {
        job.attempts[0].starting = Some(Millis(3_000));
        job.attempts[0].completing = Some(Millis(2_000));
        job
    };
    let outcome = live(vec![around(job("first", 0, 4, 10)), job("second", 1, 4, 5)], &Scenario::recorded());
    let [first, second] = [0, 1].map(|index| &outcome.workloads[index].stints[0]);
    assert_eq!((first.start, first.end), (Timestamp(3_000), Timestamp(13_000)), "its room was its own from 0 on");
    assert_eq!(second.start, Timestamp(15_000), "and for two seconds more");
}
