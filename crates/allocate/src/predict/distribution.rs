//! How long something may run: a distribution over the bins, with the levels that past forecasts say must be read to be right.

use super::bins::{BINS, begin_ms, bin_of};

/// Certainty, in the 16 bits that shares are kept with.
const WHOLE: u64 = 65_535;
/// What is expected to remain where the distribution knows next to nothing that lasts so long: below this share left.
const THIN: u64 = 32;

/// Which share of the distribution holds 10, 50 and 90 of 100 workloads, as learnt from how earlier forecasts fared; 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    pub(super) low: u16,
    pub(super) middle: u16,
    pub(super) high: u16,
}

/// A forecast of a run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// The share that has ended by the end of each bin, never falling, 16 bits.
    ended: [u16; BINS],
    levels: Levels,
    /// The quantiles of 500 and 900, which every candidate is asked for.
    median_ms: u64,
    high_ms: u64,
    /// Nothing runs longer, where limits are enforced.
    most_ms: u64,
}

impl Distribution {
    /// From the chance of each bin, with any common scale.
    pub(super) fn new(masses: &[u64; BINS], levels: Levels, most_ms: u64) -> Self {
        let total = masses.iter().sum::<u64>().max(1);
        // 128 bits: the scale is the caller's, and this division is the only one.
        let share = (u128::from(WHOLE) << 64) / u128::from(total);
        let mut ended = [0; BINS];
        let mut sum = 0_u64;
        let last = bin_of(most_ms);
        for (bin, ended) in ended.iter_mut().enumerate() {
            sum += masses[bin];
            let part = ((u128::from(sum) * share) >> 64) as u64;
            *ended = if bin >= last { WHOLE as u16 } else { part.min(WHOLE) as u16 };
        }
        ended[BINS - 1] = WHOLE as u16;
        let mut own = Self { ended, levels, median_ms: 0, high_ms: 0, most_ms };
        own.median_ms = own.reach(own.level(500));
        own.high_ms = own.reach(own.level(900));
        own
    }

    /// The run time in milliseconds that so many thousandths of like workloads do not pass.
    #[must_use]
    pub fn quantile(&self, permille: u16) -> u64 {
        match permille {
            500 => self.median_ms,
            900 => self.high_ms,
            _ => self.reach(self.level(permille)),
        }
    }

    /// The same for what remains of one that has run for `age_ms` and still runs.
    #[must_use]
    pub fn remaining_quantile(&self, age_ms: u64, permille: u16) -> u64 {
        if age_ms == 0 {
            return self.quantile(permille);
        }
        let gone = self.ended_by(age_ms);
        let left = WHOLE - gone;
        if left < THIN || age_ms >= self.most_ms {
            // It outlived all that was thought possible. Of what has lasted for `age`, half lasts twice as long: the rule of
            // heavy tails with exponent 1, the least that these traces show.
            let permille = u64::from(permille.min(990));
            let beyond = age_ms.saturating_mul(permille) / (1_000 - permille);
            return if age_ms >= self.most_ms { beyond.min(OVERDUE_MS) } else { beyond };
        }
        let target = gone + left * self.level(permille) / WHOLE;
        self.reach(target).saturating_sub(age_ms)
    }

    /// The mean run time in milliseconds.
    #[must_use]
    pub fn mean_ms(&self) -> u64 {
        self.expected_remaining_ms(0)
    }

    /// The mean of what remains after `age_ms`. The last bin counts as if everything ended at its beginning.
    #[must_use]
    pub fn expected_remaining_ms(&self, age_ms: u64) -> u64 {
        let gone = self.ended_by(age_ms);
        let left = WHOLE - gone;
        if left < THIN || age_ms >= self.most_ms {
            return self.remaining_quantile(age_ms, 500);
        }
        self.steps(age_ms).last().map_or(0, |step| step.spent / left)
    }

    /// How promising it is to let this run next, or go on running at `age_ms`: the best ratio, over all lengths of time, of
    /// the chance that it ends within that time to the time it is expected to take of it. Ends a millisecond, with 32
    /// fractional bits; higher is sooner done. (The index of Gittins for jobs of unknown length; Gittins, Bandit Processes
    /// and Dynamic Allocation Indices, JRSS B 41, 1979, section 5.)
    #[must_use]
    pub fn gittins_index(&self, age_ms: u64) -> u64 {
        let best = self.steps(age_ms).map(|step| (u128::from(step.ended) << 32) / u128::from(step.spent.max(1))).max();
        let thin = || (1 << 32) / self.remaining_quantile(age_ms, 500).max(1);
        best.filter(|&index| index > 0).map_or_else(thin, |index| u64::try_from(index).unwrap_or(u64::MAX))
    }

    /// For the end of each bin after `age_ms`: the share that ends until then, and the time spent until then, both times the
    /// share that lives at `age_ms`.
    fn steps(&self, age_ms: u64) -> impl Iterator<Item = Step> + '_ {
        let first = bin_of(age_ms);
        let gone = self.ended_by(age_ms);
        let mut alive = WHOLE - gone;
        let mut from = age_ms;
        let mut spent = 0;
        (first..BINS).map(move |bin| {
            let until = if bin + 1 < BINS { begin_ms(bin + 1).min(self.most_ms.max(from)) } else { from };
            let next = WHOLE - u64::from(self.ended[bin]).max(gone);
            // Those that end in a bin spend half of it on average.
            spent += (alive + next) * (until - from) / 2;
            alive = next;
            from = until;
            Step { ended: WHOLE - gone - alive, spent }
        })
    }

    /// The share that has ended by a run time, evenly spread within bins.
    fn ended_by(&self, ms: u64) -> u64 {
        let bin = bin_of(ms);
        let before = if bin == 0 { 0 } else { u64::from(self.ended[bin - 1]) };
        if bin + 1 == BINS {
            return before;
        }
        let (begin, end) = (begin_ms(bin), begin_ms(bin + 1));
        before + (u64::from(self.ended[bin]) - before) * (ms - begin) / (end - begin)
    }

    /// The run time by which a share has ended.
    fn reach(&self, share: u64) -> u64 {
        let bin = self.ended.partition_point(|&ended| u64::from(ended) < share).min(BINS - 1);
        if bin + 1 == BINS {
            return begin_ms(bin).min(self.most_ms);
        }
        let before = if bin == 0 { 0 } else { u64::from(self.ended[bin - 1]) };
        let within = u64::from(self.ended[bin]) - before;
        let (begin, end) = (begin_ms(bin), begin_ms(bin + 1));
        let into = ((end - begin) * share.saturating_sub(before)).checked_div(within).unwrap_or(0);
        (begin + into).min(self.most_ms)
    }

    /// The share to read for so many thousandths: straight lines through the corrected levels.
    fn level(&self, permille: u16) -> u64 {
        let permille = u64::from(permille.min(1_000));
        let Levels { low, middle, high } = self.levels;
        let (low, middle, high) = (u64::from(low), u64::from(middle), u64::from(high));
        let (from, to, start, length) = match permille {
            0..100 => (0, low, 0, 100),
            100..500 => (low, middle, 100, 400),
            500..900 => (middle, high, 500, 400),
            _ => (high, WHOLE, 900, 100),
        };
        from + (to - from) * (permille - start) / length
    }
}

/// What runs past an enforced limit is being stopped, and gone within this time.
const OVERDUE_MS: u64 = 60_000;

struct Step {
    ended: u64,
    spent: u64,
}
