//! Fidelity: does the baseline replay reproduce the waits this history recorded? Asked before any proof is shown.

use serde::Serialize;

use crate::history::{History, Recorded};
use crate::measure::Spread;
use crate::outcome::Outcome;

/// How well a baseline replay reproduces what was recorded, for all and per queue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fidelity {
    /// All queues together.
    pub all: Match,
    /// Queue by queue.
    pub queues: Vec<Match>,
}

/// How well the waits of some workloads are reproduced.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// Whose: `all` or a queue.
    pub name: String,
    /// Workloads whose recorded start is known and that ran in the replay.
    pub count: u64,
    /// The recorded mean wait, in seconds.
    pub recorded_wait_s: f64,
    /// The replayed mean wait, in seconds.
    pub replayed_wait_s: f64,
    /// By how much the first start is off, without sign, in seconds.
    pub start_error_s: Spread,
    /// What follows.
    pub verdict: Verdict,
}

/// What a fidelity allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The replay reproduces the record: what it says of waits can be promised.
    Reproduced,
    /// It does not: nothing that hangs on these waits is promised.
    NotReproduced,
    /// The source records no starts: waits are those of the replay, and said to be.
    NotRecorded,
}

/// Mean waits may differ by this part of the recorded one …
const WAIT_TOLERANCE: f64 = 0.15;
/// … or by this much, whichever is more: a minute is below what people plan by.
const WAIT_TOLERANCE_S: f64 = 60.0;

/// Compares a baseline replay with the record.
#[must_use]
pub fn fidelity(history: &History, baseline: &Outcome) -> Fidelity {
    fidelity_of(history, baseline, |_| true)
}

/// The same for some of the workloads.
#[must_use]
pub fn fidelity_of(history: &History, baseline: &Outcome, who: impl Fn(&Recorded) -> bool) -> Fidelity {
    let mut all = Tally::default();
    let mut queues = vec![Tally::default(); history.names.queues.len()];
    for (recorded, fate) in history.workloads.iter().zip(&baseline.workloads).filter(|(recorded, _)| who(recorded)) {
        let queue = &mut queues[recorded.workload.queue.index()];
        let Some(start) = recorded.attempts.first().and_then(|run| run.start) else { continue };
        let (Some(recorded_wait), Some(wait), Some(replayed)) = (recorded.wait(), fate.wait(), fate.start()) else {
            continue;
        };
        for tally in [&mut all, queue] {
            tally.recorded_s += recorded_wait.as_seconds();
            tally.replayed_s += wait.as_seconds();
            tally.errors_s.push(replayed.since(start).as_seconds().abs());
        }
    }
    let names = history.names.queues.iter();
    let used: Vec<bool> = {
        let mut used = vec![false; history.names.queues.len()];
        let theirs = history.workloads.iter().filter(|recorded| who(recorded));
        theirs.for_each(|recorded| used[recorded.workload.queue.index()] = true);
        used
    };
    let queues = queues.into_iter().zip(names).zip(used).filter(|(_, used)| *used);
    Fidelity { all: all.judge("all"), queues: queues.map(|((tally, name), _)| tally.judge(name)).collect() }
}

impl Fidelity {
    /// What is known of one queue.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<&Match> {
        self.queues.iter().find(|queue| queue.name == name)
    }
}

#[derive(Clone, Debug, Default)]
struct Tally {
    recorded_s: f64,
    replayed_s: f64,
    errors_s: Vec<f64>,
}

impl Tally {
    fn judge(self, name: &str) -> Match {
        let count = self.errors_s.len() as f64;
        let Some(start_error_s) = Spread::of(self.errors_s) else {
            return Match {
                name: name.to_owned(),
                count: 0,
                recorded_wait_s: 0.0,
                replayed_wait_s: 0.0,
                start_error_s: Spread::default(),
                verdict: Verdict::NotRecorded,
            };
        };
        let (recorded, replayed) = (self.recorded_s / count, self.replayed_s / count);
        let tolerance = (recorded * WAIT_TOLERANCE).max(WAIT_TOLERANCE_S);
        let close = (recorded - replayed).abs() <= tolerance && start_error_s.p50 <= tolerance;
        Match {
            name: name.to_owned(),
            count: start_error_s.count,
            recorded_wait_s: recorded,
            replayed_wait_s: replayed,
            start_error_s,
            verdict: if close { Verdict::Reproduced } else { Verdict::NotReproduced },
        }
    }
}
