//! How one limit is divided.

use std::fmt;
use std::sync::Arc;

use super::Share;
use crate::tune::Tuned;

const MIB: usize = 1 << 20;
/// Threads, the code they run, and what the allocator keeps of small things.
const FIXED: usize = 12 * MIB;
const FIXED_EACH: usize = MIB / 2;
/// What a connection to a store holds of what came and was not yet taken: hyper reads up to 408 KiB ahead.
const CONNECTION: usize = MIB / 2;
/// Requests that are under way at first: as many as hide a latency of 40 ms from a link of 1 GB/s, in requests of a megabyte.
const REQUESTS_FIRST: usize = 32;
/// Threads work in no more than this, however much there is.
const SCRATCH_MAX: usize = 64 * MIB;
/// Samples that need more than that have no more than this.
const LARGE_MAX: usize = 4 << 30;

/// What a loader wants memory for.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// All that may be used.
    pub limit: usize,
    /// Threads that make samples.
    pub threads: usize,
    /// Bytes of decoded images that are kept.
    pub decoded: usize,
    /// Bytes that tell where samples lie.
    pub index: usize,
    /// Bytes of the pictures that a thread draws, before they are where they belong; none where there are no pictures.
    pub drawn: usize,
    /// Where data are not on this machine: the part for what is fetched.
    pub fetching: Option<Fetching>,
}

/// The part of a limit for what is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetching {
    /// Bytes that are on their way, or here and not yet used.
    pub room: usize,
    /// Requests that are under way at once, each over a connection of its own.
    pub requests: Tuned,
}

/// A limit, divided.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Batches.
    pub batches: Arc<Share>,
    /// What each thread works in.
    pub scratch: usize,
    /// What one sample at a time may work in instead.
    pub large: usize,
}

/// A limit leaves nothing to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// The limit.
    pub limit: usize,
    /// The least that would do.
    pub least: usize,
}

impl Fetching {
    /// A sixth of a limit.
    pub fn of(limit: usize) -> Fetching {
        let part = limit / 6;
        let max = (part * 2 / 5 / CONNECTION).clamp(2, 256);
        Fetching { room: part * 3 / 5, requests: Tuned { start: REQUESTS_FIRST.min(max), max } }
    }

    fn bytes(&self) -> usize {
        self.room + self.requests.max * CONNECTION
    }
}

impl Budget {
    /// Divides a limit.
    ///
    /// # Errors
    ///
    /// Where too little is left of it once all that is fixed is taken off.
    pub fn divide(demand: &Demand) -> Result<Budget, TooSmall> {
        let Demand { limit, threads, decoded, index, drawn, fetching } = *demand;
        let fixed = FIXED + threads * (FIXED_EACH + drawn) + decoded + index;
        let fixed = fixed + fetching.map_or(0, |fetching| fetching.bytes());
        // What a batch and a thread need at least.
        let least = 4 * MIB + threads * MIB;
        let rest = limit.checked_sub(fixed).filter(|rest| *rest >= least);
        let rest = rest.ok_or(TooSmall { limit, least: fixed + least })?;
        // Pictures need planes; whatever else is read goes to where it belongs at once.
        let (scratch, large) = if drawn > 0 { (rest / 8, rest * 3 / 8) } else { (rest / 16, rest / 16) };
        let (scratch, large) = ((scratch / threads).min(SCRATCH_MAX), large.min(LARGE_MAX));
        Ok(Budget { batches: Share::new(rest - threads * scratch - large), scratch, large })
    }
}

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: usize| bytes.div_ceil(MIB);
        write!(
            f,
            "{} MiB are too few for these data, threads and caches: give at least {} MiB, use fewer threads, or keep less decoded",
            self.limit / MIB,
            mib(self.least)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_no_more_than_the_limit() {
        for limit in [32 * MIB, 256 * MIB, 8 << 30] {
            for threads in [1, 2, 16] {
                for (drawn, fetching) in [(0, None), (MIB, None), (MIB, Some(Fetching::of(limit)))] {
                    let demand = Demand { limit, threads, decoded: MIB, index: MIB, drawn, fetching };
                    let Ok(budget) = Budget::divide(&demand) else {
                        assert!(limit == 32 * MIB, "{demand:?}");
                        continue;
                    };
                    let fetched = fetching.map_or(0, |fetching| fetching.bytes());
                    let parts = budget.batches.limit() + threads * budget.scratch + budget.large + fetched;
                    assert!(parts + 2 * MIB + threads * drawn <= limit, "{demand:?}: {budget:?}");
                    assert!(budget.batches.limit() >= 2 * MIB, "{demand:?}: {budget:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_too_small_says_what_would_do() {
        let demand = Demand { limit: 10 * MIB, threads: 2, decoded: 100 * MIB, index: 0, drawn: 0, fetching: None };
        let least = Budget::divide(&demand).unwrap_err().least;
        assert!(Budget::divide(&Demand { limit: least, ..demand }).is_ok());
        assert!(Budget::divide(&Demand { limit: least - 1, ..demand }).is_err());
    }
}
