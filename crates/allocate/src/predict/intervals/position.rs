//! Positions: run times on a scale that is logarithmic but for straight pieces, a bin to 256 steps, so that blending and learning
//! need no logarithm. An octave is 1,024 steps.

use super::super::bins::{BINS, begin_ms, bin_of};
use super::super::life_table::{self, Hazards};

/// Steps a bin.
const STEPS: u64 = 256;
/// The last position: nothing is known within the last bin.
const LAST: u64 = (BINS as u64 - 1) * STEPS;

/// The position of a run time.
pub(super) fn of(ms: u64) -> u64 {
    let bin = bin_of(ms);
    if bin + 1 == BINS {
        return LAST;
    }
    let (begin, end) = (begin_ms(bin), begin_ms(bin + 1));
    bin as u64 * STEPS + (ms - begin) * STEPS / (end - begin)
}

/// The run time at a position, in milliseconds.
pub(super) fn ms(position: u64) -> u64 {
    let position = position.min(LAST);
    let bin = (position / STEPS) as usize;
    if bin + 1 == BINS {
        return begin_ms(bin);
    }
    let (begin, end) = (begin_ms(bin), begin_ms(bin + 1));
    begin + (end - begin) * (position % STEPS) / STEPS
}

/// The positions by which so many thousandths have ended; `permille` rises.
pub(super) fn quantiles<const N: usize>(hazards: &Hazards, permille: [u64; N]) -> [u64; N] {
    let masses = life_table::masses(hazards);
    let total: u64 = masses.iter().map(|&mass| u64::from(mass)).sum();
    let (mut bin, mut before) = (0, 0);
    permille.map(|permille| {
        let wanted = total * permille / 1_000;
        while bin + 1 < BINS && before + u64::from(masses[bin]) < wanted {
            before += u64::from(masses[bin]);
            bin += 1;
        }
        let within = ((wanted - before) * STEPS).checked_div(u64::from(masses[bin])).unwrap_or(0);
        (bin as u64 * STEPS + within.min(STEPS)).min(LAST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_run_times_agree() {
        for ms in (0..50).map(|octave| (1_u64 << octave) + 17).take_while(|&ms| bin_of(ms) + 1 < BINS) {
            let back = super::ms(of(ms));
            assert!(back <= ms && ms - back <= ms / 1_000 + 2, "{ms} ms came back as {back}");
        }
        assert_eq!((of(u64::MAX), of(0)), (LAST, 0));
    }

    #[test]
    fn quantiles_rise() {
        let found = quantiles(&life_table::prior_hazards(), [0, 1, 100, 500, 900, 999, 1_000]);
        assert!(found.windows(2).all(|pair| pair[0] <= pair[1]), "{found:?}");
        assert!(found[6] <= LAST);
    }
}
