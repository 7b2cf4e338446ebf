//! Logarithmic bins of time: octaves that double from half a second on, each cut into equal quarters.
//!
//! Edges are whole milliseconds found by shifts: no logarithm is taken, every machine agrees. A bin is 14 to 25 % wide; within
//! it time is taken as evenly spread.

/// Octaves of time. The first holds all below half a second, the last begins at 99 days.
pub(super) const OCTAVES: usize = 26;
/// Bins an octave.
pub(super) const QUARTERS: usize = 4;
/// All bins.
pub(super) const BINS: usize = OCTAVES * QUARTERS;
/// The first octave would begin at 2 to this, did it not begin at nothing: 256 ms.
const FIRST_BITS: usize = 8;
/// Two to this is the number of quarters.
const QUARTER_BITS: usize = 2;

/// The bin that a length of time falls into. What is longer than all bins falls into the last.
pub(super) fn bin_of(ms: u64) -> usize {
    let octave = (ms >> FIRST_BITS).max(1).ilog2() as usize;
    if octave >= OCTAVES {
        return BINS - 1;
    }
    let quarter = (ms >> (octave + FIRST_BITS - QUARTER_BITS)).saturating_sub(QUARTERS as u64);
    octave * QUARTERS + quarter as usize
}

/// Where a bin begins, in milliseconds; also where the bin before it ends.
pub(super) fn begin_ms(bin: usize) -> u64 {
    if bin == 0 {
        return 0;
    }
    let (octave, quarter) = (bin / QUARTERS, (bin % QUARTERS) as u64);
    (QUARTERS as u64 + quarter) << (octave + FIRST_BITS - QUARTER_BITS)
}

/// Where an octave begins, in milliseconds.
pub(super) fn octave_begin_ms(octave: usize) -> u64 {
    begin_ms(octave * QUARTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_begins_where_the_one_before_ends() {
        for bin in 1..BINS {
            let begin = begin_ms(bin);
            assert!(begin > begin_ms(bin - 1));
            assert_eq!(bin_of(begin), bin, "bin {bin} begins at {begin} ms");
            assert_eq!(bin_of(begin - 1), bin - 1);
        }
    }

    #[test]
    fn nothing_is_too_short_or_too_long() {
        assert_eq!(bin_of(0), 0);
        assert_eq!(bin_of(u64::MAX), BINS - 1);
    }
}
