//! Blocks of neighbours in an order of their own, and samples mixed within windows of some blocks. Arithmetic, as the permutation is.

use super::Permutation;
use crate::random::mixed;

/// An arrangement of the numbers below `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    block: u64,
    /// Samples of a window, but for the last.
    window: u64,
    /// Samples in whole blocks. What is behind them makes no whole block; it comes last, mixed among itself.
    whole: u64,
    count: u64,
    blocks: Permutation,
    key: u64,
}

impl Windows {
    /// The numbers below `count` in blocks of `block`, `blocks` of which are mixed, as `key` says.
    pub fn new(count: u64, block: u64, blocks: u64, key: u64) -> Windows {
        let whole = count / block * block;
        Windows {
            block,
            window: block * blocks,
            whole,
            count,
            blocks: Permutation::new(whole / block, mixed(key)),
            key,
        }
    }

    /// Where `place` is sent.
    ///
    /// # Panics
    ///
    /// Where `place` is not below the count.
    pub fn at(&self, place: u64) -> u64 {
        if place >= self.whole {
            let rest = Permutation::new(self.count - self.whole, self.key);
            return self.whole + rest.at(place - self.whole);
        }
        let window = place / self.window;
        let start = window * self.window;
        let size = self.window.min(self.whole - start);
        let key = mixed(self.key.wrapping_add(mixed(window)));
        let mixed_up = start + Permutation::new(size, key).at(place - start);
        self.blocks.at(mixed_up / self.block) * self.block + mixed_up % self.block
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_comes_once_and_a_window_has_few_blocks(
            count in 1_u64..3000,
            block in 1_u64..200,
            blocks in 1_u64..20,
            key: u64,
        ) {
            let windows = Windows::new(count, block, blocks, key);
            let numbers: Vec<u64> = (0..count).map(|place| windows.at(place)).collect();
            for window in numbers[..(count / block * block) as usize].chunks((block * blocks) as usize) {
                let mut of: Vec<u64> = window.iter().map(|number| number / block).collect();
                of.sort_unstable();
                of.dedup();
                prop_assert_eq!(of.len() as u64 * block, window.len() as u64);
            }
            let mut sorted = numbers;
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..count).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn far_places_are_reached_at_once() {
        let windows = Windows::new(1 << 50, 1000, 16, 7);
        assert!(windows.at((1 << 50) - 1) < 1 << 50);
        assert_ne!(windows.at(5), Windows::new(1 << 50, 1000, 16, 8).at(5));
    }
}
