//! Draws from a seed, in integers alone, so that the example is the same on every machine.

use replay::seed::Seed;

/// A seeded sequence of draws.
#[derive(Clone, Debug)]
pub(super) struct Draw(Seed);

/// Points of a distribution: in so many thousandths of cases the value is at most this. Begins at 0, ends at 1,000.
pub(super) type Quantiles = &'static [(u32, i64)];

/// Choices with their weights.
pub(super) type Weighted<T> = &'static [(u32, T)];

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(Seed::new(seed))
    }

    /// A sequence of its own for something that has a number, whatever was drawn before.
    pub(super) fn fork(seed: u64, number: u64) -> Self {
        let mut seeds = Seed::new(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Self::new(seeds.next_u64())
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        assert!(low <= high, "a range has its smaller end first");
        low + self.0.below(high.abs_diff(low) + 1) as i64
    }

    /// True in so many of a million cases.
    pub(super) fn happens(&mut self, per_million: u64) -> bool {
        self.0.below(1_000_000) < per_million
    }

    /// One of a list.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.0.below(list.len() as u64) as usize]
    }

    /// One of a weighted list.
    pub(super) fn weighted<T: Copy>(&mut self, list: Weighted<T>) -> T {
        let sum: u64 = list.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.0.below(sum);
        for &(weight, choice) in list {
            if left < u64::from(weight) {
                return choice;
            }
            left -= u64::from(weight);
        }
        unreachable!("what was drawn is below the sum of the weights")
    }

    /// A value of a distribution, straight between its points.
    pub(super) fn quantile(&mut self, points: Quantiles) -> i64 {
        const FINE: i64 = 1_000;
        let at = self.0.below(1_000 * FINE as u64) as i64;
        let after = points.iter().position(|&(permille, _)| i64::from(permille) * FINE > at);
        let after = after.expect("the last point is at 1,000");
        let [(p0, v0), (p1, v1)] = [points[after - 1], points[after]];
        let (p0, p1) = (i64::from(p0) * FINE, i64::from(p1) * FINE);
        v0 + (v1 - v0) * (at - p0) / (p1 - p0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_their_distribution_and_their_seed() {
        let mut draw = Draw::new(7);
        let drawn: Vec<i64> = (0..10_000).map(|_| draw.quantile(&[(0, 10), (500, 20), (1_000, 1_000)])).collect();
        assert!(drawn.iter().all(|value| (10..=1_000).contains(value)));
        let below_middle = drawn.iter().filter(|&&value| value < 20).count();
        assert!((4_800..5_200).contains(&below_middle), "{below_middle}");
        let mut again = Draw::new(7);
        assert!(drawn.iter().all(|&value| value == again.quantile(&[(0, 10), (500, 20), (1_000, 1_000)])));
    }
}
