//! Trimtab's own order: a due time from a predicted duration, so that short work passes long work by a bounded time.
//!
//! A workload is due at `eligible + allowance`, where the allowance is a multiple of its predicted duration and at most
//! [`ALLOWANCE_MAX`]. Whoever is due first goes first. Since an allowance is never negative and never above the bound, nobody is
//! passed by a workload that became eligible more than [`ALLOWANCE_MAX`] later, save by one that does not delay it: room is kept
//! for the first that does not fit.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use crate::predict::Distribution;

/// The most by which a workload that became eligible later may go ahead of another in the same tier and priority.
pub(super) const ALLOWANCE_MAX: Millis = Millis::hours(6);
/// The allowance, in predicted median durations.
const ALLOWANCE_TIMES: i64 = 1;
/// For how many waiting workloads room is kept.
pub(super) const HOLDS_MAX: usize = 3;
/// How much sooner other nodes must be expected before kept room moves there.
const MOVE_TIMES: i64 = 10;
/// A running workload is expected to end at this quantile of what remains.
const END_PERMILLE: u16 = 500;
/// A candidate counts as gone by this quantile of its duration.
const GONE_PERMILLE: u16 = 900;

/// When it is due.
pub(super) fn key(eligible: Timestamp, expected: &Distribution) -> i64 {
    let predicted = i64::try_from(expected.quantile(500)).unwrap_or(i64::MAX);
    let allowance = predicted.saturating_mul(ALLOWANCE_TIMES).min(ALLOWANCE_MAX.0);
    (eligible + Millis(allowance)).0
}

/// Room once kept moves to other nodes only if those are expected [`MOVE_TIMES`] sooner: forecasts change all the time, and
/// whenever a gang moves, what was drained for it is lost.
pub(super) fn stays_with(same: Millis, other: Millis) -> bool {
    same.0 / MOVE_TIMES <= other.0
}

/// At the median of what remains, given how long it has run.
pub(super) fn expected_end(expected: &Distribution, since: Timestamp, now: Timestamp) -> Timestamp {
    let age = now.since(since).0.max(0) as u64;
    now + millis(expected.remaining_quantile(age, END_PERMILLE))
}

/// At a cautious quantile, and by its limit at the latest.
pub(super) fn gone_by(workload: &Workload, expected: &Distribution, now: Timestamp) -> Timestamp {
    let predicted = millis(expected.quantile(GONE_PERMILLE));
    now + workload.time_limit.map_or(predicted, |limit| limit.min(predicted))
}

fn millis(length: u64) -> Millis {
    Millis(i64::try_from(length).unwrap_or(i64::MAX))
}
