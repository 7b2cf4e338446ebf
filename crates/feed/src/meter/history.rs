//! The last seconds: a loader that runs for days is judged by what it does now.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Totals;

/// How far back it reaches, and how often it is noted.
const REACH: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(250);

/// What a meter said at some moments.
#[derive(Debug, Default)]
pub struct History {
    noted: VecDeque<(Instant, Totals)>,
}

impl History {
    /// Notes what a meter says now, if it is time to.
    pub fn note(&mut self, now: Instant, totals: impl FnOnce() -> Totals) {
        if self.noted.back().is_some_and(|(last, _)| now.duration_since(*last) < STEP) {
            return;
        }
        self.noted.push_back((now, totals()));
        // One stays that is older, so that there is always one to begin from.
        while self.noted.get(1).is_some_and(|(second, _)| now.duration_since(*second) >= REACH) {
            self.noted.pop_front();
        }
    }

    /// What happened lately until now, and in how many seconds; all since the beginning where that is not long ago.
    pub fn recent(&self, now: Instant, totals: Totals) -> (f64, Totals) {
        let Some((first, before)) = self.noted.front() else { return (0.0, Totals::default()) };
        (now.duration_since(*first).as_secs_f64(), totals - *before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_seconds_count() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let totals = |samples: f64| Totals { samples, ..Totals::default() };
        let mut history = History::default();
        assert!(history.recent(start, totals(0.0)).0.abs() < 1e-9);
        for step in 0..1000_u32 {
            history.note(at(u64::from(step) * 100), || totals(f64::from(step)));
        }
        let (seconds, recent) = history.recent(at(100_000), totals(1000.0));
        assert!((10.0..10.6).contains(&seconds), "{seconds}");
        assert!((recent.samples - 10.0 * seconds).abs() < 1.0, "{recent:?}");
        assert!(history.noted.len() < 50);
    }
}
