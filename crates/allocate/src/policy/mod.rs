//! The policies, a file each: in what order workloads wait, how long they are expected to stay, for how many room is kept.

mod backfill;
mod fifo;
mod trimtab;

use fleet::policy::Order;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use crate::predict::Distribution;

/// Where a workload stands among those of equal priority; smaller goes first.
pub(crate) fn key(order: Order, eligible: Timestamp, expected: &Distribution) -> i64 {
    match order {
        Order::Fifo => fifo::key(eligible),
        Order::Backfill => backfill::key(eligible),
        Order::Trimtab => trimtab::key(eligible, expected),
    }
}

/// When a workload that has run since `since` and still runs `now` is expected to end.
pub(crate) fn expected_end(
    order: Order,
    workload: &Workload,
    expected: &Distribution,
    since: Timestamp,
    now: Timestamp,
) -> Timestamp {
    match order {
        Order::Fifo | Order::Backfill => backfill::expected_end(workload, since),
        Order::Trimtab => trimtab::expected_end(expected, since, now),
    }
}

/// When a workload that starts `now` is gone, for the question whether it delays those for whom room is kept.
pub(crate) fn gone_by(order: Order, workload: &Workload, expected: &Distribution, now: Timestamp) -> Timestamp {
    match order {
        Order::Fifo | Order::Backfill => backfill::expected_end(workload, now),
        Order::Trimtab => trimtab::gone_by(workload, expected, now),
    }
}

/// Whether it matters when a node will be empty: only where durations are predicted. `fifo` and `backfill` place as the systems
/// do that they stand for.
pub(crate) fn weighs_drains(order: Order) -> bool {
    order == Order::Trimtab
}

/// Whether a gang's room stays where it was kept before, if it is expected there after `same` and on other nodes after `other`.
pub(crate) fn stays_with(order: Order, same: Millis, other: Millis) -> bool {
    order == Order::Trimtab && trimtab::stays_with(same, other)
}

/// For how many waiting workloads room is kept.
pub(crate) fn holds_max(order: Order) -> usize {
    match order {
        Order::Fifo => 0,
        Order::Backfill => backfill::HOLDS_MAX,
        Order::Trimtab => trimtab::HOLDS_MAX,
    }
}
