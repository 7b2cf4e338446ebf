//! A life table: of the workloads of one class that reached an octave of run time, how many ended in which quarter of it.
//!
//! Counting those that reached an octave, not only those that ended, lets workloads that still run speak: of a batch
//! submitted at once the short ones end first, and a histogram of ends alone would take the batch for short (the actuary's
//! and the Kaplan-Meier estimate of survival, JASA 53, 1958). Newer ends weigh more: weights rise by a constant factor from end to
//! end, which is exponential forgetting without touching the old counts.

use super::bins::{BINS, OCTAVES, QUARTERS};

/// Fractional bits of probabilities.
pub(super) const PROBABILITY_BITS: u32 = 30;
/// Certainty.
pub(super) const CERTAIN: u64 = 1 << PROBABILITY_BITS;

/// The weight of a table's first end.
const FIRST_WEIGHT: u32 = 1 << 10;
/// Above this weight everything is scaled back, so that no sum leaves its integer.
const MAX_WEIGHT: u32 = 1 << 17;
/// No count of those that reached an octave goes past this: with more of one class running at once, chances to end are only
/// known to be small.
const MAX_REACHED: u32 = 1 << 28;
/// By how many bits.
const SCALE_BACK: u32 = 7;
/// Fractional bits of a reciprocal; a count times a reciprocal is below one, so nothing overflows.
const SHARE_BITS: u32 = 48;

/// How fast a table forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// An end counts half after about 14 later ones of its class.
    Brief,
    /// After about 25: people change what they run within days.
    Short,
    /// After about 42.
    Fair,
    /// After about 80: for the classes that others fall back on.
    Long,
}

/// The chance to end in each bin for what reached the bin's octave, with [`PROBABILITY_BITS`].
pub(super) type Hazards = [u32; BINS];

/// Counts of one class.
#[derive(Clone, Debug)]
pub(super) struct LifeTable {
    weight: u32,
    reached: [u32; OCTAVES],
    ended: [u32; BINS],
}

impl Default for LifeTable {
    fn default() -> Self {
        Self { weight: FIRST_WEIGHT, reached: [0; OCTAVES], ended: [0; BINS] }
    }
}

impl LifeTable {
    /// Notes that a workload lived through these octaves.
    pub(super) fn passed(&mut self, octaves: std::ops::Range<usize>) {
        for reached in &mut self.reached[octaves] {
            *reached = (*reached + self.weight).min(MAX_REACHED);
        }
    }

    /// Notes that a workload ended in this bin. A third of the end goes to its neighbours in the octave.
    pub(super) fn ended(&mut self, bin: usize, memory: Memory) {
        let slowness = match memory {
            Memory::Brief => 20,
            Memory::Short => 36,
            Memory::Fair => 60,
            Memory::Long => 115,
        };
        self.weight += self.weight / slowness;
        if self.weight > MAX_WEIGHT {
            self.scale_back();
        }
        let octave = bin / QUARTERS;
        let (first, last) = (octave * QUARTERS, octave * QUARTERS + QUARTERS - 1);
        let aside = self.weight * 3 / 16;
        self.reached[octave] = (self.reached[octave] + self.weight).min(MAX_REACHED);
        self.ended[bin] += self.weight - 2 * aside;
        self.ended[bin.max(first + 1) - 1] += aside;
        self.ended[(bin + 1).min(last)] += aside;
    }

    fn scale_back(&mut self) {
        self.weight >>= SCALE_BACK;
        for reached in &mut self.reached {
            // Rounded up, so that never more have ended in an octave than reached it.
            *reached = reached.div_ceil(1 << SCALE_BACK);
        }
        for ended in &mut self.ended {
            *ended >>= SCALE_BACK;
        }
    }

    /// How many ends speak here, forgetting included.
    pub(super) fn ends(&self) -> u32 {
        self.reached[0] / self.weight
    }

    /// Turns the parent class's chances to end into this one's: what was counted here, with the parent's counting for
    /// `parent_ends` ends.
    pub(super) fn draw_towards(&self, hazards: &mut Hazards, parent_ends: u64) {
        let prior = parent_ends * u64::from(self.weight);
        let octaves = hazards.chunks_exact_mut(QUARTERS).zip(self.ended.chunks_exact(QUARTERS)).zip(&self.reached);
        for ((hazards, ended), &reached) in octaves {
            if reached == 0 {
                continue;
            }
            let share = (1_u64 << SHARE_BITS) / (u64::from(reached) + prior);
            for (hazard, &ended) in hazards.iter_mut().zip(ended) {
                let counted = u64::from(ended) + ((prior * u64::from(*hazard)) >> PROBABILITY_BITS);
                *hazard = ((counted * share) >> (SHARE_BITS - PROBABILITY_BITS)) as u32;
            }
        }
    }
}

/// What is believed before anything has ended: few end within seconds, about a tenth in each octave up to an hour, more
/// after that, and nearly all of what has run for 18 hours before it has run for 36. Long runs must be seen to be believed.
pub(super) fn prior_hazards() -> Hazards {
    let mut hazards = [0; BINS];
    for (bin, hazard) in hazards.iter_mut().enumerate() {
        let percent = match bin / QUARTERS {
            0..4 => 2,
            4..14 => 10,
            14..18 => 20,
            _ => 90,
        };
        *hazard = (CERTAIN * percent / 100 / QUARTERS as u64) as u32;
    }
    hazards
}

/// The chance to end in each bin, from birth, with 24 fractional bits. What outlives all bins ends in the last one.
pub(super) fn masses(hazards: &Hazards) -> [u32; BINS] {
    let mut masses = [0; BINS];
    let mut alive = CERTAIN;
    for octave in 0..OCTAVES {
        let mut left = alive;
        for bin in octave * QUARTERS..(octave + 1) * QUARTERS {
            let mass = ((alive * u64::from(hazards[bin])) >> PROBABILITY_BITS).min(left);
            masses[bin] = (mass >> 6) as u32;
            left -= mass;
        }
        alive = left;
    }
    masses[BINS - 1] += (alive >> 6) as u32;
    masses
}
