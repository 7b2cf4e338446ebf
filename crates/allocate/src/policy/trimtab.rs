//! Trimtab's own order: due times from predicted durations, and room kept where it was kept.
//!
//! 1. A workload is due at `eligible +` its predicted median duration, that counted up to [`ALLOWANCE_MAX`] only. In a tier and
//!    priority whoever is due first is tried first (a bounded form of shortest job first; unbounded, long work starves).
//! 2. Who borrows goes later by [`BORROWED`], and again for every doubling of what its queue has borrowed already, so that what is
//!    left over is shared: a little goes to many before much goes to one. Who needs several nodes goes earlier by [`NODE`] for
//!    each beyond the first, up to [`NODES_MAX`] of them, since it waits for all at once.
//! 3. Room is kept for the first that do not fit, of each tier (EASY keeps it for one: Lifka, "The ANL/IBM SP Scheduling System",
//!    1995). Others may use it who leave in time with a chance of [`GONE_PERMILLE`], and from [`CLOSE_AFTER`] on nobody may.
//! 4. Room stays on the nodes where it was first kept, though forecasts change: each move loses what was drained until then. Who may
//!    use it all the same, being of a better tier, goes elsewhere if it can.
//! 5. Those who wait are forecast anew now and then: their like have ended meanwhile.
//!
//! Overtaking is bounded. Of two workloads of one queue and priority that ask the same (and, where a rule counts per user, of one
//! user), none starts before the other that became eligible more than [`ALLOWANCE_MAX`] earlier and waits: an allowance is between
//! zero and that bound, is fixed at submission, rule 2 moves both alike, and of those who ask the same only the first due is tried
//! (tests/overtaking.rs). Whoever asks for other things may pass, if it is due first or fits beside what is kept; kept room that is
//! closed nobody may use but those of a better tier, so what its gang still waits for is the ends of those who run there.
//! docs/POLICIES.md has the figures.

use fleet::quantity::{MilliDevice, Millis};
use fleet::time::Timestamp;
use fleet::workload::Workload;

use crate::predict::Distribution;
use crate::queues::Tier;

/// The most by which one that became eligible later may start before another that asks the same, under the trimtab order.
pub const ALLOWANCE_MAX: Millis = Millis::hours(6);
/// The allowance, in predicted median durations.
const ALLOWANCE_TIMES: i64 = 1;
/// How much later one goes if its queue has borrowed at all, and for each doubling of that
const BORROWED: Millis = Millis::hours(96);
/// from this part of the fleet on.
const BORROWED_FROM_ONE_OF: u64 = 64;
/// How much earlier a gang goes for each node beyond its first.
const NODE: Millis = Millis::hours(96);
/// So many of them count.
const NODES_MAX: u32 = 16;
/// A forecast of one who waits is made anew when it is so old.
pub(super) const RENEW_AFTER: Millis = Millis::minutes(30);
/// After so long without a break, kept room is closed to everyone else.
pub(super) const CLOSE_AFTER: Millis = Millis::hours(96);
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

/// How much later than due it goes; below zero: earlier.
pub(super) fn put_off(borrowed: MilliDevice, capacity: MilliDevice, nodes: u32) -> Millis {
    let parts = borrowed.0.saturating_mul(BORROWED_FROM_ONE_OF) / capacity.0.max(1);
    let times = if borrowed == MilliDevice::ZERO { 0 } else { 1 + i64::from((parts + 1).ilog2()) };
    let further_nodes = i64::from(nodes.saturating_sub(1).min(NODES_MAX));
    Millis(BORROWED.0 * times - NODE.0 * further_nodes)
}

/// For how many waiting workloads of a tier room is kept: enough that gangs of both get their nodes, few enough that draining
/// does not idle the fleet.
pub(super) fn holds_max(tier: Tier) -> usize {
    match tier {
        Tier::Owned => 2,
        Tier::Borrowed => 3,
    }
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
