//! Draws that depend on what they are for, and on nothing else: not on threads, ranks, or what was drawn before.

/// A stream of draws that is named by a few numbers.
#[derive(Clone, Debug)]
pub struct Draws {
    state: u64,
}

impl Draws {
    /// The stream that `names` name, such as a seed, an epoch and a sample.
    pub fn of(names: &[u64]) -> Draws {
        let mut state = 0x243f_6a88_85a3_08d3; // The first digits of pi, as a start that means nothing.
        for name in names {
            state = mixed(state ^ name.wrapping_mul(STEP)).wrapping_add(STEP);
        }
        Draws { state }
    }

    /// The next 64 bits (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014: SplitMix64).
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mixed(self.state)
    }

    /// A number from 0 up to 1.
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from `low` up to `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.fraction()
    }

    /// A whole number below `count`, which is not 0. The multiplication favours none by more than `count` in 2^64 (Lemire: "Fast
    /// random integer generation in an interval", 2019).
    pub fn below(&mut self, count: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(count)) >> 64) as u64
    }

    /// True in the given share of all draws.
    pub fn chance(&mut self, share: f64) -> bool {
        self.fraction() < share
    }
}

/// 2^64 divided by the golden ratio, made odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Stafford's mix 13, as SplitMix64 has it.
pub fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
