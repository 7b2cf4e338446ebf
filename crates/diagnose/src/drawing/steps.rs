//! Times of steps against those of peers: a lane for each worker.

use std::collections::BTreeSet;

use super::{Drawing, Kind, Lane, Mark, SEGMENTS_MAX, Segment, Tone};
use crate::median::{mean, median};
use crate::steps::{Episode, Steps};

/// So many times in which workers are slow are framed, those that are slowest.
const MARKS_MAX: usize = 1_000;

/// So many workers are drawn.
const WORKERS_MAX: usize = 256;

/// How many times as long as that of its peers a step is, from which on it looks so.
const LEVELS: [(f64, &str, Tone); 5] = [
    (0.0, "faster than its peers (below 0.9 times)", Tone::Good),
    (0.9, "as its peers (0.9 to 1.1 times)", Tone::Plain),
    (1.1, "1.1 to 1.2 times as long as its peers", Tone::Warm),
    (1.2, "1.2 to 1.5 times as long", Tone::Hot),
    (1.5, "1.5 times as long or more", Tone::Burning),
];

/// Every worker that can be drawn, with its episodes marked.
#[must_use]
pub fn of_steps(steps: &Steps, episodes: &[Episode]) -> Drawing {
    let ratios = ratios(steps);
    let drawn = drawn(steps, episodes, &ratios);
    let together = steps.steps.len().div_ceil((SEGMENTS_MAX / drawn.len().max(1)).max(1)).max(1);
    let lanes = drawn.iter().map(|&worker| Lane {
        group: String::new(),
        name: format!("worker {}", steps.workers[worker]),
        segments: segments(&steps.steps, &ratios[worker * steps.steps.len()..][..steps.steps.len()], together),
    });
    let lane_of = |worker: u64| drawn.iter().position(|&drawn| steps.workers[drawn] == worker);
    let mut slowest: Vec<&Episode> = episodes.iter().collect();
    slowest.sort_by(|a, b| b.slowdown.total_cmp(&a.slowdown));
    let marks = slowest.into_iter().take(MARKS_MAX).filter_map(|episode| {
        Some(Mark {
            lane: lane_of(episode.worker)?,
            from: episode.first_step as f64,
            to: (episode.last_step + 1) as f64,
            label: format!("worker {}: {:.2} times as long as its peers", episode.worker, episode.slowdown),
        })
    });
    let mut notes = vec![match together {
        1 => "Each step of a worker beside the median of all workers in that step.".to_owned(),
        _ => format!("Steps of a worker, {together} together, beside the median of all workers in each."),
    }];
    if !episodes.is_empty() {
        notes.push("What is framed are the times in which a worker is slow.".to_owned());
    }
    if drawn.len() < steps.workers.len() {
        notes.push(format!("The slowest {} of {} workers are drawn.", drawn.len(), steps.workers.len()));
    }
    Drawing {
        title: "Steps of workers, beside those of their peers".to_owned(),
        unit: "step",
        from: steps.steps.first().map_or(0.0, |first| *first as f64),
        to: steps.steps.last().map_or(1.0, |last| *last as f64 + 1.0),
        kinds: LEVELS.map(|(_, name, tone)| Kind { name: name.to_owned(), tone }).to_vec(),
        lanes: lanes.collect(),
        marks: marks.collect(),
        notes,
    }
}

/// How many times as long as the median of all workers each step is; `[worker * steps + step]`.
fn ratios(steps: &Steps) -> Vec<f64> {
    let count = steps.steps.len();
    let mut ratios = steps.lengths.clone();
    for step in 0..count {
        let of_all = || (0..steps.workers.len()).map(|worker| worker * count + step);
        let mut there: Vec<f64> = of_all().map(|cell| steps.lengths[cell]).filter(|length| !length.is_nan()).collect();
        let usual = median(&mut there).filter(|usual| *usual > 0.0).unwrap_or(f64::NAN);
        of_all().for_each(|cell| ratios[cell] /= usual);
    }
    ratios
}

/// The workers that are drawn, in their order: those with episodes, then those that are slowest.
fn drawn(steps: &Steps, episodes: &[Episode], ratios: &[f64]) -> Vec<usize> {
    let count = steps.steps.len();
    let with_episodes: BTreeSet<u64> = episodes.iter().map(|episode| episode.worker).collect();
    let slow = |worker: usize| {
        let there: Vec<f64> =
            ratios[worker * count..][..count].iter().copied().filter(|ratio| !ratio.is_nan()).collect();
        let has_episode = with_episodes.contains(&steps.workers[worker]);
        (has_episode, mean(&there).unwrap_or(0.0))
    };
    let mut workers: Vec<(usize, (bool, f64))> =
        (0..steps.workers.len()).map(|worker| (worker, slow(worker))).collect();
    workers.sort_by(|(_, a), (_, b)| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    workers.truncate(WORKERS_MAX);
    let mut drawn: Vec<usize> = workers.into_iter().map(|(worker, _)| worker).collect();
    drawn.sort_unstable();
    drawn
}

/// Neighbours that look alike are one. A step reaches to the next that was recorded.
fn segments(steps: &[u64], ratios: &[f64], together: usize) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (at, ratios) in ratios.chunks(together).enumerate() {
        let there: Vec<f64> = ratios.iter().copied().filter(|ratio| !ratio.is_nan()).collect();
        let Some(ratio) = mean(&there) else { continue };
        let kind = LEVELS.iter().rposition(|(from, ..)| ratio >= *from).unwrap_or(0);
        let (first, last) = (at * together, (at * together + ratios.len() - 1).min(steps.len() - 1));
        let start = steps[first] as f64;
        let end = steps.get(last + 1).map_or(steps[last] as f64 + 1.0, |next| *next as f64);
        match segments.last_mut() {
            Some(before) if before.kind == kind && before.start + before.length >= start => {
                before.length = end - before.start;
            }
            _ => segments.push(Segment { kind, start, length: end - start, bottom: 0, top: 100 }),
        }
    }
    segments
}
