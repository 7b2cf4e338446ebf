//! Pipelines small enough to be worked out by hand.

use super::*;

/// Adds an operation of step `step`; what it is numbered follows from those before it.
struct Written(Vec<Operation>);

impl Written {
    fn add(&mut self, (dp_rank, stage, step): (u32, u32, u64), kind: Kind, start: f64, length: f64) {
        let same = |operation: &&Operation| {
            (operation.dp_rank, operation.stage, operation.step, operation.kind) == (dp_rank, stage, step, kind)
        };
        let computes = matches!(kind, Kind::ForwardCompute | Kind::BackwardCompute);
        self.0.push(Operation {
            dp_rank,
            stage,
            rank: 10 * stage + dp_rank,
            step,
            kind,
            start_seconds: start,
            seconds: length,
            sequence: self.0.iter().filter(same).count() as u32,
            chunk: Some(0).filter(|_| computes || kind == Kind::GradsReduceScatter),
            model_chunk: Some(stage).filter(|_| computes),
        });
    }
}

/// One stage, `factors` data-parallel ranks that each compute four micro-batches, forward in a second and backward in two, all
/// times the rank's factor; gradients are reduced in half a second once all have come.
fn data_parallel(factors: &[f64]) -> Vec<Operation> {
    let mut written = Written(Vec::new());
    for step in 0..4 {
        let begin = 100.0 * step as f64;
        let slowest = 12.0 * factors.iter().copied().fold(0.0, f64::max);
        for (dp_rank, factor) in (0..).zip(factors) {
            let at = (dp_rank, 0, step);
            let mut now = begin;
            for _ in 0..4 {
                written.add(at, Kind::ForwardCompute, now, *factor);
                written.add(at, Kind::BackwardCompute, now + factor, 2.0 * factor);
                now += 3.0 * factor;
            }
            let reduced = begin + slowest + 0.5;
            written.add(at, Kind::GradsReduceScatter, now, reduced - now);
            written.add(at, Kind::Optimizer, reduced, 0.25);
        }
    }
    written.0
}

fn lived(operations: &[Operation]) -> (Trace, WhatIf) {
    let trace = Trace::of(operations).unwrap();
    let whatif = whatif(&trace).unwrap();
    (trace, whatif)
}

fn close(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value}, expected {expected}");
}

#[test]
fn a_slow_rank_costs_what_it_costs() {
    let (trace, whatif) = lived(&data_parallel(&[1.0, 1.0, 2.0, 1.0]));
    // 24.75 s; without stragglers every computation takes 1.25 times its length: 15.75 s.
    close(whatif.recorded_seconds, 24.75);
    close(whatif.even_seconds, 15.75);
    close(whatif.slowdown, 24.75 / 15.75);
    close(whatif.worst_workers_share, 1.0);
    close(whatif.by_dp_rank[2].slowdown, 24.75 / 15.75);
    close(whatif.by_dp_rank[0].slowdown, 1.0);
    let findings = findings(&trace, &whatif);
    assert_eq!((findings.len(), findings[0].rule.as_str()), (1, "slow-worker"));
    assert!(findings[0].verdict.starts_with("Rank 2 is slow: every step waits for it"), "{}", findings[0].verdict);
}

#[test]
fn ranks_that_are_alike_straggle_not() {
    let (trace, whatif) = lived(&data_parallel(&[1.0, 1.0, 1.0]));
    close(whatif.slowdown, 1.0);
    assert_eq!((whatif.cause, findings(&trace, &whatif)), (None, Vec::new()));
}

#[test]
fn micro_batches_of_different_length_are_told_by_their_correlation() {
    let mut operations = data_parallel(&[1.0; 8]);
    // In each step two of the ranks have a micro-batch that is five times as long, forward and backward.
    for operation in &mut operations {
        let computes = matches!(operation.kind, Kind::ForwardCompute | Kind::BackwardCompute);
        if computes && operation.sequence == 1 && u64::from(operation.dp_rank % 4) == operation.step {
            operation.seconds *= 5.0;
        }
    }
    // The moments are no longer those of one run, and need not be: what counts is how long things take.
    let (_, whatif) = lived(&operations);
    assert!(whatif.correlation > CORRELATED, "{}", whatif.correlation);
    assert_eq!(whatif.cause, Some(Cause::UnevenLengths));
}

#[test]
fn steps_that_lack_something_are_left_out() {
    let mut operations = data_parallel(&[1.0, 1.0]);
    let dropped = operations.iter().position(|operation| operation.step == 1 && operation.kind == Kind::Optimizer);
    operations.remove(dropped.unwrap());
    let doubled = operations.iter().find(|operation| operation.step == 2).copied().unwrap();
    operations.push(doubled);
    let trace = Trace::of(&operations).unwrap();
    assert_eq!(trace.steps, [0, 3]);
    let told: Vec<String> =
        trace.left_out.iter().map(|(step, lack)| format!("{step}: {}", trace.told(*lack))).collect();
    assert_eq!(told, ["1: it has 19 operations where others have 20", "2: it has 21 operations where others have 20"]);
}

#[test]
fn a_step_with_something_twice_and_something_missing_is_left_out() {
    let mut operations = data_parallel(&[1.0, 1.0]);
    let of_step_1: Vec<usize> = (0..operations.len()).filter(|&at| operations[at].step == 1).collect();
    operations[of_step_1[0]] = operations[of_step_1[1]];
    let trace = Trace::of(&operations).unwrap();
    assert_eq!((trace.steps.as_slice(), trace.left_out.as_slice()), (&[0, 2, 3][..], &[(1, Lack::Doubled)][..]));
    assert_eq!(trace.lanes(), 6);
    close(trace.step_seconds()[1], 12.75);
}

#[test]
fn steps_that_are_left_out_are_not_laid_out() {
    let mut operations = data_parallel(&[1.0, 1.0]);
    let one = operations[0];
    // Three steps of one row each, three of two, and so on: fewer of each than there are whole ones.
    for step in 1_000..1_030 {
        operations.extend((0..=(step - 1_000) / 3).map(|_| Operation { step, ..one }));
    }
    let trace = Trace::of(&operations).unwrap();
    assert_eq!((trace.steps.as_slice(), trace.left_out.len()), (&[0, 1, 2, 3][..], 30));
    assert_eq!(trace.starts(0).len(), 8);
}

#[test]
fn what_does_not_fit_together_is_said() {
    let check = |operations: &[Operation], expected: &str| {
        let error = Trace::of(operations).and_then(|trace| whatif(&trace)).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    check(&[], "it holds no operation");
    let mut no_optimizer = data_parallel(&[1.0]);
    no_optimizer.retain(|operation| operation.kind != Kind::Optimizer);
    check(&no_optimizer, "stage 0 has no `optimizer`");
    let mut numbered_wrongly = data_parallel(&[1.0]);
    numbered_wrongly.iter_mut().for_each(|operation| operation.sequence += 1);
    check(&numbered_wrongly, "expected numbers from 0");
    let mut far = data_parallel(&[1.0]);
    far[0].stage = 1_000_000;
    check(&far, "are more than its");
}

/// Two stages and two micro-batches, as `1F1B` runs them: stage 0 sends forward, stage 1 sends back.
fn two_stages() -> Vec<Operation> {
    let mut written = Written(Vec::new());
    for step in 0..2 {
        let begin = 50.0 * step as f64;
        let (first, last) = ((0, 0, step), (0, 1, step));
        use Kind::{BackwardCompute, BackwardRecv, BackwardSend, ForwardCompute, ForwardRecv, ForwardSend, Optimizer};
        for (at, kind, start, end) in [
            (first, ForwardCompute, 0.0, 1.0),
            (first, ForwardSend, 1.0, 1.5),
            (last, ForwardRecv, 0.0, 1.5),
            (first, ForwardCompute, 1.0, 2.0),
            (first, ForwardSend, 2.0, 2.5),
            (last, ForwardCompute, 1.5, 4.5),
            (last, ForwardRecv, 1.5, 2.5),
            (last, BackwardCompute, 4.5, 5.5),
            (last, BackwardSend, 5.5, 6.0),
            (first, BackwardRecv, 2.0, 6.0),
            (last, ForwardCompute, 5.5, 8.5),
            (first, BackwardCompute, 6.0, 7.0),
            (last, BackwardCompute, 8.5, 9.5),
            (last, BackwardSend, 9.5, 10.0),
            (first, BackwardRecv, 6.0, 10.0),
            (first, BackwardCompute, 10.0, 11.0),
            (first, Optimizer, 11.0, 11.5),
            (last, Optimizer, 9.5, 10.0),
        ] {
            written.add(at, kind, begin + start, end - start);
        }
    }
    written.0
}

#[test]
fn transfers_between_stages_are_waited_for() {
    let operations = two_stages();
    let (trace, whatif) = lived(&operations);
    let dependencies = Dependencies::of(&trace).unwrap();
    assert_eq!(dependencies.groups.iter().filter(|group| group.len() == 2).count(), 4, "two each way");
    // Lived again as recorded, it takes as long as it took.
    close(whatif.straight_seconds, whatif.recorded_seconds);
    close(whatif.recorded_seconds, 11.5);
    // The last stage takes three seconds forward, the first takes one: evened out, all that is lost comes back.
    let share = whatif.shares.iter().find(|share| share.cause == Cause::UnevenStages).unwrap();
    close(share.share, 1.0);
    let mut one_less = operations;
    one_less.retain(|operation| !(operation.kind == Kind::BackwardRecv && operation.sequence == 1));
    let error = Trace::of(&one_less).and_then(|trace| super::whatif(&trace)).unwrap_err();
    assert_eq!(error, "stage 1 has 2 backward-send, and stage 0 has 1 backward-recv to meet them");
}

#[test]
fn a_timeline_has_both_lives() {
    let trace = Trace::of(&two_stages()).unwrap();
    let timeline = Timeline::of(&trace).unwrap();
    assert_eq!(timeline.step_seconds(Life::AsRecorded), [11.5, 11.5]);
    // Forward computations take two seconds each, backward ones one: the last stage ends its second after 8.5 s.
    assert_eq!(timeline.step_seconds(Life::WithoutStragglers), [10.5, 10.5]);
    let (first, last) = (0..2, Kind::BackwardCompute);
    let of_last: Vec<(f64, f64)> = timeline
        .spans(Life::AsRecorded, 1)
        .filter(|span| first.contains(&span.sequence) && span.kind == last && span.worker == 0)
        .map(|span| (span.start_seconds, span.seconds))
        .collect();
    assert_eq!(of_last, [(6.0, 1.0), (10.0, 1.0)]);
    assert_eq!(chosen(&timeline, Chosen::Default), Ok(vec![0, 1]));
    assert_eq!(chosen(&timeline, Chosen::Step(1)), Ok(vec![1]));
    assert_eq!(chosen(&timeline, Chosen::Step(7)), Err("it has no step 7 that is whole; it has 0, 1".to_owned()));
}

#[test]
fn a_timeline_is_written_for_perfetto() {
    let trace = Trace::of(&two_stages()).unwrap();
    let timeline = Timeline::of(&trace).unwrap();
    let mut written = Vec::new();
    write_chrome(&timeline, &[0, 1], &mut written).unwrap();
    let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
    let events = written["traceEvents"].as_array().unwrap();
    let of = |name: &str, ph: &str| events.iter().filter(|e| e["name"] == name && e["ph"] == ph).collect::<Vec<_>>();
    let processes: Vec<&str> =
        of("process_name", "M").iter().map(|event| event["args"]["name"].as_str().unwrap()).collect();
    assert_eq!(processes.len(), 5);
    assert_eq!(processes[..2], ["steps", "as recorded: dp_rank 0, stage 0 (rank 0)"]);
    assert_eq!(processes[4], "without stragglers: dp_rank 0, stage 1 (rank 10)");
    // The second step begins in both lives where the longer of the first ended.
    let second = of("step 1", "X");
    assert_eq!(second.iter().map(|event| event["ts"].as_f64().unwrap()).collect::<Vec<_>>(), [11.5e6, 11.5e6]);
    assert_eq!(second.iter().map(|event| event["dur"].as_f64().unwrap()).collect::<Vec<_>>(), [11.5e6, 10.5e6]);
    assert_eq!(of("forward-compute", "X").len(), 2 * 2 * 4);
    nothing_overlaps(events);
}

/// On one thread, what begins later begins after what came before it has ended; else it would be drawn within it.
fn nothing_overlaps(events: &[serde_json::Value]) {
    let mut threads = std::collections::BTreeMap::<(u64, u64), Vec<(f64, f64)>>::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let (start, length) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        threads.entry(thread).or_default().push((start, start + length));
    }
    for ((pid, tid), mut spans) in threads {
        spans.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        assert!(spans.windows(2).all(|pair| pair[1].0 >= pair[0].1 - 0.001), "process {pid}, thread {tid}");
    }
}

#[test]
fn a_step_is_drawn_worker_by_worker() {
    let (trace, whatif) = lived(&two_stages());
    let timeline = Timeline::of(&trace).unwrap();
    let drawing = crate::drawing::of_pipeline(&timeline, &whatif, 1);
    let lanes: Vec<(&str, &str, usize)> =
        drawing.lanes.iter().map(|lane| (lane.group.as_str(), lane.name.as_str(), lane.segments.len())).collect();
    let names = ["dp 0, stage 0 (rank 0)", "dp 0, stage 1 (rank 10)"];
    let of = |group| names.map(|name| (group, name, 9));
    assert_eq!(lanes, [of("as recorded"), of("without stragglers")].concat());
    assert_eq!((drawing.unit, drawing.to), ("ms", 11_500.0));
}

#[test]
fn two_traces_are_held_against_each_other() {
    let (before, after) = (lived(&data_parallel(&[1.0, 1.0, 1.0])), lived(&data_parallel(&[1.0, 1.0, 4.0])));
    let comparison = crate::compare::of_pipelines((&before.0, &before.1), (&after.0, &after.1)).unwrap();
    let differences = |name: &str| {
        let parts = comparison.parts.iter().filter(|part| part.name == name);
        parts.map(|part| part.difference).sum::<f64>()
    };
    // On average all computations take twice as long, 24 s instead of 12; the slow rank's take as long again.
    close(comparison.difference(), 36.0);
    close(differences("forward-compute"), 4.0);
    close(differences("backward-compute"), 8.0);
    close(differences("stragglers"), 24.0);
    close(comparison.parts.iter().map(|part| part.difference).sum(), 36.0);
    close(comparison.groups.iter().map(|part| part.difference).sum(), 36.0);
    let verdict = comparison.verdict();
    assert!(
        verdict.starts_with("Steps take 36.0 s longer (+282 %): 24.0 s of it (67 %) is stragglers, which"),
        "{verdict}"
    );
}
