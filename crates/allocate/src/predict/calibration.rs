//! Reading forecasts at the levels that hold: what was promised is compared with what came, end by end.
//!
//! Each level moves a little against every miss, so that in the long run the low one has a tenth of all ends below it and the
//! high one a tenth above it, whatever the workloads do: adaptive conformal inference (Gibbs and Candès, NeurIPS 2021,
//! equation 2), on the quantile's level and for each side by itself.

use super::distribution::{Distribution, Levels};

/// Fractional bits of levels.
const BITS: u32 = 32;
const ONE: i64 = 1 << BITS;
/// The step shrinks as 1 / (ends + this) at first, so that a level is found quickly,
const FIRST_STEPS: u64 = 128;
/// and down to 1 / this, so that it can follow.
const LAST_STEPS: u64 = 2_048;

/// The three levels, and how many ends have moved them.
#[derive(Clone, Debug)]
pub(super) struct Calibration {
    ends: u64,
    low: Level,
    middle: Level,
    high: Level,
}

#[derive(Clone, Debug)]
struct Level {
    share: i64,
    least: i64,
    most: i64,
    permille: u16,
}

impl Level {
    fn new(permille: u16, least_permille: i64, most_permille: i64) -> Self {
        let part = |permille: i64| ONE * permille / 1_000;
        Self { share: part(permille.into()), least: part(least_permille), most: part(most_permille), permille }
    }

    fn learn(&mut self, promised_ms: u64, ran_ms: u64, steps: u64) {
        let wanted = ONE * i64::from(self.permille) / 1_000;
        let below = if ran_ms < promised_ms { ONE } else { 0 };
        let moved = self.share + (wanted - below) / steps as i64;
        self.share = moved.clamp(self.least, self.most);
    }

    fn read(&self) -> u16 {
        ((self.share * 65_535) >> BITS) as u16
    }
}

impl Default for Calibration {
    fn default() -> Self {
        // A level never leaves the range in which the distribution still says something: past it, intervals explode.
        Self {
            ends: 0,
            low: Level::new(100, 20, 250),
            middle: Level::new(500, 300, 700),
            high: Level::new(900, 750, 980),
        }
    }
}

impl Calibration {
    /// Learns how a forecast fared.
    pub(super) fn learn(&mut self, promised: &Distribution, ran_ms: u64) {
        let steps = (self.ends + FIRST_STEPS).min(LAST_STEPS);
        self.ends += 1;
        for level in [&mut self.low, &mut self.middle, &mut self.high] {
            level.learn(promised.quantile(level.permille), ran_ms, steps);
        }
    }

    /// The levels to read new forecasts at.
    pub(super) fn levels(&self) -> Levels {
        Levels { low: self.low.read(), middle: self.middle.read(), high: self.high.read() }
    }
}
