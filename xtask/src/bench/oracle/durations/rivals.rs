//! Intervals from quantiles of groups: what a forecast must beat.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use allocate::predict::Features;
use fleet::time::Timestamp;

use super::Lived;
use super::judge::Interval;

/// A group of workloads that share quantiles.
pub(super) type Group = (u32, u64);

pub(super) fn queue_and_size(features: &Features) -> Group {
    (features.queue, (features.devices_milli << 20) | (features.cpu_milli / 1_000))
}

pub(super) fn user(features: &Features) -> Group {
    (features.user.unwrap_or(u32::MAX), 0)
}

/// Quantiles over the whole file, known before it begins.
pub(super) fn of_the_whole_file(lived: &[Lived], by: fn(&Features) -> Group) -> Vec<Interval> {
    let mut groups: BTreeMap<Group, Vec<u64>> = BTreeMap::new();
    for one in lived {
        groups.entry(by(&one.features)).or_default().push(one.ran_ms);
    }
    let intervals: BTreeMap<Group, Interval> = groups
        .into_iter()
        .map(|(group, mut runs)| {
            runs.sort_unstable();
            (group, interval(&runs))
        })
        .collect();
    lived.iter().map(|one| intervals[&by(&one.features)]).collect()
}

/// A group speaks for itself from so many ends on; until then all groups speak for it.
const ENOUGH: usize = 10;

/// Quantiles over what has ended before each submission.
pub(super) fn learnt(lived: &[Lived], by: fn(&Features) -> Group) -> Vec<Interval> {
    let mut groups: BTreeMap<Group, Vec<u64>> = BTreeMap::new();
    let mut all: Vec<u64> = Vec::new();
    let mut ends: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
    let mut intervals = Vec::with_capacity(lived.len());
    for (index, one) in lived.iter().enumerate() {
        while let Some(&Reverse((at, ended))) = ends.peek()
            && at <= one.submit
        {
            ends.pop();
            let ran_ms = lived[ended].ran_ms;
            for runs in [groups.entry(by(&lived[ended].features)).or_default(), &mut all] {
                runs.insert(runs.partition_point(|&other| other < ran_ms), ran_ms);
            }
        }
        let own = groups.get(&by(&one.features)).filter(|runs| runs.len() >= ENOUGH);
        intervals.push(interval(own.unwrap_or(&all)));
        ends.push(Reverse((one.end(), index)));
    }
    intervals
}

/// Of sorted runs; nothing at all where there is none.
fn interval(sorted: &[u64]) -> Interval {
    let [low_ms, middle_ms, high_ms] = [10, 50, 90].map(|percent| quantile(sorted, percent));
    Interval { low_ms, middle_ms, high_ms }
}

/// Straight between the two nearest runs.
fn quantile(sorted: &[u64], percent: usize) -> u64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0 };
    let (below, part) = (last * percent / 100, (last * percent % 100) as u64);
    let next = sorted[(below + 1).min(last)];
    sorted[below] + (next - sorted[below]) * part / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_runs() {
        assert_eq!(quantile(&[], 50), 0);
        assert_eq!(quantile(&[7], 90), 7);
        assert_eq!([10, 50, 90].map(|percent| quantile(&[0, 100, 200], percent)), [20, 100, 180]);
    }
}
