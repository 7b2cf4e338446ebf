//! Two replays of one history, job by job.

use fleet::recommendation::Interval;
use serde::Serialize;

use super::bootstrap::interval_of_mean;
use super::waits::slowdown;
use crate::history::History;
use crate::outcome::Outcome;

/// What the candidate changes for the same workloads, candidate − baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Whose: `all` or a queue.
    pub name: String,
    /// Workloads that ran in both.
    pub count: u64,
    /// Of the mean wait, in seconds.
    pub wait_s: Interval,
    /// Of the mean bounded slowdown.
    pub slowdown: Interval,
    /// How many wait longer than before, by a minute or more.
    pub worse: u64,
    /// How many wait shorter than before, by a minute or more.
    pub better: u64,
}

pub(super) const DAY_MS: i64 = 86_400_000;

/// What the candidate changes, for all and for each queue.
#[must_use]
pub fn compare(history: &History, baseline: &Outcome, candidate: &Outcome, seed: u64) -> (Difference, Vec<Difference>) {
    let mut pairs = Vec::with_capacity(history.workloads.len());
    for (index, recorded) in history.workloads.iter().enumerate() {
        let (before, after) = (&baseline.workloads[index], &candidate.workloads[index]);
        let (Some(wait_before), Some(wait_after)) = (before.wait(), after.wait()) else { continue };
        pairs.push(Pair {
            queue: recorded.workload.queue.index(),
            day: recorded.submit.0.div_euclid(DAY_MS),
            wait_s: wait_after.as_seconds() - wait_before.as_seconds(),
            slowdown: slowdown(wait_after, after.run()) - slowdown(wait_before, before.run()),
        });
    }
    let all = difference("all", pairs.iter(), seed);
    let mut by_queue: Vec<Vec<&Pair>> = vec![Vec::new(); history.names.queues.len()];
    for pair in &pairs {
        by_queue[pair.queue].push(pair);
    }
    let queues = by_queue.iter().enumerate().filter(|(_, pairs)| !pairs.is_empty());
    let queues = queues.map(|(queue, pairs)| difference(history.names.queues.name(queue), pairs.iter().copied(), seed));
    (all, queues.collect())
}

pub(super) struct Pair {
    pub(super) queue: usize,
    pub(super) day: i64,
    pub(super) wait_s: f64,
    pub(super) slowdown: f64,
}

pub(super) fn difference<'a>(name: &str, pairs: impl Iterator<Item = &'a Pair> + Clone, seed: u64) -> Difference {
    const MINUTE_S: f64 = 60.0;
    Difference {
        name: name.to_owned(),
        count: pairs.clone().count() as u64,
        wait_s: interval_of_mean(pairs.clone().map(|pair| (pair.day, pair.wait_s)), seed),
        slowdown: interval_of_mean(pairs.clone().map(|pair| (pair.day, pair.slowdown)), seed),
        worse: pairs.clone().filter(|pair| pair.wait_s >= MINUTE_S).count() as u64,
        better: pairs.filter(|pair| pair.wait_s <= -MINUTE_S).count() as u64,
    }
}
