//! Weighing opinions of where one end of an interval lies.
//!
//! The end is the weighted mean of all opinions' positions. An opinion's weight is a power of two whose exponent is the sum of one for
//! its kind and experience and one for its level. Both follow the gradient of the pinball loss of the position (Koenker and
//! Bassett, Econometrica 46, 1978; exponentiated gradient: Kivinen and Warmuth, Information and Computation 132, 1997): on the
//! logarithmic scale a miss weighs the same whatever it ran, so no single long run decides, and all the gradient asks is on which
//! side of the end a run fell.

use super::super::fixed::{ONE, two_to_minus};
use super::chain::{KINDS, Kind};

/// Classes of experience: none, then 1, 2, 4, ... ends, at most 2^7.
const EXPERIENCES: usize = 9;
/// Levels at most.
const LEVELS: usize = 5;
/// Fractional bits of exponents beyond those of [`two_to_minus`].
const FINE_BITS: u32 = 16;
/// No exponent leaves this range.
const EXPONENT_MOST: i64 = 24 << (16 + FINE_BITS);
/// Learning rates, in thousandths a step of natural exponents and octaves of base e: of kinds,
const KIND_RATE: i64 = 30;
/// and of levels, which are few and heard of in every end.
const LEVEL_RATE: i64 = 100;

/// Where an end lies, after one class or window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opinion {
    place: u8,
    level: u8,
    position: u16,
    /// Its share in the blend, 16 bits; zero until it is read.
    weight: u16,
}

impl Opinion {
    /// What a kind with so many ends says at one of its levels.
    pub(super) fn new(kind: Kind, ends: u32, level: usize, position: u64) -> Self {
        let experience = if ends == 0 { 0 } else { (ends.ilog2() as usize + 1).min(EXPERIENCES - 1) };
        let place = kind as usize * EXPERIENCES + experience;
        Self { place: place as u8, level: level as u8, position: position as u16, weight: 0 }
    }

    /// Lets it lie no higher than this.
    pub(super) fn cut(&mut self, position: u64) {
        self.position = self.position.min(position.min(u64::from(u16::MAX)) as u16);
    }
}

/// What an end is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// How many of ten runs should fall below it.
    pub(super) tenths: i64,
    /// How far it moves against one too many or too few of ten, in parts of 1,024 of a step of position.
    pub(super) shift_rate: i64,
}

/// What is learnt of one end.
#[derive(Clone, Debug)]
pub(super) struct Blend {
    wanted: Wanted,
    kinds: [i64; KINDS * EXPERIENCES],
    levels: [i64; LEVELS],
    /// What is added to the blend, in parts of 1,024 of a step. The weights see to it that an end is a good one, not that so many
    /// fall below it: that does this (adaptive conformal inference: Gibbs and Candès, NeurIPS 2021, equation 2).
    shift: i64,
}

/// An end is shifted by an octave at most.
const SHIFT_MOST: i64 = 1_024 << SHIFT_BITS;
const SHIFT_BITS: u32 = 10;

impl Blend {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self { wanted, kinds: [0; KINDS * EXPERIENCES], levels: [0; LEVELS], shift: 0 }
    }

    fn exponent(&self, opinion: &Opinion) -> i64 {
        self.kinds[usize::from(opinion.place)] + self.levels[usize::from(opinion.level)]
    }

    /// Weighs the opinions; the position they have together.
    pub(super) fn read(&self, opinions: &mut [Opinion]) -> u64 {
        let most = opinions.iter().map(|opinion| self.exponent(opinion)).max().unwrap_or(0);
        let raw = |opinion: &Opinion| two_to_minus((most - self.exponent(opinion)) as u64 >> FINE_BITS);
        let total = opinions.iter().map(raw).sum::<u64>().max(1);
        let mut sum = 0;
        for opinion in &mut *opinions {
            let weight = raw(opinion);
            sum += weight * u64::from(opinion.position);
            opinion.weight = (weight * (ONE - 1) / total) as u16;
        }
        (sum / total).saturating_add_signed(self.shift >> SHIFT_BITS)
    }

    /// Learns on which side of the end at `position` a run fell.
    pub(super) fn learn(&mut self, opinions: &[Opinion], position: u64, fell_below: bool) {
        // The gradient of ten times the loss by the position.
        let slope = if fell_below { 10 - self.wanted.tenths } else { -self.wanted.tenths };
        self.shift = (self.shift - slope * self.wanted.shift_rate).clamp(-SHIFT_MOST, SHIFT_MOST);
        for opinion in opinions {
            let apart = i64::from(opinion.position) - position as i64;
            // An exponent of 2 is ln 2 of an exponent of e, as an octave's 1,024 steps are ln 2 in natural logarithms: the two
            // cancel. 16 bits of the weight and 16 finer bits are the 32 bits of the exponent.
            let step = slope * i64::from(opinion.weight) * apart * (1 << FINE_BITS) / (10 * 1_000 * 1_024);
            let kind = &mut self.kinds[usize::from(opinion.place)];
            *kind = (*kind - step * KIND_RATE).clamp(-EXPONENT_MOST, EXPONENT_MOST);
            let level = &mut self.levels[usize::from(opinion.level)];
            *level = (*level - step * LEVEL_RATE).clamp(-EXPONENT_MOST, EXPONENT_MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two that differ in one thing; runs spread evenly over 0 to 10,000.
    fn learnt(tenths: i64, opinions: [Opinion; 2]) -> u64 {
        let mut blend = Blend::new(Wanted { tenths, shift_rate: 0 });
        for run in 0..20_000_u64 {
            let mut opinions = opinions;
            let position = blend.read(&mut opinions);
            blend.learn(&opinions, position, run * 7_919 % 10_000 < position);
        }
        blend.read(&mut opinions.clone())
    }

    #[test]
    fn the_end_goes_where_the_runs_ask_for_it() {
        for (tenths, right) in [(1, 1_000), (9, 9_000)] {
            let kinds = [Opinion::new(Kind::Last, 5, 0, 0), Opinion::new(Kind::Flow, 5, 0, 10_000)];
            let levels = [Opinion::new(Kind::Last, 5, 0, 0), Opinion::new(Kind::Last, 5, 1, 10_000)];
            for opinions in [kinds, levels] {
                let found = learnt(tenths, opinions);
                assert!(found.abs_diff(right) < 500, "{tenths} of ten lie below {found}");
            }
        }
    }

    #[test]
    fn what_no_opinion_reaches_is_reached_by_a_shift() {
        let mut blend = Blend::new(Wanted { tenths: 9, shift_rate: 100 });
        let opinion = Opinion::new(Kind::Last, 5, 0, 8_500);
        let mut position = 0;
        for run in 0..20_000_u64 {
            let mut opinions = [opinion];
            position = blend.read(&mut opinions);
            blend.learn(&opinions, position, run * 7_919 % 10_000 < position);
        }
        assert!(position.abs_diff(9_000) < 100, "nine of ten lie below {position}");
    }

    #[test]
    fn exponents_are_bounded() {
        let opinions = [Opinion::new(Kind::Last, 5, 0, 0), Opinion::new(Kind::Flow, 5, 1, 26_000)];
        let mut blend = Blend::new(Wanted { tenths: 9, shift_rate: 0 });
        for _ in 0..1_000_000 {
            let mut opinions = opinions;
            let position = blend.read(&mut opinions);
            blend.learn(&opinions, position, false);
        }
        assert!(blend.kinds.iter().chain(&blend.levels).all(|exponent| exponent.abs() <= EXPONENT_MOST));
    }

    #[test]
    fn nobody_to_ask_is_no_error() {
        assert_eq!(Blend::new(Wanted { tenths: 9, shift_rate: 0 }).read(&mut []), 0);
    }
}
