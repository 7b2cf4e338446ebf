//! What waiting costs.

use ::feed::meter::{Price, Report};
use fleet::money::{Currency, Money};
use fleet::quantity::Millis;
use serde::Serialize;

/// What waits, and what an hour of one costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Priced {
    pub(super) accelerators: u32,
    pub(super) price: Money,
}

/// What waiting costs in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Stall {
    /// How many wait, where that was told.
    pub(super) accelerators: Option<u32>,
    /// What an hour of all of them costs.
    pub(super) price_per_hour: Money,
    /// What is paid of that for waiting.
    pub(super) cost_per_hour: Money,
}

const HOUR: Millis = Millis::hours(1);

/// What waiting costs: by the price that is told here, else by the one that the loader was told.
pub(super) fn stall(report: &Report, priced: Option<Priced>) -> Option<Stall> {
    if let Some(Priced { accelerators, price }) = priced {
        let thousandths = 1_000 * u64::from(accelerators);
        let waiting = Millis((report.recent.starved.clamp(0.0, 1.0) * HOUR.0 as f64).round() as i64);
        return Some(Stall {
            accelerators: Some(accelerators),
            price_per_hour: price.per_hour_for(thousandths, HOUR),
            cost_per_hour: price.per_hour_for(thousandths, waiting),
        });
    }
    let (all, waiting) = (report.given.price_per_hour.as_ref()?, report.stall_cost_per_hour.as_ref()?);
    Some(Stall { accelerators: None, price_per_hour: money(all)?, cost_per_hour: money(waiting)? })
}

/// Nothing where the currency is none: a report may have been written by hand.
fn money(price: &Price) -> Option<Money> {
    Some(Money { micros: price.micros, currency: Currency::parse(&price.currency)? })
}
