//! Quantiles of millions of lengths in little memory.

use std::collections::BTreeMap;

use fleet::quantity::Millis;

/// Counts lengths in buckets of three seconds' grain at an hour and in proportion elsewhere: a quantile is right to 0.1 %.
#[derive(Clone, Debug, Default)]
pub(super) struct Lengths {
    buckets: BTreeMap<i64, u64>,
    count: u64,
    sum: i128,
}

impl Lengths {
    /// Significant bits that a bucket keeps.
    const BITS: u32 = 11;

    pub(super) fn add(&mut self, length: Millis) {
        *self.buckets.entry(bucket(length.0.max(0))).or_default() += 1;
        self.count += 1;
        self.sum += i128::from(length.0.max(0));
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn mean(&self) -> Option<Millis> {
        (self.count > 0).then(|| Millis((self.sum / i128::from(self.count)) as i64))
    }

    /// The smallest length that so many of a thousand do not pass.
    pub(super) fn permille(&self, permille: u64) -> Option<Millis> {
        let rank = (self.count * permille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (&value, &count) in &self.buckets {
            seen += count;
            if seen >= rank {
                return Some(Millis(value));
            }
        }
        None
    }
}

/// The value without the bits past the significant ones.
fn bucket(value: i64) -> i64 {
    let length = i64::BITS - value.leading_zeros();
    let cut = length.saturating_sub(Lengths::BITS);
    value >> cut << cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_a_thousandth() {
        let mut lengths = Lengths::default();
        for value in (1..=100_000).rev() {
            lengths.add(Millis(value * 37));
        }
        for permille in [1, 500, 950, 1_000] {
            let exact = 100_000 * permille / 1_000 * 37;
            let found = lengths.permille(permille as u64).unwrap().0;
            assert!((exact - found) * 1_000 <= exact && found <= exact, "{permille}: {found} for {exact}");
        }
        assert_eq!(lengths.mean(), Some(Millis(50_000 * 37 + 18)));
        assert_eq!(Lengths::default().permille(500), None);
    }
}
