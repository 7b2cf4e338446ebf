use fleet::action::Slot;
use fleet::history::{NodeChange, NodeRecord};
use fleet::ids::{ActionId, NodeId};
use fleet::live::{Exit, Submission, Usage};
use fleet::node::Resources;
use fleet::quantity::Millis;

use super::*;

const ID: WorkloadId = WorkloadId(1);
const DEVICE_HOUR: u64 = 1_000 * HOUR_MS.unsigned_abs();

fn tally(entries: Vec<(i64, Entry)>, until_minutes: i64) -> Tally {
    let mut tally = Tally::default();
    for (seq, (minutes, entry)) in (1..).zip(entries) {
        tally.take(&Logged { seq, at: Timestamp(minutes * MINUTE_MS), entry });
    }
    tally.advance(Timestamp(until_minutes * MINUTE_MS));
    tally
}

fn node(id: u32) -> Entry {
    let facts = NodeRecord { name: format!("n{id}"), devices: 2, cpu_milli: Some(4_000), ..NodeRecord::default() };
    Entry::NodeFound { node: NodeId(id), facts }
}

fn asked(id: WorkloadId) -> Vec<Entry> {
    let submission = Submission { request: Resources::devices(1), ..Submission::default() };
    vec![
        Entry::Submitted { workload: id, submission: Box::new(submission), by: "someone".into() },
        Entry::Eligible { workload: id },
    ]
}

fn decided(action: u64) -> Entry {
    let slots = vec![Slot { node: NodeId(0), tasks: 1, devices: 1 }];
    Entry::Decided { action: ActionId(action), workload: ID, slots }
}

fn ended(action: u64, exit: Exit) -> Entry {
    let (ran, cause, used) = (Millis(1), exit.cause(), Usage::default());
    Entry::RunEnded { action: ActionId(action), workload: ID, ran, exit, cause, used }
}

fn at(minutes: i64, entries: Vec<Entry>) -> Vec<(i64, Entry)> {
    entries.into_iter().map(|entry| (minutes, entry)).collect()
}

/// Waits 30 minutes, fails after 60, waits no longer, completes after 60 more.
fn a_day() -> Tally {
    let mut entries = at(0, vec![node(0)]);
    entries.extend(at(0, asked(ID)));
    entries.push((30, decided(1)));
    entries.extend(at(90, vec![ended(1, Exit::Code(1)), decided(2)]));
    entries.extend(at(150, vec![ended(2, Exit::Code(0))]));
    entries.push((150, Entry::Finished { workload: ID, cause: EndCause::Completed, reason: None }));
    tally(entries, 180)
}

#[test]
fn every_device_hour_is_counted_once() {
    let sum = a_day().since(Timestamp(0));
    assert_eq!(sum.ended[Spent::Failed as usize][0], DEVICE_HOUR);
    assert_eq!(sum.ended[Spent::Completed as usize][0], DEVICE_HOUR);
    assert_eq!(sum.idle_waited[0], DEVICE_HOUR, "two devices for half an hour");
    assert_eq!(sum.still_running()[0], 0);
    assert_eq!(sum.idle[0], 3 * DEVICE_HOUR, "one for two hours, two for the last half");
    assert_eq!(sum.capacity()[0], 6 * DEVICE_HOUR);
}

#[test]
fn what_runs_is_still_running_and_what_is_drained_is_drained() {
    let mut entries = at(0, vec![node(0), node(1)]);
    entries.extend(at(0, asked(ID)));
    entries.extend(at(0, vec![decided(1)]));
    let drained = |node| Entry::NodeChanged { node: NodeId(node), change: NodeChange::Drained, by: None };
    entries.extend(at(60, vec![drained(0), drained(1)]));
    entries.push((120, Entry::NodeChanged { node: NodeId(1), change: NodeChange::Lost, by: None }));
    let tally = tally(entries, 180);
    let sum = tally.since(Timestamp(0));
    assert_eq!(sum.still_running()[0], 3 * DEVICE_HOUR);
    assert_eq!(sum.drained[0], 4 * DEVICE_HOUR, "three for an hour, then one: what is lost counts for nothing");
    assert_eq!((tally.fleet.drained, tally.fleet.lost), (1, 1));
}

#[test]
fn what_is_kept_is_bounded_however_long_nothing_happens() {
    let mut tally = a_day();
    tally.advance(Timestamp(3_000 * 24 * HOUR_MS));
    assert!(tally.hours.len() <= HOURS_KEPT as usize + 1 && tally.minutes.len() <= MINUTES_KEPT as usize + 1);
    assert_eq!(tally.since(Timestamp(0)).idle[0] / DEVICE_HOUR, 2 * HOURS_KEPT.unsigned_abs());
}

#[test]
fn the_course_says_how_many_waited() {
    let course = a_day().course(Window::Day);
    let [given, capacity, waited] = course[10].1.means(0);
    assert!(given < 0.01 && (capacity - 2.0).abs() < 0.01 && (waited - 1.0).abs() < 0.01);
}
