//! What held and idle hours cost, where every node has a price.

use fleet::money::{Currency, Money};
use fleet::quantity::Millis;
use replay::history::{History, Recorded};

use super::nodes::Resource;
use crate::hours::Hours;
use crate::timeline::Place;

/// Prices of all nodes, in one currency. Sums are kept in millionths of a currency unit times thousandths times milliseconds,
/// so that nothing is lost before the end.
pub(super) struct Prices {
    currency: Currency,
    resource: Resource,
    /// By node: what one unit of the counted resource costs an hour, in millionths.
    unit: Vec<i64>,
    /// By node: what all of it costs an hour, in millionths.
    whole: Vec<i64>,
    /// Of all units of the fleet.
    mean: i64,
}

impl Prices {
    /// The prices; `None` unless every node that has any of the resource has one, all in one currency.
    pub(super) fn new(history: &History, resource: Resource) -> Option<Self> {
        let mut currency = None;
        let (mut sum, mut units) = (0_i128, 0_i128);
        let mut unit = vec![0; history.nodes.len()];
        let mut whole = unit.clone();
        for (index, (record, spec)) in history.nodes.iter().zip(&history.specs).enumerate() {
            let Some(spec) = spec else { continue };
            let has = resource.of(spec.capacity());
            if has == 0 {
                continue;
            }
            let price = record.price_per_hour?;
            if *currency.get_or_insert(price.currency) != price.currency {
                return None;
            }
            unit[index] = i64::try_from(i128::from(price.micros) * 1_000 / i128::from(has)).unwrap_or(i64::MAX);
            whole[index] = price.micros;
            sum += i128::from(price.micros) * 1_000;
            units += i128::from(has);
        }
        let mean = i64::try_from(sum.checked_div(units)?).unwrap_or(i64::MAX);
        Some(Self { currency: currency?, resource, unit, whole, mean })
    }

    /// What a run's share of its nodes cost; at the fleet's mean price where its nodes are not known.
    pub(super) fn of_run(&self, places: &[Place], recorded: &Recorded, time: Millis) -> i128 {
        let workload = &recorded.workload;
        if places.is_empty() {
            return self.at_mean(Hours::held(self.resource.of(workload.total()), time));
        }
        let on = places.iter().map(|place| {
            let hours = Hours::held(self.resource.of(workload.request.times(place.tasks)), time);
            hours.exact() * i128::from(self.unit[place.node.index()])
        });
        on.sum()
    }

    /// What a node cost in a time.
    pub(super) fn of_node(&self, node: usize, time: Millis) -> i128 {
        i128::from(self.whole[node]) * i128::from(time.0) * 1_000
    }

    /// At the fleet's mean price of a unit.
    pub(super) fn at_mean(&self, hours: Hours) -> i128 {
        hours.exact() * i128::from(self.mean)
    }

    /// Whole millionths.
    pub(super) fn money(&self, exact: i128) -> Money {
        let micros = exact / 3_600_000_000;
        Money { micros: i64::try_from(micros).unwrap_or(i64::MAX), currency: self.currency }
    }
}
