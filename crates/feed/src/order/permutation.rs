//! A permutation that is named by a key: no memory, and the place of any number in one go.

use crate::random::mixed;

/// How often both halves are mixed. Four rounds suffice for ciphers whose rounds are perfect (Luby, Rackoff 1988); with six, no
/// test of this crate tells the order from a shuffled one.
const ROUNDS: u64 = 6;

/// A permutation of the numbers below `count`.
///
/// A generalised Feistel network (Black, Rogaway: "Ciphers with arbitrary finite domains", 2002): a number is written as two
/// digits in bases whose product is hardly more than `count`; digits are moved in turn by amounts that the other digit and the key
/// give. A result that is no number below `count` is sent through again, which happens to less than one in the root of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permutation {
    count: u64,
    key: u64,
    /// The bases.
    low: u64,
    high: u64,
}

impl Permutation {
    /// The permutation of the numbers below `count` that `key` names.
    pub fn new(count: u64, key: u64) -> Permutation {
        let low = count.isqrt().max(1);
        Permutation { count, key, low, high: count.div_ceil(low) }
    }

    /// Where `place` is sent.
    ///
    /// # Panics
    ///
    /// Where `place` is not below the count.
    pub fn at(&self, place: u64) -> u64 {
        assert!(place < self.count, "place {place} is not below {}", self.count);
        let mut number = place;
        loop {
            number = self.once(number);
            if number < self.count {
                return number;
            }
        }
    }

    fn once(&self, number: u64) -> u64 {
        let (mut low, mut high) = (number % self.low, number / self.low);
        for round in 0..ROUNDS / 2 {
            low = (low + self.amount(2 * round, high, self.low)) % self.low;
            high = (high + self.amount(2 * round + 1, low, self.high)) % self.high;
        }
        high * self.low + low
    }

    /// A number below `base` that depends on the round, the key and the other digit.
    fn amount(&self, round: u64, digit: u64, base: u64) -> u64 {
        let bits = mixed(self.key ^ mixed(digit.wrapping_mul(8) + round));
        ((u128::from(bits) * u128::from(base)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_comes_once(count in 1_u64..5000, key: u64) {
            let permutation = Permutation::new(count, key);
            let mut seen = vec![false; count as usize];
            for place in 0..count {
                let number = permutation.at(place) as usize;
                prop_assert!(!seen[number], "{number} comes twice");
                seen[number] = true;
            }
        }

        #[test]
        fn large_counts_have_their_places_at_once(count in 1_u64 << 40..1 << 62, key: u64) {
            let permutation = Permutation::new(count, key);
            let places: Vec<u64> = (0..64).map(|step| count / 64 * step).collect();
            let mut numbers: Vec<u64> = places.iter().map(|place| permutation.at(*place)).collect();
            prop_assert!(numbers.iter().all(|number| *number < count));
            numbers.sort_unstable();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), places.len());
        }
    }

    /// How far the counts of some cells are from being even, in deviations of what chance would give.
    fn unevenness(cells: &[u64]) -> f64 {
        let expected = cells.iter().sum::<u64>() as f64 / cells.len() as f64;
        let chi: f64 = cells.iter().map(|cell| (*cell as f64 - expected).powi(2) / expected).sum();
        let freedom = (cells.len() - 1) as f64;
        (chi - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn places_and_numbers_have_nothing_to_do_with_each_other() {
        // Each test would be passed by all but one in some thousand of orders that chance made.
        for count in [1000, 1024, 10_007, 65_536, 99_991] {
            for key in 0..8 {
                let permutation = Permutation::new(count, key);
                let numbers: Vec<u64> = (0..count).map(|place| permutation.at(place)).collect();
                let cell = |number: u64| (number * 10 / count) as usize;
                let mut by_place = vec![0; 100];
                let mut by_step = vec![0; 10];
                for (place, number) in numbers.iter().enumerate() {
                    by_place[cell(place as u64) * 10 + cell(*number)] += 1;
                    let after = numbers[(place + 1) % numbers.len()];
                    by_step[cell((after + count - number) % count)] += 1;
                }
                assert!(unevenness(&by_place).abs() < 5.0, "{count} {key}: {by_place:?}");
                assert!(unevenness(&by_step).abs() < 5.0, "{count} {key}: {by_step:?}");
            }
        }
    }

    #[test]
    fn keys_that_differ_by_little_give_orders_that_differ_by_all() {
        let count = 10_000;
        for key in 0..20 {
            let (one, other) = (Permutation::new(count, key), Permutation::new(count, key + 1));
            let same = (0..count).filter(|place| one.at(*place) == other.at(*place)).count();
            // Of two shuffles, one place is expected to agree, and more than eight almost never do.
            assert!(same <= 8, "{same} of {count}");
        }
    }
}
