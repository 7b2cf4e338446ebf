//! Drawings of what is small enough to be looked at, and of what is too large.

use super::*;
use crate::kineto::{Lanes, StreamLane};
use crate::steps::{self, Steps};

#[test]
fn shares_lie_one_above_the_other() {
    let half = [0.5, 0.25, 0.0, 0.0];
    let lane =
        StreamLane { device: Some(0), stream: Some(7), shares: vec![[0.0; 4], half, half, [0.0, 0.0, 1.0, 0.0]] };
    let drawing = of_streams(&Lanes { interval_us: 2_000.0, total_us: 8_000.0, lanes: vec![lane] });
    assert_eq!((drawing.to, drawing.lanes[0].name.as_str()), (8.0, "stream 7"));
    let told: Vec<_> = drawing.lanes[0].segments.iter().map(|s| (s.kind, s.start, s.length, s.bottom, s.top)).collect();
    assert_eq!(told, [(0, 2.0, 4.0, 0, 50), (1, 2.0, 4.0, 50, 75), (2, 6.0, 2.0, 0, 100)]);
}

/// Workers of which the third is slow from the tenth step on.
fn steps(workers: u64, count: u64) -> Steps {
    let length = |worker: u64, step: u64| if worker == 2 && step >= 10 { 160.0 } else { 100.0 };
    let cells = (0..workers).flat_map(|worker| (0..count).map(move |step| length(worker, step)));
    Steps {
        workers: (0..workers).collect(),
        steps: (0..count).map(|step| 10 * step).collect(),
        lengths: cells.collect(),
    }
}

#[test]
fn slow_steps_look_hot_and_episodes_are_marked() {
    let steps = steps(4, 40);
    let drawing = of_steps(&steps, &steps::episodes(&steps));
    let tones = |lane: usize| {
        let segments = drawing.lanes[lane].segments.iter();
        segments.map(|s| (drawing.kinds[s.kind].tone, s.start, s.length)).collect::<Vec<_>>()
    };
    assert_eq!(tones(0), [(Tone::Plain, 0.0, 391.0)]);
    assert_eq!(tones(2), [(Tone::Plain, 0.0, 100.0), (Tone::Burning, 100.0, 291.0)]);
    assert_eq!((drawing.marks.len(), drawing.marks[0].lane, drawing.marks[0].to), (1, 2, 391.0));
}

#[test]
fn what_was_not_recorded_is_not_drawn() {
    let mut steps = steps(4, 4);
    steps.lengths[1] = f64::NAN;
    let drawing = of_steps(&steps, &[]);
    let segments = &drawing.lanes[0].segments;
    assert_eq!(segments.iter().map(|s| (s.start, s.length)).collect::<Vec<_>>(), [(0.0, 10.0), (20.0, 11.0)]);
}

#[test]
fn of_many_workers_the_slowest_are_drawn() {
    let steps = steps(1_000, 500);
    let drawing = of_steps(&steps, &[]);
    assert_eq!(drawing.lanes.len(), 256);
    assert!(drawing.lanes.iter().any(|lane| lane.name == "worker 2"));
    assert!(drawing.lanes.iter().map(|lane| lane.segments.len()).sum::<usize>() <= SEGMENTS_MAX);
    assert!(drawing.notes.iter().any(|note| note.contains("256 of 1000 workers")), "{:?}", drawing.notes);
}
