//! Findings as the API and the pages show them: how each stands, and what it costs.

use std::collections::BTreeMap;

use fleet::action::Slot;
use fleet::finding::Finding;
use fleet::ids::{FindingId, WorkloadId};
use fleet::kept_finding::{FindingState, KeptFinding};
use fleet::live::Live;
use fleet::money::Money;
use fleet::quantity::{MilliDevice, Millis};
use fleet::time::Timestamp;
use store::{FindingQuery, Reader, StoreError, StoredNode};

use crate::agents;
use crate::failure::Failure;

/// A finding, and how it stands.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) kept: KeptFinding,
    pub(crate) state: FindingState,
    /// What it costs while it is there, where that can be said.
    pub(crate) cost: Option<Cost>,
    /// When the agent that found it was heard last, where it is open and that one is silent: whether it is still so is not known.
    pub(crate) unheard: Option<Timestamp>,
}

/// What a finding costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    /// Hours of devices that are lost in a day.
    pub(crate) device_hours_a_day: f64,
    /// What those cost, where the nodes have prices.
    pub(crate) money_a_day: Option<Money>,
}

/// Findings, the latest opened first.
pub(crate) fn list(reader: &Reader, query: &FindingQuery) -> Result<Vec<Found>, Failure> {
    let found = reader.findings(query)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let (nodes, silent) = (reader.nodes()?, agents::silent(reader, query.now)?);
    found.into_iter().map(|kept| one(reader, kept, &nodes, &silent, query.now)).collect()
}

/// One finding.
pub(crate) fn find(reader: &Reader, id: u64, now: Timestamp) -> Result<Found, Failure> {
    let kept = reader.finding(FindingId(id))?.ok_or_else(|| absent(id))?;
    one(reader, kept, &reader.nodes()?, &agents::silent(reader, now)?, now)
}

pub(crate) fn absent(id: u64) -> Failure {
    Failure::not_found(format!("there is no finding {id}"), "`trimtab findings --all` lists them")
}

fn one(
    reader: &Reader,
    kept: KeptFinding,
    nodes: &[StoredNode],
    silent: &BTreeMap<String, Option<Timestamp>>,
    now: Timestamp,
) -> Result<Found, Failure> {
    let workload = |id: WorkloadId| reader.workload(id);
    let live = kept.workload.filter(|_| kept.closed.is_none()).map(workload).transpose()?.flatten();
    let cost = live.and_then(|live| cost(&kept.finding, &live, nodes));
    let node = kept.finding.place("node").filter(|_| kept.closed.is_none());
    let is_here = |node: &str| nodes.iter().any(|known| known.facts.name == node);
    let unheard = node.filter(|node| !is_here(node)).and_then(|node| match silent.get(node) {
        Some(heard) => *heard,
        // It is forgotten.
        None => Some(kept.seen),
    });
    Ok(Found { state: kept.state(now), kept, cost, unheard })
}

/// What a finding costs a day while it is there, in hours of devices and, where the nodes have prices, in money; nothing where that cannot be
/// said.
///
/// # Errors
/// If the store cannot be read.
pub fn cost_a_day(reader: &Reader, kept: &KeptFinding) -> Result<Option<(f64, Option<Money>)>, StoreError> {
    let Some(workload) = kept.workload.filter(|_| kept.closed.is_none()) else { return Ok(None) };
    let Some(live) = reader.workload(workload)? else { return Ok(None) };
    Ok(cost(&kept.finding, &live, &reader.nodes()?).map(|cost| (cost.device_hours_a_day, cost.money_a_day)))
}

/// What is lost of a day: `1 − 1 / speedup` of the devices that the workload holds; all of them where nothing goes on.
fn cost(finding: &Finding, live: &Live, nodes: &[StoredNode]) -> Option<Cost> {
    let share = match finding.speedup {
        Some(speedup) if speedup.value > 1.0 => 1.0 - 1.0 / speedup.value,
        None if finding.rule == STANDS_STILL => 1.0,
        _ => return None,
    };
    let slots = &live.runs.last().filter(|run| run.end.is_none())?.slots;
    let devices = |slot: &Slot| live.submission.request.devices.0 * u64::from(slot.tasks);
    let all = MilliDevice(slots.iter().map(devices).sum());
    (all.0 > 0).then(|| Cost {
        device_hours_a_day: share * all.0 as f64 / 1_000.0 * 24.0,
        money_a_day: money(slots, &devices, nodes, share),
    })
}

/// The rule of what does not go on at all.
const STANDS_STILL: &str = "hang";

/// A device costs its part of its node; nothing is said where a node has no price, or another currency.
fn money(slots: &[Slot], devices: &dyn Fn(&Slot) -> u64, nodes: &[StoredNode], share: f64) -> Option<Money> {
    let mut sum: Option<Money> = None;
    for slot in slots {
        let facts = &nodes.iter().find(|node| node.id == slot.node)?.facts;
        let price = facts.price_per_hour.filter(|_| facts.devices > 0)?;
        let milli_nodes = (devices(slot) as f64 * share / f64::from(facts.devices)).round() as u64;
        let part = price.per_hour_for(milli_nodes, Millis::hours(24));
        sum = Some(sum.map_or(Some(part), |sum| sum.checked_add(part))?);
    }
    sum
}

#[cfg(test)]
mod tests {
    use fleet::history::NodeRecord;
    use fleet::ids::{ActionId, NodeId};
    use fleet::live::{Phase, Run, Submission};
    use fleet::money::Currency;
    use fleet::recommendation::Interval;
    use store::NodeStanding;

    use super::*;

    fn node(price: Option<i64>) -> StoredNode {
        let price_per_hour = price.map(|units| Money { micros: units * 1_000_000, currency: Currency::USD });
        let facts = NodeRecord { name: "n".into(), devices: 8, price_per_hour, ..NodeRecord::default() };
        let at = Timestamp(0);
        StoredNode { id: NodeId(0), facts, found: at, standing: NodeStanding::Usable, since: at, by: None }
    }

    fn live(devices: u64) -> Live {
        let mut submission = Submission::default();
        submission.request.devices = MilliDevice::whole(devices);
        let mut live = Live::new(WorkloadId(1), submission, "ada".into(), Timestamp(0));
        let slots = vec![Slot { node: NodeId(0), tasks: 1, devices: 0 }];
        let (decided, started) = (Timestamp(0), None);
        live.runs.push(Run { action: ActionId(1), slots, decided, started, end: None, start_failed: None });
        live.phase = Phase::Running;
        live
    }

    fn check(rule: &str, speedup: Option<f64>, devices: u64, price: Option<i64>, expected: Option<(f64, Option<f64>)>) {
        let mut finding = Finding::new(rule, "It is slow");
        finding.speedup = speedup.map(|value| Interval { low: value, value, high: value });
        let found = cost(&finding, &live(devices), &[node(price)]);
        let told = found.map(|cost| (cost.device_hours_a_day, cost.money_a_day.map(|money| money.as_units())));
        assert_eq!(told, expected, "{rule} {speedup:?} {devices}");
    }

    #[test]
    fn a_cost_is_said_where_it_can_be() {
        check("slow-disk", Some(2.0), 4, None, Some((48.0, None)));
        // Half of four of eight devices, of a node at 16 an hour: 4 an hour.
        check("slow-disk", Some(2.0), 4, Some(16), Some((48.0, Some(96.0))));
        check("hang", None, 4, None, Some((96.0, None)));
        check("crash", None, 4, None, None);
        check("slow-disk", Some(2.0), 0, Some(16), None);
        check("slow-disk", Some(1.0), 4, None, None);
    }
}
