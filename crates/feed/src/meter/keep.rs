//! Whether images are worth the memory that they take decoded. A pure function of what was measured.

use super::Totals;
use super::diagnosis::{Bottleneck, Measured};

/// What happened in an epoch that is over.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// Its seconds.
    pub seconds: f64,
    /// What was spent, and delivered.
    pub totals: Totals,
    /// Cores that may be used.
    pub cores: usize,
    /// Threads that work.
    pub threads: usize,
    /// Samples that come again in the next epoch.
    pub samples: u64,
    /// Whether the loader's consumer is a stage, which has one of its own.
    pub has_stage: bool,
}

/// What is kept makes an epoch in which it is not there yet slower, since images are decoded as a whole for it: the others must gain so
/// much.
const WORTH_IT: f64 = 1.25;
/// What is noted of an image beside its samples.
const NOTES: f64 = 1.1;

impl Passed {
    /// Whether to keep images decoded in so many bytes: as many as fit are then neither read nor decoded in the epochs after the next.
    pub fn is_worth_keeping(&self, room: usize) -> bool {
        let Passed { seconds, totals, cores, threads, samples, has_stage } = *self;
        let measured = Measured { seconds, totals, cores, threads, epoch: samples, has_stage };
        if !matches!(measured.bottleneck(), Bottleneck::Decode | Bottleneck::Network | Bottleneck::Disk) {
            return false;
        }
        let prediction = measured.prediction();
        let (Some(kept), Some(bytes)) = (prediction.decoded_cache, prediction.decoded_bytes) else { return false };
        let share = (room as f64 / (NOTES * bytes)).min(1.0);
        let rate = measured.rate();
        1.0 / ((1.0 - share) / rate + share / kept) >= WORTH_IT * rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two threads on two cores, of which decoding takes nine tenths.
    fn passed(starved: f64) -> Passed {
        let totals = Totals {
            make: 20.0,
            decode: 18.0,
            starved,
            samples: 1000.0,
            batches: 10.0,
            decoded: 1000.0,
            decoded_bytes: 1e9,
            seen_bytes: 5e8,
            ..Totals::default()
        };
        Passed { seconds: 10.0, totals, cores: 2, threads: 2, samples: 1000, has_stage: false }
    }

    #[test]
    fn images_are_kept_where_that_brings_a_quarter() {
        assert!(passed(9.0).is_worth_keeping(2 << 30));
        assert!(passed(9.0).is_worth_keeping(400 << 20), "two in five bring more than half");
        assert!(!passed(9.0).is_worth_keeping(150 << 20), "one in eight brings a seventh");
        assert!(!passed(1.5).is_worth_keeping(2 << 30), "the consumer takes no more than a sixth more");
        assert!(!passed(0.0).is_worth_keeping(2 << 30), "nobody waits");
        let none = Passed { totals: Totals { decoded: 0.0, ..passed(9.0).totals }, ..passed(9.0) };
        assert!(!none.is_worth_keeping(2 << 30), "there are no images");
    }
}
