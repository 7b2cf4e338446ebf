//! The spread of many numbers in little memory.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts numbers in buckets that keep their eleven highest bits: what lies in the middle is right to 0.1 %, and the ends exactly.
#[derive(Clone, Debug, Default)]
pub(super) struct Sizes {
    buckets: BTreeMap<u64, u64>,
    ends: Option<(u64, u64)>,
    count: u64,
    sum: u128,
}

/// How numbers are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The smallest.
    pub smallest: u64,
    /// One in twenty is no larger than this.
    pub p5: u64,
    /// Half of them are no larger than this; it is right to 0.1 %, and so are `p5` and `p95`.
    pub median: u64,
    /// One in twenty is larger than this.
    pub p95: u64,
    /// The largest.
    pub largest: u64,
}

/// Significant bits that a bucket keeps.
const BITS: u32 = 11;

impl Sizes {
    pub(super) fn add(&mut self, number: u64) {
        let cut = (u64::BITS - number.leading_zeros()).saturating_sub(BITS);
        *self.buckets.entry(number >> cut << cut).or_default() += 1;
        let (smallest, largest) = self.ends.unwrap_or((number, number));
        self.ends = Some((smallest.min(number), largest.max(number)));
        self.count += 1;
        self.sum += u128::from(number);
    }

    /// Adds what another has counted.
    pub(super) fn merge(&mut self, other: Sizes) {
        for (bucket, count) in other.buckets {
            *self.buckets.entry(bucket).or_default() += count;
        }
        self.ends = match (self.ends, other.ends) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (some, other) => some.or(other),
        };
        self.count += other.count;
        self.sum += other.sum;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn sum(&self) -> u64 {
        u64::try_from(self.sum).unwrap_or(u64::MAX)
    }

    /// How they are spread; none where there are none.
    pub(super) fn spread(&self) -> Option<Spread> {
        let (smallest, largest) = self.ends?;
        let percentile = |percent| self.percentile(percent).clamp(smallest, largest);
        let [p5, median, p95] = [5, 50, 95].map(percentile);
        Some(Spread { smallest, p5, median, p95, largest })
    }

    /// The smallest number that so many of a hundred do not pass.
    fn percentile(&self, percent: u64) -> u64 {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        for (number, count) in &self.buckets {
            seen += u128::from(*count);
            if seen >= rank {
                return *number;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_right_to_a_thousandth_and_the_ends_exactly() {
        let (mut sizes, mut rest) = (Sizes::default(), Sizes::default());
        for number in 1..=100_000_u64 {
            if number % 3 == 0 { sizes.add(number * 37) } else { rest.add(number * 37) }
        }
        sizes.merge(rest);
        let spread = sizes.spread().unwrap();
        assert_eq!((spread.smallest, spread.largest, sizes.count()), (37, 3_700_000, 100_000));
        assert_eq!(sizes.sum(), 37 * 50_000 * 100_001);
        for (found, exact) in [(spread.p5, 5_000 * 37), (spread.median, 50_000 * 37), (spread.p95, 95_000 * 37)] {
            assert!(found <= exact && (exact - found) * 1_000 <= exact, "{found} for {exact}");
        }
        assert_eq!(Sizes::default().spread(), None);
    }
}
