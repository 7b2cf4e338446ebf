//! How much to believe each kind of context: weights learnt from how likely each found what came.
//!
//! A kind's weight depends on how many ends its class has seen, since a class of two ends deserves less than one of a thousand.
//! The exponents follow the gradient of the mixture's log-likelihood, by octaves of time and with a floor, so that no single
//! surprise decides.

use arrayvec::ArrayVec;

use super::bins::{BINS, OCTAVES, QUARTERS};
use super::context::{KINDS, Kind, MAX_CONTEXTS};
use super::fixed::{ONE, two_to_minus};

/// Classes of experience: none, then 1, 2, 4, ... ends, at most 2^7.
const EXPERIENCES: usize = 9;
/// The learning rate of exponents, as a share of 256: 0.1 in powers of e.
const RATE: i64 = 37;
/// No exponent leaves this range (in powers of two, 16 fractional bits).
const EXPONENT_MOST: i64 = 24 << 16;

/// Who speaks in a forecast: a kind of context with some experience.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice {
    place: u8,
    /// The chance it gave to each octave, of 255.
    octaves: [u8; OCTAVES],
}

impl Voice {
    /// A class's voice, from the chances it gives to bins (24 fractional bits). None where it has seen no end.
    pub(super) fn new(kind: Kind, ends: u32, masses: &[u32; BINS]) -> Option<Self> {
        if ends == 0 {
            return None;
        }
        let experience = (ends.ilog2() as usize + 1).min(EXPERIENCES - 1);
        let mut octaves = [0; OCTAVES];
        for (octave, bins) in octaves.iter_mut().zip(masses.chunks_exact(QUARTERS)) {
            *octave = (bins.iter().sum::<u32>() >> 16).min(255) as u8;
        }
        Some(Self { place: (kind as usize * EXPERIENCES + experience) as u8, octaves })
    }
}

/// All who speak in a forecast.
pub(super) type Voices = ArrayVec<Voice, MAX_CONTEXTS>;

/// The exponents, by kind and experience.
#[derive(Clone, Debug)]
pub(super) struct Mixture {
    exponents: [i64; KINDS * EXPERIENCES],
}

impl Default for Mixture {
    fn default() -> Self {
        Self { exponents: [0; KINDS * EXPERIENCES] }
    }
}

impl Mixture {
    /// The weights of some voices; they sum to about one, with 16 fractional bits.
    pub(super) fn weights(&self, voices: &[Voice]) -> [u64; MAX_CONTEXTS] {
        let exponent = |voice: &Voice| self.exponents[usize::from(voice.place)];
        let most = voices.iter().map(exponent).max().unwrap_or(0);
        let mut weights = [0; MAX_CONTEXTS];
        for (weight, voice) in weights.iter_mut().zip(voices) {
            *weight = two_to_minus((most - exponent(voice)) as u64);
        }
        let sum = weights.iter().sum::<u64>().max(1);
        weights.map(|weight| weight * ONE / sum)
    }

    /// Learns which voices had expected what came.
    pub(super) fn learn(&mut self, voices: &[Voice], bin: usize) {
        let weights = self.weights(voices);
        let octave = bin / QUARTERS;
        // One of 255 is the floor of a chance.
        let mut shares = [0; MAX_CONTEXTS];
        for ((share, voice), weight) in shares.iter_mut().zip(voices).zip(weights) {
            *share = weight * (u64::from(voice.octaves[octave]) + 1);
        }
        let sum = shares.iter().sum::<u64>().max(1);
        for ((share, voice), weight) in shares.into_iter().zip(voices).zip(weights) {
            let surprise = (share * ONE / sum) as i64 - weight as i64;
            let exponent = &mut self.exponents[usize::from(voice.place)];
            *exponent = (*exponent + surprise * RATE / 256).clamp(-EXPONENT_MOST, EXPONENT_MOST);
        }
    }
}
