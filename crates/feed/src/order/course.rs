//! What a loader goes through, epoch by epoch: one source's order or a mixture of several, and similar sizes together where that is asked
//! for.

use std::sync::Arc;

use super::buckets::Sorted;
use super::{Buckets, EpochOrder, Mix, Order, Shuffle, Sizes, Walk};

/// The samples of all epochs, in order.
#[derive(Clone, Debug)]
pub struct Course {
    /// Samples of an epoch, how those of each source are arranged, and what names the order.
    pub order: Order,
    /// The sources, where several are mixed. Its samples are counted through all of them.
    pub mix: Option<Arc<Mix>>,
    /// How samples of similar size are brought together, where they are, and their sizes.
    pub buckets: Option<(Buckets, Sizes)>,
}

/// The samples of one epoch.
#[derive(Clone, Debug)]
pub struct EpochCourse {
    line: Line,
    sorted: Option<Sorted>,
}

/// The samples of one epoch before they are sorted.
#[derive(Clone, Debug)]
enum Line {
    One(EpochOrder),
    Mixed {
        walk: Box<Walk>,
        /// The mixture's place where the epoch begins.
        first: u64,
    },
}

impl From<Order> for Course {
    fn from(order: Order) -> Course {
        Course { order, mix: None, buckets: None }
    }
}

impl Course {
    /// Samples of an epoch.
    pub fn samples(&self) -> u64 {
        self.order.samples
    }

    /// Bytes of memory that are taken for one place of the order, at most.
    pub fn window_bytes(&self) -> usize {
        let window = self.buckets.as_ref().map_or(0, |(buckets, _)| buckets.window_bytes(self.samples()));
        window + self.mix.as_ref().map_or(0, |mix| mix.block_bytes())
    }

    /// Positions that lie within the same few blocks of neighbours, where there are such: each so many of an epoch.
    pub fn window(&self) -> Option<u64> {
        match self.order.shuffle {
            Shuffle::Windowed { block, blocks } if self.mix.is_none() && self.buckets.is_none() => Some(block * blocks),
            _ => None,
        }
    }

    /// One epoch. Those of a mixture follow each other: what the next begins with is what comes after this one's last.
    pub fn epoch(&self, epoch: u64) -> EpochCourse {
        let Order { samples, shuffle, seed } = self.order;
        let line = match &self.mix {
            None => Line::One(self.order.epoch(epoch)),
            Some(mix) => {
                Line::Mixed { walk: Box::new(Walk::new(mix, shuffle, seed)), first: epoch.saturating_mul(samples) }
            }
        };
        let sorted =
            |(buckets, sizes): &(Buckets, Sizes)| Sorted::new(buckets.clone(), sizes.clone(), samples, (seed, epoch));
        EpochCourse { line, sorted: self.buckets.as_ref().map(sorted) }
    }

    /// Of each source that is mixed, the samples that come before a position of an epoch, all epochs before it among them; and without
    /// looking at how they are sorted.
    pub fn before(&self, epoch: u64, position: u64) -> Vec<u64> {
        let Order { samples, shuffle, seed } = self.order;
        let place = epoch.saturating_mul(samples).saturating_add(position);
        self.mix.as_ref().map_or_else(Vec::new, |mix| Walk::new(mix, shuffle, seed).before(place))
    }
}

impl EpochCourse {
    /// The sample at a position of the epoch. Positions that are asked for in order are found fastest.
    pub fn sample(&mut self, position: u64) -> u64 {
        let line = &mut self.line;
        let mut unsorted = |position| match line {
            Line::One(order) => order.sample(position),
            Line::Mixed { walk, first } => walk.sample(first.saturating_add(position)),
        };
        match &mut self.sorted {
            Some(sorted) => sorted.sample(position, unsorted),
            None => unsorted(position),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Shares, Weights, Worker};
    use super::*;

    fn course(samples: u64, with_mix: Option<[(u64, f64); 2]>, with_buckets: Option<(u64, u64)>) -> Course {
        let mix = |sources: [(u64, f64); 2]| {
            let weights = Weights::of(&sources.map(|(_, weight)| weight)).expect("the weights make a mixture");
            Arc::new(Mix::new(sources.map(|(samples, _)| ("any".to_owned(), samples)).to_vec(), &weights))
        };
        let buckets = |(group, groups)| {
            let size = Sizes::new(|sample| crate::random::mixed(sample) % 100);
            (Buckets { group, groups, fields: Vec::new() }, size)
        };
        let order = Order { samples, shuffle: Shuffle::Global, seed: 5 };
        Course { order, mix: with_mix.map(mix), buckets: with_buckets.map(buckets) }
    }

    fn whole(course: &Course, epoch: u64) -> Vec<u64> {
        let mut order = course.epoch(epoch);
        (0..course.samples()).map(|position| order.sample(position)).collect()
    }

    proptest! {
        #[test]
        fn any_world_goes_on_where_another_stopped(
            sources in (1_u64..200, 1_u64..200).prop_map(|(one, other)| [(one, 0.7), (other, 0.3)]),
            is_mixed: bool,
            buckets in prop::option::of((1_u64..30, 1_u64..10)),
            worlds in prop::collection::vec((1_u64..9, 1_u64..40, 0_usize..20), 1..5),
        ) {
            let samples = if is_mixed { 700 } else { sources[0].0 };
            let course = course(samples, is_mixed.then_some(sources), buckets);
            let (mut all, mut consumed) = (Vec::new(), 0);
            for (world, batch, steps) in worlds.into_iter().chain([(3, 7, usize::MAX)]) {
                // Each rank begins anew, and reaches its own positions only.
                let mut orders: Vec<EpochCourse> = (0..world).map(|_| course.epoch(2)).collect();
                for _ in 0..steps {
                    let share = |rank| Shares { samples, world, rank, batch, drop_last: false, worker: Worker::ALONE }.after(consumed);
                    let Some(next) = share(0) else { break };
                    for (rank, order) in orders.iter_mut().enumerate() {
                        let positions = share(rank as u64).map_or(0..0, |share| share.positions);
                        all.extend(positions.map(|position| order.sample(position)));
                    }
                    consumed = next.consumed;
                }
            }
            prop_assert_eq!(all, whole(&course, 2));
        }
    }

    #[test]
    fn epochs_of_a_mixture_follow_each_other() {
        // Epochs that end within those of both sources, and within blocks.
        let course = course(333, Some([(100, 0.6), (70, 0.4)]), None);
        let all: Vec<u64> = (0..12).flat_map(|epoch| whole(&course, epoch)).collect();
        for (samples, first) in [(100, 0), (70, 100)] {
            let of: Vec<u64> = all.iter().copied().filter(|sample| (first..first + samples).contains(sample)).collect();
            assert!(of.len() as u64 > 10 * samples);
            for epoch in of.chunks_exact(samples as usize) {
                let mut sorted = epoch.to_vec();
                sorted.sort_unstable();
                assert_eq!(sorted, (first..first + samples).collect::<Vec<u64>>());
            }
            assert_ne!(of[..samples as usize], of[samples as usize..2 * samples as usize]);
        }
        let counted = course.before(7, 100);
        let before = &all[..7 * 333 + 100];
        assert_eq!(counted[0], before.iter().filter(|sample| **sample < 100).count() as u64);
        assert_eq!(counted.iter().sum::<u64>(), before.len() as u64);
    }

    #[test]
    fn sorting_changes_nothing_beyond_a_window() {
        let plain = course(1000, Some([(400, 0.6), (300, 0.4)]), None);
        let sorted = Course { buckets: course(1, None, Some((10, 5))).buckets, ..plain.clone() };
        for epoch in 0..2 {
            let (plain, sorted) = (whole(&plain, epoch), whole(&sorted, epoch));
            assert_ne!(plain, sorted);
            for (plain, sorted) in plain.chunks(50).zip(sorted.chunks(50)) {
                let in_order = |samples: &[u64]| {
                    let mut samples = samples.to_vec();
                    samples.sort_unstable();
                    samples
                };
                assert_eq!(in_order(plain), in_order(sorted));
            }
        }
    }
}
