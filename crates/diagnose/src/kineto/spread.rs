//! How values are spread, without keeping them: mean and deviation as they are, quantiles from counts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::kernels::Sum;

/// How values are spread. Where there are none, all are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a sample; zero of one.
    pub deviation: f64,
    /// The least.
    pub min: f64,
    /// What a quarter of them does not exceed, with what lies between two values.
    pub p25: f64,
    /// The median, likewise.
    pub p50: f64,
    /// Likewise, of three quarters.
    pub p75: f64,
    /// The greatest.
    pub max: f64,
}

/// Values counted. Whole values below 2,048 are told apart, greater ones in steps of a thousandth: quantiles are off by a
/// two-thousandth at most, and no more than some ten thousand counts are kept, however many values there are.
#[derive(Clone, Default)]
pub(super) struct Values {
    sum: Sum,
    counts: BTreeMap<i64, u64>,
}

/// As many bits of a value are told apart, its first one aside.
const BITS: u32 = 10;

impl Values {
    /// Takes a value: as it is for the mean, as a whole number for quantiles.
    pub(super) fn add(&mut self, value: f64) {
        self.sum.add(value);
        *self.counts.entry(step(value.round() as i64)).or_default() += 1;
    }

    /// Takes all that another took.
    pub(super) fn merge(&mut self, other: &Self) {
        self.sum.merge(&other.sum);
        for (step, count) in &other.counts {
            *self.counts.entry(*step).or_default() += count;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.sum.count
    }

    pub(super) fn spread(&self) -> Spread {
        Spread {
            count: self.sum.count,
            mean: self.sum.mean(),
            deviation: self.sum.deviation(),
            min: self.sum.min,
            p25: self.quantile(0.25),
            p50: self.quantile(0.5),
            p75: self.quantile(0.75),
            max: self.sum.max,
        }
    }

    fn quantile(&self, share: f64) -> f64 {
        let place = share * self.sum.count.saturating_sub(1) as f64;
        let (below, above) = (self.at(place.floor() as u64), self.at(place.ceil() as u64));
        (below + (above - below) * place.fract()).clamp(self.sum.min, self.sum.max)
    }

    /// The value at a place in their order.
    fn at(&self, place: u64) -> f64 {
        let mut passed = 0;
        for (step, count) in &self.counts {
            passed += count;
            if passed > place {
                return middle(*step);
            }
        }
        self.sum.max
    }
}

/// The step in which a value lies; steps are in the order of their values.
fn step(value: i64) -> i64 {
    let size = value.unsigned_abs().min(i64::MAX as u64);
    let shift = u64::from((u64::BITS - size.leading_zeros()).saturating_sub(BITS + 1));
    let step = (shift << BITS) + (size >> shift);
    if value < 0 { -(step as i64) } else { step as i64 }
}

/// The middle of a step.
fn middle(step: i64) -> f64 {
    let size = step.unsigned_abs();
    let shift = (size >> BITS).saturating_sub(1);
    let first = (size - (shift << BITS)) << shift;
    (first as f64 + ((1_u64 << shift) - 1) as f64 / 2.0) * if step < 0 { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        let mut values = Values::default();
        [4.0, 1.0, 3.0, 2.0, -1.0, 10.0].into_iter().for_each(|value| values.add(value));
        let spread = values.spread();
        assert_eq!((spread.count, spread.min, spread.max), (6, -1.0, 10.0));
        assert_eq!((spread.p25, spread.p50, spread.p75), (1.25, 2.5, 3.75));
        assert!((spread.mean - 19.0 / 6.0).abs() < 1e-12);
        assert_eq!(Values::default().spread(), Spread::default());
    }

    #[test]
    fn what_is_merged_is_as_if_added_to_one() {
        let (mut one, mut other, mut both) = (Values::default(), Values::default(), Values::default());
        for value in 0..100_i32 {
            let value = f64::from(value * value - 50);
            let which = if value < 1_000.0 { &mut one } else { &mut other };
            which.add(value);
            both.add(value);
        }
        one.merge(&other);
        let (one, both) = (one.spread(), both.spread());
        assert!((one.deviation - both.deviation).abs() < 1e-9 && (one.mean - both.mean).abs() < 1e-9);
        assert_eq!((one.p25, one.p75, one.count), (both.p25, both.p75, both.count));
    }

    #[test]
    fn steps_keep_the_order_and_the_size_of_values() {
        let mut before = i64::MIN;
        for value in (-5_000..5_000).chain([1 << 40, (1 << 40) + (1 << 30), i64::MAX]) {
            let step = step(value);
            assert!(step >= before, "{value}");
            before = step;
            assert!((middle(step) - value as f64).abs() <= value.abs() as f64 / 2_000.0, "{value}: {}", middle(step));
        }
    }
}
