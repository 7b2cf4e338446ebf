//! How good intervals are.

use super::Lived;

/// A forecast interval with 80 % between its ends, and a median.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) low_ms: u64,
    pub(super) middle_ms: u64,
    pub(super) high_ms: u64,
}

/// The share of runs that an interval leaves out.
const LEFT_OUT: f64 = 0.2;

/// How intervals fared over a whole log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score {
    pub(super) inside_percent: f64,
    /// Mean interval score of seconds.
    pub(super) seconds: f64,
    /// Mean interval score of log2 (seconds + 1): a guard against wins by a few very long runs.
    pub(super) octaves: f64,
    /// Mean pinball loss of the median, in seconds.
    pub(super) median_seconds: f64,
}

impl Score {
    pub(super) fn of(lived: &[Lived], intervals: &[Interval]) -> Self {
        assert_eq!(lived.len(), intervals.len(), "every run has its interval");
        let count = lived.len() as f64;
        let mut sum = Self { inside_percent: 0.0, seconds: 0.0, octaves: 0.0, median_seconds: 0.0 };
        for (lived, interval) in lived.iter().zip(intervals) {
            let inside = (interval.low_ms..=interval.high_ms).contains(&lived.ran_ms);
            let [ran, low, middle, high] =
                [lived.ran_ms, interval.low_ms, interval.middle_ms, interval.high_ms].map(|ms| ms as f64 / 1_000.0);
            sum.inside_percent += if inside { 100.0 / count } else { 0.0 };
            sum.seconds += interval_score(ran, low, high) / count;
            sum.octaves += interval_score(octaves(ran), octaves(low), octaves(high)) / count;
            sum.median_seconds += (ran - middle).abs() / 2.0 / count;
        }
        sum
    }

    pub(super) fn seconds_better_percent(&self, rival: &Self) -> f64 {
        better_percent(self.seconds, rival.seconds)
    }

    pub(super) fn octaves_better_percent(&self, rival: &Self) -> f64 {
        better_percent(self.octaves, rival.octaves)
    }
}

/// The width, and the distance of what falls outside, weighted (Gneiting and Raftery, JASA 102, 2007, equation 43).
fn interval_score(value: f64, low: f64, high: f64) -> f64 {
    (high - low) + 2.0 / LEFT_OUT * ((low - value).max(0.0) + (value - high).max(0.0))
}

fn octaves(seconds: f64) -> f64 {
    (seconds + 1.0).log2()
}

fn better_percent(ours: f64, theirs: f64) -> f64 {
    100.0 * (1.0 - ours / theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_outside_costs_ten_times_its_distance() {
        for (value, score) in [(150.0, 100.0), (100.0, 100.0), (200.0, 100.0), (210.0, 200.0), (90.0, 200.0)] {
            assert!((interval_score(value, 100.0, 200.0) - score).abs() < 1e-9, "{value}");
        }
    }
}
