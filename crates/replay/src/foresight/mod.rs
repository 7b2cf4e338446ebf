//! When will those who wait start? Asked again and again while time passes, of all of them at once: a copy of the engine lives the time
//! ahead several times over (`crate::forward`), and what became of those of whom the like was said tells how far to trust that.
//!
//! [`look()`] is the work, and needs nothing but a copy of the engine; [`Foresight`] keeps what was seen and learns from what comes of it.

mod look;

use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::seed::Seed;
use crate::spread::{Manner, Spread};

pub use look::{Seen, look, look_for};

/// Chosen on slices of Philly's list of 4,000 jobs each, handed in within minutes on 64 devices, asked from the first minute on: of eight
/// slices intervals hold in 75 to 83 of 100 each. With steps half as large they hold in 70 to 82, with a third as many noted in 63 to 87.
const MANNER: Manner = Manner { shortest: Millis::seconds(1), step: 4, before: Some(640) };
/// Of so many it is noted at each look what was said of them, so that it can be held against what comes.
const NOTED: usize = 24;
/// No more are noted than this while it is not known how they end.
const OPEN_MAX: usize = 10_000;

/// When one is expected to start, counted from the moment that was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// One of ten starts sooner.
    pub low: Millis,
    /// Half start sooner; absent: later than could be seen.
    pub median: Option<Millis>,
    /// Nine of ten start sooner; absent: later than could be seen.
    pub high: Option<Millis>,
}

/// What was seen last, and how far such sight reaches.
#[derive(Clone, Debug)]
pub struct Foresight {
    spread: Spread,
    seed: Seed,
    seen: Option<Seen>,
}

impl Foresight {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { spread: Spread::new(MANNER), seed: Seed::new(seed), seen: None }
    }

    /// Takes in what a look has seen, and notes what it says of some.
    pub fn saw(&mut self, seen: Seen) {
        for _ in 0..NOTED.min(seen.len()).min(OPEN_MAX.saturating_sub(self.spread.open())) {
            let (workload, waits) = seen.nth(self.seed.below(seen.len() as u64) as usize);
            if let Some(wait) = waits.median() {
                self.spread.ask(workload, wait, seen.at());
            }
        }
        self.seen = Some(seen);
    }

    /// Whether anything is awaited of those who wait: else whoever starts is no news.
    #[must_use]
    pub fn awaits(&self) -> bool {
        self.spread.open() > 0
    }

    /// Learns that one has started.
    pub fn started(&mut self, workload: WorkloadId, at: Timestamp) {
        self.spread.started(workload, at);
    }

    /// Forgets one who does not wait any more.
    pub fn withdrawn(&mut self, workload: WorkloadId) {
        self.spread.withdrawn(workload);
    }

    /// What the last look says of one, if it saw it and is no older than `age_max`.
    #[must_use]
    pub fn expected(&self, workload: WorkloadId, now: Timestamp, age_max: Millis) -> Option<Expected> {
        let seen = self.seen.as_ref().filter(|seen| now.since(seen.at()) <= age_max)?;
        Some(self.of(seen, workload)?.passed(now.since(seen.at())))
    }

    /// What a look says of one whom it saw, from the moment of the look on.
    #[must_use]
    pub fn of(&self, seen: &Seen, workload: WorkloadId) -> Option<Expected> {
        let waits = seen.waits(workload)?;
        let median = waits.median();
        let interval = median.and_then(|median| self.spread.interval(median));
        let (low, high) = interval.map_or((waits.least(), None), |(low, high)| (low, Some(high)));
        Some(Expected { low, median, high })
    }
}

impl Expected {
    /// The same, when so much time has passed.
    fn passed(self, passed: Millis) -> Self {
        let left = |wait: Millis| wait.saturating_sub(passed).max(Millis::ZERO);
        Self { low: left(self.low), median: self.median.map(left), high: self.high.map(left) }
    }
}
