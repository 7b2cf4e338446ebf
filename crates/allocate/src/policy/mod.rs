//! The policies, a file each: in what order workloads wait, how long they are expected to stay, for how many room is kept.

mod backfill;
mod fifo;
mod trimtab;

pub use trimtab::ALLOWANCE_MAX;

use fleet::policy::Order;
use fleet::quantity::{MilliDevice, Millis};
use fleet::time::Timestamp;
use fleet::workload::Workload;

use crate::predict::Distribution;
use crate::queues::Tier;

/// Where a workload stands among those of equal priority; smaller goes first.
pub(crate) fn key(order: Order, eligible: Timestamp, expected: &Distribution) -> i64 {
    match order {
        Order::Fifo => fifo::key(eligible),
        Order::Backfill => backfill::key(eligible),
        Order::Trimtab => trimtab::key(eligible, expected),
    }
}

/// How much later than its key says a workload goes whose queue has borrowed so much already, and that takes so many nodes.
/// Nothing that differs between workloads of one queue that ask the same.
pub(crate) fn put_off(order: Order, borrowed: MilliDevice, capacity: MilliDevice, nodes: u32) -> Millis {
    match order {
        Order::Fifo | Order::Backfill => Millis::ZERO,
        Order::Trimtab => trimtab::put_off(borrowed, capacity, nodes),
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

/// Whether those who ask the same are told apart by their limits when kept room may be used for a while. Under `trimtab` of those
/// who ask the same only the first due is tried: its bound on overtaking hangs on that.
pub(crate) fn goes_by_limits(order: Order) -> bool {
    order == Order::Backfill
}

/// Whether it matters when a node will be empty: only where durations are predicted. `fifo` and `backfill` place as the systems
/// do that they stand for.
pub(crate) fn weighs_drains(order: Order) -> bool {
    order == Order::Trimtab
}

/// Whether a gang's room stays where it was kept before, as long as that can do.
pub(crate) fn stays(order: Order) -> bool {
    order == Order::Trimtab
}

/// From what age on a forecast is made anew for whoever still waits.
pub(crate) fn renews_after(order: Order) -> Option<Millis> {
    (order == Order::Trimtab).then_some(trimtab::RENEW_AFTER)
}

/// How long room is kept for a gang before nobody may use it in the meantime.
pub(crate) fn closes_after(order: Order) -> Option<Millis> {
    (order == Order::Trimtab).then_some(trimtab::CLOSE_AFTER)
}

/// Whether room is kept for one more of this tier, beside those in these tiers for whom it is kept already.
pub(crate) fn holds_another(order: Order, tier: Tier, mut held: impl Iterator<Item = Tier>) -> bool {
    match order {
        Order::Fifo => false,
        Order::Backfill => held.next().is_none(),
        Order::Trimtab => held.filter(|&other| other == tier).count() < trimtab::holds_max(tier),
    }
}
