//! Positions: run times on a scale that is logarithmic but for straight pieces, a bin to 256 steps, so that blending and learning
//! need no logarithm. An octave is 1,024 steps.

use super::super::bins::{BINS, QUARTERS, begin_ms, bin_of};
use super::super::life_table::{CERTAIN, Hazards, PROBABILITY_BITS};

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
///
/// Octave by octave, from the chances to end in each, and no further than is asked for: this is where a promise spends its time.
pub(super) fn quantiles<const N: usize>(hazards: &Hazards, permille: [u64; N]) -> [u64; N] {
    let (mut octaves, mut octave) = (hazards.chunks_exact(QUARTERS), 0);
    let mut bins = octaves.next().expect("there are octaves");
    let (mut alive, mut mass) = (CERTAIN, mass(CERTAIN, bins));
    permille.map(|permille| {
        let mut wanted = CERTAIN * permille / 1_000;
        while CERTAIN - alive + mass < wanted {
            let Some(next) = octaves.next() else { return LAST };
            (bins, alive, octave) = (next, alive - mass, octave + 1);
            mass = self::mass(alive, bins);
        }
        wanted = wanted.saturating_sub(CERTAIN - alive);
        let mut within = octave * QUARTERS as u64 * STEPS;
        for bin in bins {
            let mass = (alive * u64::from(*bin)) >> PROBABILITY_BITS;
            if wanted <= mass {
                within += (wanted * STEPS).checked_div(mass).unwrap_or(0);
                break;
            }
            wanted -= mass;
            within += STEPS;
        }
        within.min(LAST)
    })
}

/// The chance to end in an octave, of those alive when it begins.
fn mass(alive: u64, bins: &[u32]) -> u64 {
    let hazard: u64 = bins.iter().map(|&bin| u64::from(bin)).sum();
    ((alive * hazard) >> PROBABILITY_BITS).min(alive)
}

#[cfg(test)]
mod tests {
    use super::super::super::life_table;
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
        let masses = life_table::masses(&life_table::prior_hazards());
        let half = masses.iter().map(|&mass| u64::from(mass)).sum::<u64>() / 2;
        let before =
            (0..BINS).take_while(|&bin| masses[..=bin].iter().map(|&mass| u64::from(mass)).sum::<u64>() < half);
        assert_eq!(found[3] / STEPS, before.count() as u64, "the middle is in the bin where half have ended");
    }
}
