//! A sample summed up.

use serde::Serialize;

/// A sample summed up. Quantiles are nearest-rank: the smallest value that at least so many of the sample do not pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 95 of a hundred are at most this.
    pub p95: f64,
    /// 99 of a hundred are at most this.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Sums up a sample; `None` if it is empty.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let sum: f64 = values.iter().sum();
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let rank = |percent: usize| values[(count * percent).div_ceil(100).max(1) - 1];
        Some(Self {
            count: count as u64,
            mean: sum / count as f64,
            p50: rank(50),
            p95: rank(95),
            p99: rank(99),
            max: values[count - 1],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_rank() {
        let spread = Spread::of((1..=200).rev().map(f64::from).collect()).expect("not empty");
        assert_eq!((spread.p50, spread.p95, spread.p99, spread.max), (100.0, 190.0, 198.0, 200.0));
        assert_eq!(Spread::of(vec![7.0]).map(|s| (s.count, s.p99 as u64)), Some((1, 7)));
        assert!(Spread::of(Vec::new()).is_none());
    }
}
