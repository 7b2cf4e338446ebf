//! Comparisons of what is small enough to be worked out by hand; parts add up, whatever they are of.

use super::words::how;
use super::*;
use crate::kineto::{Breakdown, Exposed, Idle, Temporal, Work};
use crate::steps::Steps;

fn adds_up(comparison: &Comparison) {
    for parts in [&comparison.parts, &comparison.groups] {
        let sum: f64 = parts.iter().map(|part| part.difference).sum();
        let whole = comparison.difference();
        assert!((sum - whole).abs() <= 1e-9 * (comparison.before + comparison.after), "{sum}, expected {whole}");
    }
    for calls in comparison.parts.iter().filter_map(|part| part.calls.map(|calls| (part.difference, calls))) {
        assert!((calls.1.by_count + calls.1.by_length - calls.0).abs() < 1e-9 * comparison.after, "{calls:?}");
    }
}

/// A trace of so many steps, with so much idle time, all of it since the host is late.
fn profile(steps: u64, idle_us: f64, exposed: &[(&str, u64, f64, f64)]) -> (Breakdown, Vec<Exposed>) {
    let exposed: Vec<Exposed> = exposed
        .iter()
        .map(|&(name, calls, sum_us, exposed_us)| Exposed {
            name: name.to_owned(),
            work: Work::of(name),
            calls,
            sum_us,
            exposed_us,
        })
        .collect();
    let total_us = idle_us + exposed.iter().map(|exposed| exposed.exposed_us).sum::<f64>();
    let idle = vec![Idle { host_wait_us: 1.0, host_waits: 1, ..Idle::default() }];
    let temporal = Temporal { total_us, idle_us, ..Temporal::default() };
    (Breakdown { steps, temporal, idle, ..Breakdown::default() }, exposed)
}

fn compared(before: &(Breakdown, Vec<Exposed>), after: &(Breakdown, Vec<Exposed>)) -> Comparison {
    let comparison = of_profiles((&before.0, &before.1), (&after.0, &after.1));
    adds_up(&comparison);
    comparison
}

#[test]
fn steps_are_held_against_steps() {
    let before = profile(2, 8_000.0, &[("gemm", 20, 40_000.0, 40_000.0), ("ncclKernel", 4, 30_000.0, 20_000.0)]);
    let after = profile(4, 16_000.0, &[("gemm", 40, 80_000.0, 80_000.0), ("ncclKernel", 8, 90_000.0, 76_000.0)]);
    let comparison = compared(&before, &after);
    assert_eq!((comparison.before, comparison.after), (34_000.0, 43_000.0));
    assert_eq!(
        comparison.verdict(),
        "Steps take 9.00 ms longer (+26 %): 9.00 ms of it (100 %) is ncclKernel, called as often as before but each 1.50 times as long"
    );
    let calls = comparison.parts[0].calls.unwrap();
    assert_eq!((calls.before, calls.after, calls.by_count, calls.by_length), (2.0, 2.0, 0.0, 9_000.0));
}

#[test]
fn more_calls_are_told_from_slower_ones() {
    let before = profile(1, 0.0, &[("gemm", 10, 10_000.0, 10_000.0), ("old", 1, 5_000.0, 5_000.0)]);
    let after = profile(1, 500.0, &[("gemm", 20, 30_000.0, 30_000.0), ("new", 2, 4_000.0, 4_000.0)]);
    let comparison = compared(&before, &after);
    let parts: Vec<(&str, f64)> = comparison.parts.iter().map(|part| (part.name.as_str(), part.difference)).collect();
    let idle = "idle time since the host launches too late";
    assert_eq!(parts, [("gemm", 20_000.0), ("old", -5_000.0), ("new", 4_000.0), (idle, 500.0)]);
    let calls = comparison.parts[0].calls.unwrap();
    assert_eq!((calls.by_count, calls.by_length), (10_000.0, 10_000.0));
    assert_eq!(comparison.parts[1].how, "which is no longer there");
    assert_eq!(comparison.parts[2].how, "which was not there before");
    let groups: Vec<(&str, f64)> = comparison.groups.iter().map(|group| (group.group, group.difference)).collect();
    assert_eq!(groups, [("computation", 19_000.0), ("idle", 500.0)]);
}

#[test]
fn traces_without_steps_are_compared_whole() {
    let before = profile(0, 0.0, &[("gemm", 10, 10_000.0, 10_000.0)]);
    let comparison = compared(&before, &profile(3, 0.0, &[("gemm", 10, 10_050.0, 10_050.0)]));
    assert_eq!(comparison.verdict(), "Traces take as long as before: 10.1 ms (+0.5 %)");
    assert!(comparison.parts.iter().all(|part| part.share.is_none()));
}

#[test]
fn of_many_names_the_rest_is_one_part() {
    let names: Vec<String> = (0..1_000).map(|name| format!("kernel{name}")).collect();
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), 1, 3.0, 3.0)).collect();
    let comparison = compared(&profile(1, 1.0, &[]), &profile(1, 1.0, &all));
    assert_eq!((comparison.parts.len(), comparison.parts[199].name.as_str()), (PARTS_MAX, "802 others"));
}

#[test]
fn what_changed_is_said() {
    let calls = |after: f64| Calls { before: 10.0, after, by_count: 0.0, by_length: 0.0 };
    for (after, exposed, alone, expected) in [
        (10.0, 2.0, 2.0, "called as often as before but each 2.00 times as long"),
        (10.0, 0.5, 0.5, "called as often as before but each 2.00 times as fast"),
        (20.0, 1.0, 1.0, "called 2.00 times as often but each as long as before"),
        (20.0, 3.0, 3.0, "called 2.00 times as often and each 3.00 times as long"),
        (10.0, 2.0, 1.0, "called as often as before and each as long as before, and less of it runs behind other work"),
    ] {
        assert_eq!(how(&calls(after), exposed, alone), expected);
    }
}

#[test]
fn workers_are_held_against_themselves() {
    let steps = |lengths: &[f64]| Steps { workers: vec![3, 5], steps: vec![1, 2], lengths: lengths.to_vec() };
    let mut after = steps(&[4.0, 4.0, 9.0, f64::NAN]);
    after.workers[0] = 2;
    let comparison = of_steps(&steps(&[4.0, 4.0, 6.0, 6.0]), &after).unwrap();
    adds_up(&comparison);
    let whose = "worker 5, whose step takes 1.50 times as long as before";
    assert_eq!(comparison.verdict(), format!("Steps take 3.00 longer (+50 %): 3.00 of it (100 %) is {whose}"));
    assert_eq!(comparison.notes[0], "2 workers are in one of the two only, and are left out.");
    assert!(of_steps(&Steps { workers: vec![7], ..after.clone() }, &after).is_err());
}
