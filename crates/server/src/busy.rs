//! How busy nodes and devices are, as far as it was measured. What was not measured, or could not be read, is unknown and never zero.
//!
//! Everything is read for all nodes at once: no page asks device by device.

use std::collections::BTreeMap;

use fleet::ids::NodeId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use store::{Lately, Reader, Row};

use crate::failure::Failure;

/// Cores that worked.
pub(crate) const CORES: &str = "cpu_busy_cores";
/// Memory that programs cannot have.
pub(crate) const MEMORY: &str = "memory_used_bytes";
/// The load of the last minute.
pub(crate) const LOAD: &str = "load_1m";
/// How much of the time a device worked.
pub(crate) const DEVICE: &str = "device_busy_ratio";
/// Memory of a device in use.
pub(crate) const DEVICE_MEMORY: &str = "device_memory_used_bytes";
/// All that is measured.
pub(crate) const METRICS: [&str; 5] = [CORES, MEMORY, LOAD, DEVICE, DEVICE_MEMORY];

/// What was measured longer ago does not tell how things are now.
const FRESH: Millis = Millis::seconds(30);
/// Of late is so long,
const LATELY: Millis = Millis::minutes(10);
/// and nobody is called idle who was given out, or is known, for less than this.
const LEAST: Millis = Millis::minutes(5);
/// Whoever works less than this idles.
const IDLE_BELOW: f64 = 0.05;

/// How busy a node is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Now {
    /// Cores that work.
    pub(crate) cores: Option<f64>,
    /// Bytes of memory that programs cannot have.
    pub(crate) memory: Option<u64>,
    /// The load of the last minute.
    pub(crate) load: Option<f64>,
    /// Devices by index, as far as they were measured.
    pub(crate) devices: BTreeMap<u32, DeviceNow>,
}

/// How busy a device is now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct DeviceNow {
    /// How much of the time it works, from 0 to 1.
    pub(crate) ratio: Option<f64>,
    /// Bytes of its memory in use.
    pub(crate) memory: Option<u64>,
}

impl Now {
    /// The mean over those devices of which it is known.
    pub(crate) fn devices_mean(&self) -> Option<f64> {
        let known: Vec<f64> = self.devices.values().filter_map(|device| device.ratio).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

/// How busy every node is now, or one. Nodes of which nothing was measured are absent.
pub(crate) fn now(reader: &Reader, node: Option<NodeId>, at: Timestamp) -> Result<BTreeMap<NodeId, Now>, Failure> {
    let mut nodes: BTreeMap<NodeId, Now> = BTreeMap::new();
    for sample in reader.latest_samples(node, at - FRESH)? {
        let now = nodes.entry(sample.node).or_default();
        // A number of bytes is written as a floating one; those below 2^53 are exact.
        let bytes = sample.value.map(|value| value as u64);
        match (sample.metric.as_str(), sample.device) {
            (CORES, None) => now.cores = sample.value,
            (MEMORY, None) => now.memory = bytes,
            (LOAD, None) => now.load = sample.value,
            (DEVICE, Some(device)) => now.devices.entry(device).or_default().ratio = sample.value,
            (DEVICE_MEMORY, Some(device)) => now.devices.entry(device).or_default().memory = bytes,
            _ => {}
        }
    }
    Ok(nodes)
}

/// How busy devices were of late.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfLate {
    at: Timestamp,
    devices: BTreeMap<(NodeId, u32), Lately>,
}

impl OfLate {
    /// Of every device, or of those of one node.
    pub(crate) fn read(reader: &Reader, node: Option<NodeId>, at: Timestamp) -> Result<Self, Failure> {
        Ok(Self::of(reader.lately(DEVICE, node, at - LATELY, at - LEAST)?, at))
    }

    pub(crate) fn of(devices: Vec<Lately>, at: Timestamp) -> Self {
        Self { at, devices: devices.into_iter().map(|lately| ((lately.node, lately.device), lately)).collect() }
    }

    /// How much of the last ten minutes a device worked, from 0 to 1.
    pub(crate) fn mean(&self, node: NodeId, device: u32) -> Option<f64> {
        self.devices.get(&(node, device))?.mean
    }

    /// The devices of each node, as bits, that are given out and do next to nothing.
    pub(crate) fn idle_though_given(&self, rows: &[Row]) -> BTreeMap<NodeId, u64> {
        // Where several share a device, it is given out since the first of them began.
        let mut since: BTreeMap<(NodeId, u32), Timestamp> = BTreeMap::new();
        for row in rows {
            let Some(started) = row.started else { continue };
            for slot in &row.slots {
                for device in (0..u64::BITS).filter(|device| slot.devices >> device & 1 == 1) {
                    let first = since.entry((slot.node, device)).or_insert(started);
                    *first = started.min(*first);
                }
            }
        }
        let mut idle: BTreeMap<NodeId, u64> = BTreeMap::new();
        for ((node, device), since) in since {
            if self.is_idle(node, device, since) {
                *idle.entry(node).or_default() |= 1 << device;
            }
        }
        idle
    }

    /// What happened before a device was given out says nothing of whom it was given to.
    fn is_idle(&self, node: NodeId, device: u32, given_since: Timestamp) -> bool {
        let Some(lately) = self.devices.get(&(node, device)) else { return false };
        let long_enough = |since: Timestamp| since <= self.at - LEAST;
        if !long_enough(given_since) || !lately.known_since.is_some_and(long_enough) {
            return false;
        }
        let whole = if given_since <= self.at - LATELY { lately.mean } else { lately.mean_of_late };
        // Of a device that could not be read since, nothing is known.
        lately.mean_of_late.is_some() && whole.is_some_and(|mean| mean < IDLE_BELOW)
    }
}

#[cfg(test)]
mod tests {
    use fleet::action::Slot;
    use fleet::ids::WorkloadId;
    use fleet::node::Resources;
    use store::State;

    use super::*;

    const AT: Timestamp = Timestamp(1_795_000_000_000);

    fn minutes_ago(minutes: i64) -> Timestamp {
        AT - Millis::minutes(minutes)
    }

    fn given(since: Option<Timestamp>) -> Row {
        Row {
            id: WorkloadId(1),
            state: State::Running,
            queue: String::new(),
            user: String::new(),
            name: None,
            command: String::new(),
            priority: 0,
            request: Resources::devices(1),
            submitted: minutes_ago(60),
            eligible: None,
            started: since,
            finished: None,
            runs: 1,
            slots: vec![Slot { node: NodeId(3), tasks: 1, devices: 0b100 }],
        }
    }

    fn lately(mean: Option<f64>, mean_of_late: Option<f64>, known_since: i64) -> OfLate {
        let known_since = Some(minutes_ago(known_since));
        OfLate::of(vec![Lately { node: NodeId(3), device: 2, mean, mean_of_late, known_since }], AT)
    }

    #[test]
    fn idle_is_who_was_given_and_known_long_enough_and_did_nothing_since() {
        let (still, busy) = (Some(0.04), Some(0.5));
        let check = |of_late: &OfLate, rows: &[Row], idle: bool| {
            let expected = if idle { BTreeMap::from([(NodeId(3), 0b100)]) } else { BTreeMap::new() };
            assert_eq!(of_late.idle_though_given(rows), expected, "{of_late:?} {rows:?}");
        };
        let since = |minutes| [given(Some(minutes_ago(minutes)))];
        check(&lately(still, still, 9), &since(20), true);
        check(&lately(busy, still, 9), &since(20), false);
        check(&lately(still, busy, 9), &since(20), true);
        // What it did before it was given out does not count.
        check(&lately(busy, still, 9), &since(6), true);
        check(&lately(still, busy, 9), &since(6), false);
        check(&lately(still, still, 9), &since(4), false);
        check(&lately(still, still, 4), &since(20), false);
        check(&lately(None, None, 9), &since(20), false);
        check(&lately(still, None, 9), &since(20), false);
        check(&OfLate::default(), &since(20), false);
        check(&lately(still, still, 9), &[given(None)], false);
        check(&lately(still, still, 9), &[], false);
        // Two share it: since the first.
        check(&lately(still, still, 9), &[given(Some(minutes_ago(1))), given(Some(minutes_ago(20)))], true);
    }

    #[test]
    fn a_mean_is_of_those_that_are_known() {
        let device = |ratio| DeviceNow { ratio, memory: None };
        let of = |ratios: &[Option<f64>]| Now {
            devices: (0..).zip(ratios.iter().map(|ratio| device(*ratio))).collect(),
            ..Now::default()
        };
        assert_eq!(of(&[Some(0.5), None, Some(0.25)]).devices_mean(), Some(0.375));
        assert_eq!((of(&[None]).devices_mean(), of(&[]).devices_mean()), (None, None));
    }
}
