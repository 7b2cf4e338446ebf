//! A crowd for a large engine: 10,000 nodes of 8 devices, 20 queues, and gangs of 1 to 512 tasks, drawn from a seed.
//!
//! Sizes are drawn by [`SIZES`]; half of all gangs are one device, and the mean is about eight and a half. A task asks for a
//! device, 8 cores and 64 GiB of a node's 96 cores and 1 TiB. Queue `k` is drawn with a weight of `1 / (k + 1)`, so that some are
//! crowded; each has 10 users. True run times, which only this file knows, are a minute to about three days, even in
//! logarithm, times a user's own factor.

use fleet::ids::{NodeId, QueueId, UserId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::queue::Queue;
use fleet::workload::{Constraint, Spread, Workload};
use replay::seed::Seed;

pub(super) const NODES: u32 = 10_000;
pub(super) const DEVICES_A_NODE: u32 = 8;
pub(super) const DEVICES: u32 = NODES * DEVICES_A_NODE;
pub(super) const QUEUES: u32 = 20;
const USERS_A_QUEUE: u32 = 10;

/// Tasks of a gang, and how many of a thousand gangs have so many.
const SIZES: [(u32, u64); 10] =
    [(1, 500), (2, 150), (4, 120), (8, 120), (16, 50), (32, 30), (64, 15), (128, 8), (256, 4), (512, 3)];

/// Draws workloads and their run times.
pub(super) struct Crowd {
    seed: Seed,
    drawn: u32,
    runs: Vec<Millis>,
}

impl Crowd {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed: Seed::new(seed), drawn: 0, runs: Vec::new() }
    }

    /// The next workload; ids rise from 0. Without a time limit: what it will take is to be learnt.
    pub(super) fn next(&mut self) -> Workload {
        let tasks = self.size();
        let queue = self.queue();
        let user = queue * USERS_A_QUEUE + self.seed.below(u64::from(USERS_A_QUEUE)) as u32;
        // Twelve doublings of a minute are 68 hours.
        let doublings = self.seed.below(12);
        let run = (60_000 << doublings) + self.seed.below(60_000 << doublings) / u64::from(1 + user % 3);
        self.runs.push(Millis(run as i64));
        let id = WorkloadId(self.drawn);
        self.drawn += 1;
        Workload {
            id,
            queue: QueueId(queue),
            user: Some(UserId(user)),
            name: None,
            priority: 0,
            tasks,
            request: Resources { cpu: MilliCpu::whole(8), memory: Bytes::gibi(64), devices: MilliDevice::whole(1) },
            spread: Spread::Packed,
            constraint: Constraint::default(),
            time_limit: None,
        }
    }

    /// How long a workload truly runs.
    pub(super) fn run(&self, workload: WorkloadId) -> Millis {
        self.runs[workload.index()]
    }

    /// A number below `bound` from the same seed.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.seed.below(bound as u64) as usize
    }

    fn size(&mut self) -> u32 {
        let all: u64 = SIZES.iter().map(|(_, weight)| weight).sum();
        let mut left = self.seed.below(all);
        for (size, weight) in SIZES {
            if left < weight {
                return size;
            }
            left -= weight;
        }
        unreachable!("what was drawn is below the sum of the weights")
    }

    fn queue(&mut self) -> u32 {
        const SCALE: u64 = 1_000_000;
        let weight = |queue: u32| SCALE / u64::from(queue + 1);
        let mut left = self.seed.below((0..QUEUES).map(weight).sum());
        for queue in 0..QUEUES {
            if left < weight(queue) {
                return queue;
            }
            left -= weight(queue);
        }
        unreachable!("what was drawn is below the sum of the weights")
    }
}

/// All nodes.
pub(super) fn nodes() -> impl Iterator<Item = (NodeId, Node)> {
    (0..NODES).map(|index| {
        let spec = Node {
            pools: Vec::new(),
            cpu: MilliCpu::whole(96),
            memory: Bytes::gibi(1_024),
            devices: DEVICES_A_NODE,
            model: None,
        };
        (NodeId(index), spec)
    })
}

/// All queues, each with an equal quota; with a `fill` in percent no queue may pass its equal part of that much of the fleet.
pub(super) fn queues(fill: Option<u32>) -> impl Iterator<Item = Queue> {
    (0..QUEUES).map(move |index| Queue {
        quota: Some(MilliDevice::whole(u64::from(DEVICES / QUEUES))),
        limit: fill.map(|percent| MilliDevice::whole(u64::from(DEVICES / QUEUES * percent / 100))),
        ..Queue::unlimited(QueueId(index))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_crowd_is_as_it_is_said_to_be() {
        let mut crowd = Crowd::new(1);
        let drawn: Vec<Workload> = (0..100_000).map(|_| crowd.next()).collect();
        let sizes: BTreeSet<u32> = drawn.iter().map(|workload| workload.tasks).collect();
        assert_eq!(sizes, SIZES.iter().map(|(size, _)| *size).collect());
        assert_eq!(drawn.iter().map(|workload| workload.queue).collect::<BTreeSet<_>>().len(), QUEUES as usize);
        let mean = drawn.iter().map(|workload| f64::from(workload.tasks)).sum::<f64>() / 100_000.0;
        assert!((8.0..9.0).contains(&mean), "{mean}");
    }
}
