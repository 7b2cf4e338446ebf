//! How long operations take by themselves: as recorded, and as they would if all were alike.

use super::depend::Dependencies;
use super::operation::{Kind, Work};
use super::simulate::over_dp_ranks;
use super::trace::Trace;
use crate::median::{mean, median};

/// A transfer that ends so much before its last side has begun is taken for one whose clocks disagree: it takes nothing.
/// Shorter ones stay as they are, so that what was recorded comes out again.
const CLOCK_SECONDS: f64 = 1e-2;

/// Lengths as recorded: of what moves data, only the part after its last side has begun.
#[must_use]
pub(super) fn recorded(trace: &Trace, dependencies: &Dependencies) -> Vec<f64> {
    let lanes = trace.lanes();
    let mut lengths: Vec<f64> = (0..trace.slots.len()).flat_map(|slot| trace.lengths(slot)).copied().collect();
    for (group, slots) in dependencies.groups.iter().enumerate() {
        let mut begun = vec![f64::NEG_INFINITY; lanes];
        for &slot in slots {
            for (begun, start) in begun.iter_mut().zip(trace.starts(slot)) {
                *begun = begun.max(*start);
            }
        }
        if dependencies.over_dp_ranks[group] {
            over_dp_ranks(&mut begun, trace.dp_ranks);
        }
        for &slot in slots {
            let cells = slot * lanes..(slot + 1) * lanes;
            let ends = trace.starts(slot).iter().zip(trace.lengths(slot)).map(|(start, length)| start + length);
            for ((length, end), begun) in lengths[cells].iter_mut().zip(ends).zip(&begun) {
                *length = end - begun;
                if *length <= -CLOCK_SECONDS {
                    *length = 0.0;
                }
            }
        }
    }
    lengths
}

/// What each kind takes where nothing straggles: computations their mean, since all of the work must be done by someone;
/// communication its median, since most of it is undisturbed. By [`Kind::ALL`]; nothing where there is none of a kind.
#[must_use]
pub(super) fn usual(trace: &Trace, lengths: &[f64]) -> [Option<f64>; Kind::ALL.len()] {
    Kind::ALL.map(|kind| {
        let slots = (0..trace.slots.len()).filter(|&slot| trace.slots[slot].kind == kind);
        let lanes = trace.lanes();
        let mut values: Vec<f64> = slots.flat_map(|slot| &lengths[slot * lanes..][..lanes]).copied().collect();
        match kind.work() {
            Work::Computation => mean(&values),
            Work::Communication => median(&mut values),
        }
    })
}

/// How long after all that it needs had ended each operation began, in seconds; what traces do not show, such as loading
/// data, is in there. None is negative.
#[must_use]
pub(super) fn delays(trace: &Trace, dependencies: &Dependencies) -> Vec<f64> {
    let lanes = trace.lanes();
    let mut delays = Vec::with_capacity(trace.slots.len() * lanes);
    for (slot, needs) in dependencies.needs.iter().enumerate() {
        let mut ready = vec![0.0_f64; lanes];
        for &needed in needs {
            for (lane, ready) in ready.iter_mut().enumerate() {
                *ready = ready.max(trace.starts(needed)[lane] + trace.lengths(needed)[lane]);
            }
        }
        delays.extend(trace.starts(slot).iter().zip(&ready).map(|(start, ready)| (start - ready).max(0.0)));
    }
    delays
}
