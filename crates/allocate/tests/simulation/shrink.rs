//! Making a failing case small: steps are left out, by halves first, then by ever smaller runs, as long as it still fails.
//!
//! The method is delta debugging (Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002), complements
//! only.

use crate::check::Violation;
use crate::script::Case;

/// How often a case is lived while it is made smaller.
const LIVES_MAX: usize = 3_000;

/// The smallest case found that fails the same check, and how it fails.
pub(crate) fn shrink(
    case: &Case,
    violation: Violation,
    fails: impl Fn(&Case) -> Option<Violation>,
) -> (Case, Violation) {
    let mut best = (case.clone(), violation);
    let mut run = best.0.steps.len().div_ceil(2);
    let mut lives = 0;
    while run > 0 {
        let mut from = 0;
        let mut smaller = false;
        while from < best.0.steps.len() && lives < LIVES_MAX {
            let mut trial = best.0.clone();
            trial.steps.drain(from..(from + run).min(trial.steps.len()));
            lives += 1;
            match fails(&trial).filter(|violation| violation.check == best.1.check) {
                Some(violation) => {
                    best = (trial, violation);
                    smaller = true;
                }
                None => from += run,
            }
        }
        if run == 1 && !smaller || lives >= LIVES_MAX {
            break;
        }
        run = if run == 1 { 1 } else { run / 2 };
    }
    best
}
