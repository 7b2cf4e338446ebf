//! What became of the workloads that were most like this one when they were handed in: a bounded memory of past cases, the
//! nearest of which speak, and levels that are corrected by how earlier forecasts fared.
//!
//! Integers throughout, so that a forecast is the same on every machine.

use std::collections::VecDeque;

/// How many things are known of a case.
pub(super) const FEATURES: usize = 8;
/// Things known of a case, in the order in which `backlog` tells them; logarithms to base 2 with 8 fractional bits.
pub(super) type Case = [i32; FEATURES];

/// How much a difference in each of them counts: found by trial on Philly's list. What the own queue has ahead, and when that
/// will be gone, tells most.
const WEIGHTS: [i64; FEATURES] = [2, 8, 12, 4, 2, 1, 4, 4];
/// So many past cases are remembered; the oldest goes first.
const REMEMBERED: usize = 8_192;
/// So many of the nearest speak.
const NEAREST: usize = 48;
/// A forecast is made from so many cases on.
const ENOUGH: usize = 30;
/// By how much the low and the high end draw in when a forecast holds; as a logarithm, in which a factor of two is 256.
const STEP: i32 = 4;
/// They give way by so many steps when it misses. Nine would aim at one miss of ten on each side; but a miss is only known
/// when the wait is over, and by then the batch it came with was forecast alike. Measured on Philly's list, nine let one of
/// six miss on each side, and 29 one of ten.
const MISS_STEPS: i32 = 29;
/// The ends never move further than this from what the neighbours say: a factor of a million.
const MARGIN_MAX: i32 = 20 * 256;

/// What is added to what the neighbours say, as learnt from how earlier forecasts fared. Work is handed in by the batch, so
/// neighbours agree with each other more than they should.
#[derive(Clone, Copy, Debug, Default)]
struct Margins {
    low: i32,
    high: i32,
}

/// Past cases and what came of them, as a logarithm like the features.
#[derive(Clone, Debug, Default)]
pub(super) struct Neighbours {
    past: VecDeque<(Case, i32)>,
    margins: Margins,
}

impl Neighbours {
    /// The outcomes that 10, 50 and 90 of a hundred such cases do not pass. `None` before enough is known.
    pub(super) fn ask(&self, case: &Case) -> Option<[i32; 3]> {
        if self.past.len() < ENOUGH {
            return None;
        }
        let mut near: Vec<(i64, i32)> =
            self.past.iter().enumerate().map(|(age, (other, came))| (self.distance(case, other, age), *came)).collect();
        let count = NEAREST.min(near.len());
        near.select_nth_unstable(count - 1);
        near.truncate(count);
        let mut came: Vec<i32> = near.into_iter().map(|(_, came)| came).collect();
        came.sort_unstable();
        let middle = quantile(&came, 500);
        let low = (quantile(&came, 100) + self.margins.low).clamp(0, middle);
        let high = (quantile(&came, 900) + self.margins.high).max(middle);
        Some([low, middle, high])
    }

    /// Learns what came of a case, and of the forecast that was made of it.
    pub(super) fn learn(&mut self, case: Case, came: i32, forecast: Option<[i32; 3]>) {
        if let Some([low, _, high]) = forecast {
            // After Gibbs and Candès, "Adaptive Conformal Inference Under Distribution Shift", 2021.
            let moved = |margin: i32, by: i32| (margin + by).clamp(-MARGIN_MAX, MARGIN_MAX);
            self.margins.low = moved(self.margins.low, if came < low { -MISS_STEPS * STEP } else { STEP });
            self.margins.high = moved(self.margins.high, if came > high { MISS_STEPS * STEP } else { -STEP });
        }
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back((case, came));
    }

    /// How unlike two cases are; what lies further back counts as less like.
    fn distance(&self, a: &Case, b: &Case, place: usize) -> i64 {
        let age = (self.past.len() - place) as i64 / 4;
        let apart = a.iter().zip(b).zip(WEIGHTS).map(|((a, b), weight)| weight * i64::from((a - b).abs()));
        apart.sum::<i64>() + age
    }
}

/// The value that so many thousandths of a sorted sample do not pass, between two values in proportion.
fn quantile(sorted: &[i32], permille: usize) -> i32 {
    let place = permille * (sorted.len() - 1);
    let (at, part) = (place / 1_000, (place % 1_000) as i32);
    let next = sorted[(at + 1).min(sorted.len() - 1)];
    sorted[at] + (next - sorted[at]) * part / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_cases_speak_and_the_interval_comes_to_hold() {
        let mut neighbours = Neighbours::default();
        let mut seed = crate::seed::Seed::new(3);
        let (mut held, mut asked) = (0, 0);
        for round in 0..4_000 {
            // Two kinds of cases: one waits around 2^5 seconds, the other around 2^15; the spread is all that is unknown.
            let long = round % 2;
            let case = [2_560 * long; FEATURES];
            let came = 1_280 + 2_560 * long + seed.below(1_024) as i32;
            let said = neighbours.ask(&case);
            if let Some([low, middle, high]) = said.filter(|_| round > 2_000) {
                assert!(low <= middle && middle <= high);
                assert!((middle - 1_792 - 2_560 * long).abs() < 400, "{middle}");
                asked += 1;
                held += i32::from(low <= came && came <= high);
            }
            neighbours.learn(case, came, said);
        }
        let share = held * 100 / asked;
        assert!((75..=99).contains(&share), "{share}");
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(Neighbours::default().ask(&[0; FEATURES]), None);
    }
}
