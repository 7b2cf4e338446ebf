//! Promised intervals through their public interface: what must hold for any history, and that four of five promises are kept.

mod drawn;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use allocate::predict::{Interval, Intervals, Promise};
use drawn::{Drawn, Numbers, any_history, features, history};
use fleet::ids::WorkloadId;
use fleet::time::Timestamp;
use proptest::prelude::*;

/// Lives a history; the intervals it promised, by workload.
fn live(history: &[Drawn]) -> (Intervals, Vec<Interval>) {
    let mut intervals = Intervals::default();
    let mut promises: Vec<Promise> = Vec::new();
    let mut ends: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    for (index, drawn) in history.iter().enumerate() {
        while let Some(&Reverse((at_ms, ended))) = ends.peek()
            && at_ms <= drawn.submitted_ms
        {
            ends.pop();
            intervals.ended(WorkloadId(ended as u32), &promises[ended], history[ended].ran_ms, Timestamp(at_ms));
        }
        let promise = intervals.promise(&drawn.features, Timestamp(drawn.submitted_ms));
        intervals.started(WorkloadId(index as u32), &promise, Timestamp(drawn.submitted_ms));
        promises.push(promise);
        ends.push(Reverse((drawn.submitted_ms + drawn.ran_ms as i64, index)));
    }
    let promised = promises.iter().map(Promise::interval).collect();
    (intervals, promised)
}

fn check_kept(name: &str, ran_seconds: impl FnMut(&mut Numbers, usize, u32) -> f64) {
    const JUDGED_FROM: usize = 500;
    let history = history(6_000, 7, ran_seconds);
    let (_, intervals) = live(&history);
    let kept = |(drawn, interval): &(&Drawn, &Interval)| (interval.low_ms..=interval.high_ms).contains(&drawn.ran_ms);
    let kept = history.iter().zip(&intervals).skip(JUDGED_FROM).filter(kept).count();
    let percent = 100.0 * kept as f64 / (history.len() - JUDGED_FROM) as f64;
    assert!((75.0..=85.0).contains(&percent), "{name}: the 80 % interval held {percent:.1} %");
}

#[test]
fn four_of_five_promises_are_kept() {
    check_kept("lognormal", |numbers, _, user| (6.0 + f64::from(user) + 1.2 * numbers.normal()).exp());
    check_kept("pareto", |numbers, _, _| 120.0 * numbers.share().powf(-1.0 / 1.1));
    check_kept("uniform", |numbers, _, _| 100.0 + 7_000.0 * numbers.share());
    check_kept(
        "two kinds",
        |numbers, _, _| if numbers.next() % 3 == 0 { 20_000.0 } else { 30.0 + 30.0 * numbers.share() },
    );
}

#[test]
fn promises_are_kept_where_things_drift() {
    check_kept("rising", |numbers, index, _| (5.0 + index as f64 / 1_500.0 + numbers.normal()).exp());
    check_kept("falling", |numbers, index, _| (9.0 - index as f64 / 1_500.0 + numbers.normal()).exp());
    check_kept("jumping", |numbers, index, _| {
        let level = if (index / 700) % 2 == 0 { 5.0 } else { 8.0 };
        (level + 0.7 * numbers.normal()).exp()
    });
}

#[test]
fn users_are_told_apart() {
    let drawn = history(3_000, 3, |numbers, _, user| {
        let typical = if user == 0 { 60.0 } else { 36_000.0 };
        typical * (1.0 + 0.2 * numbers.share())
    });
    let (mut intervals, _) = live(&drawn);
    let now = Timestamp(3_000 * 60_000);
    let [short, long] = [(0, 0), (1, 1)].map(|(queue, user)| intervals.promise(&features(queue, user), now).interval());
    assert!(short.high_ms * 10 < long.high_ms, "{short:?} and {long:?}");
}

#[test]
fn a_run_that_outlasts_its_promise_is_learnt_from_before_it_ends() {
    let at = |hour: i64| Timestamp(hour * 3_600_000);
    let mut intervals = Intervals::default();
    for id in 0..200 {
        let promise = intervals.promise(&features(0, 0), at(0));
        intervals.started(WorkloadId(id), &promise, at(0));
        intervals.ended(WorkloadId(id), &promise, 60_000, at(0));
    }
    let before = intervals.promise(&features(0, 0), at(1)).interval();
    for id in 200..260 {
        let promise = intervals.promise(&features(0, 0), at(1));
        intervals.started(WorkloadId(id), &promise, at(1));
    }
    let after = intervals.promise(&features(0, 0), at(40)).interval();
    assert!(after.high_ms > 4 * before.high_ms, "{before:?} and {after:?}");
}

#[test]
fn a_run_that_was_interrupted_reaches_nothing_more() {
    let at = |hour: i64| Timestamp(hour * 3_600_000);
    let promised_after = |starts_again: Option<i64>| {
        let mut intervals = Intervals::default();
        let promise = intervals.promise(&features(0, 0), at(0));
        intervals.started(WorkloadId(0), &promise, at(0));
        intervals.interrupted(WorkloadId(0), Timestamp(1));
        if let Some(hour) = starts_again {
            intervals.started(WorkloadId(0), &promise, at(hour));
        }
        intervals.promise(&features(0, 0), at(1_000)).interval()
    };
    let never_ran = Intervals::default().promise(&features(0, 0), at(1_000)).interval();
    assert_eq!(promised_after(None), never_ran);
    assert_eq!(promised_after(Some(1_000)), never_ran, "it has just started");
    assert!(promised_after(Some(1)).high_ms > never_ran.high_ms, "it has run for weeks");
}

#[test]
fn no_promise_passes_an_enforced_limit() {
    let mut limited = features(0, 0);
    limited.time_limit_ms = Some(3_600_000);
    let interval = Intervals::default().promise(&limited, Timestamp(0)).interval();
    assert!(interval.high_ms <= 3_700_000, "{interval:?}");
}

#[test]
fn memory_is_bounded() {
    const MOST_CLASSES: usize = 32_768;
    let mut intervals = Intervals::default();
    for id in 0..12_000 {
        let now = Timestamp(i64::from(id) * 1_000);
        let promise = intervals.promise(&features(id, id), now);
        intervals.ended(WorkloadId(id), &promise, u64::from(id) * 1_000, now);
    }
    assert!(intervals.classes() > MOST_CLASSES / 2, "the bound is reached by this test");
    assert!(intervals.classes() <= MOST_CLASSES);
}

/// The interval after one history, as it was found once: whatever machine this runs on must find the same.
#[test]
fn every_machine_promises_the_same() {
    let mut state = 9_u64;
    let drawn: Vec<Drawn> = (0..2_000_i64)
        .map(|index| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (user, spread) = ((state >> 33) as u32 % 5, state >> 40);
            Drawn { submitted_ms: index * 30_000, ran_ms: spread << (user * 2), features: features(user / 2, user) }
        })
        .collect();
    let (mut intervals, _) = live(&drawn);
    let interval = intervals.promise(&features(1, 3), Timestamp(2_000 * 30_000)).interval();
    assert_eq!((interval.low_ms, interval.high_ms), (25_083_904, 83_755_008));
}

proptest! {
    #[test]
    fn ends_are_in_order_and_the_same_again(history in any_history()) {
        let (ours, again) = (live(&history).1, live(&history).1);
        prop_assert!(ours.iter().all(|interval| interval.low_ms <= interval.high_ms));
        prop_assert_eq!(ours, again);
    }

    #[test]
    fn the_future_changes_no_promise(history in any_history(), cut in 0_usize..200, factor in 2_u64..1_000) {
        // All that ends after the cut runs longer instead; nothing that was promised by then may differ.
        let cut = cut.min(history.len() - 1);
        let cut_ms = history[cut].submitted_ms;
        let mut other = history.clone();
        for drawn in &mut other {
            if drawn.submitted_ms + drawn.ran_ms as i64 > cut_ms {
                drawn.ran_ms = (drawn.ran_ms * factor).min(1 << 42);
            }
        }
        let (ours, theirs) = (live(&history).1, live(&other).1);
        prop_assert_eq!(&ours[..=cut], &theirs[..=cut]);
    }
}
