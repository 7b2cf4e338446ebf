//! A walk through the places of a mixture: whose each is, and which of its source's samples comes there.

use std::sync::Arc;

use super::mix::BLOCK_MAX;
use super::{EpochOrder, Mix, Order, Permutation, Shuffle};
use crate::random::Draws;

/// What draws are for: they are others where that is another.
const OF_BLOCKS: u64 = 1;
const OF_SOURCES: u64 = 2;

/// Goes through a mixture from any place on. What it keeps is one block: places that are asked for in order take a step each.
#[derive(Clone, Debug)]
pub struct Walk {
    mix: Arc<Mix>,
    seed: u64,
    block: Option<Block>,
    sources: Vec<Own>,
}

/// A block of places.
#[derive(Clone, Debug)]
struct Block {
    number: u64,
    /// Of each source, the samples that came in the blocks before.
    before: Vec<u64>,
    places: Vec<Place>,
}

/// A place: whose it is, and how many in the block before it are of the same source.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    source: u32,
    rank: u32,
}

/// The order of one source's samples, of which each epoch follows the one before.
#[derive(Clone, Debug)]
struct Own {
    order: Order,
    epoch: u64,
    epoch_order: EpochOrder,
}

/// What comes at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The source.
    pub source: usize,
    /// How many of its samples came before.
    pub number: u64,
}

impl Walk {
    /// Through a mixture of sources that are each arranged as told, by the order that `seed` names.
    pub fn new(mix: &Arc<Mix>, shuffle: Shuffle, seed: u64) -> Walk {
        let own = |(place, source): (usize, &super::Source)| {
            let seed = Draws::of(&[seed, OF_SOURCES, place as u64]).bits();
            let order = Order { samples: source.samples, shuffle, seed };
            Own { order, epoch: 0, epoch_order: order.epoch(0) }
        };
        let sources = mix.sources().iter().enumerate().map(own).collect();
        Walk { mix: Arc::clone(mix), seed, block: None, sources }
    }

    /// The sample at a place, counted among those of all sources.
    pub fn sample(&mut self, place: u64) -> u64 {
        let Drawn { source, number } = self.at(place);
        self.mix.start(source) + self.sources[source].sample(number)
    }

    /// What comes at a place.
    pub fn at(&mut self, place: u64) -> Drawn {
        let (number, within) = (place / self.mix.block(), (place % self.mix.block()) as usize);
        let block = self.reach(number);
        let Place { source, rank } = block.places[within];
        Drawn { source: source as usize, number: block.before[source as usize] + u64::from(rank) }
    }

    /// How many samples of each source come before a place.
    pub fn before(&mut self, place: u64) -> Vec<u64> {
        let (number, within) = (place / self.mix.block(), (place % self.mix.block()) as usize);
        let block = self.reach(number);
        let mut counts = block.before.clone();
        block.places[..within].iter().for_each(|place| counts[place.source as usize] += 1);
        counts
    }

    fn reach(&mut self, number: u64) -> &Block {
        match self.block.take() {
            Some(block) if block.number == number => self.block.insert(block),
            _ => self.block.insert(Block::new(&self.mix, self.seed, number)),
        }
    }
}

impl Block {
    fn new(mix: &Mix, seed: u64, number: u64) -> Block {
        let size = mix.block();
        assert!(size <= BLOCK_MAX, "a block has bounded room");
        let key = Draws::of(&[seed, OF_BLOCKS, number]).bits();
        let arrangement = Permutation::new(size, key);
        let mut places = vec![Place::default(); size as usize];
        let mut before = Vec::with_capacity(mix.sources().len());
        // Up to the sources before: places in the blocks before, and in this one.
        let (mut earlier, mut taken) = (0, 0);
        for (source, (begin, end)) in mix.before(number).zip(mix.before(number + 1)).enumerate() {
            assert!(end - begin >= taken, "a source has no fewer places than none");
            for place in taken..end - begin {
                places[arrangement.at(place) as usize].source = source as u32;
            }
            before.push(begin - earlier);
            (earlier, taken) = (begin, end - begin);
        }
        assert_eq!(taken, size, "each place is somebody's");
        // In order of places, so that a source's samples come in its own order, and all before any comes again.
        let mut ranks = vec![0; before.len()];
        for Place { source, rank } in &mut places {
            *rank = ranks[*source as usize];
            ranks[*source as usize] += 1;
        }
        Block { number, before, places }
    }
}

impl Own {
    /// The source's sample before which there were `number`, all its epochs in one line.
    fn sample(&mut self, number: u64) -> u64 {
        let epoch = number / self.order.samples;
        if epoch != self.epoch {
            self.epoch = epoch;
            self.epoch_order = self.order.epoch(epoch);
        }
        self.epoch_order.sample(number % self.order.samples)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Weights;
    use super::*;

    fn mix(sources: &[(u64, f64)]) -> Arc<Mix> {
        let weights: Vec<f64> = sources.iter().map(|(_, weight)| *weight).collect();
        let names = sources.iter().enumerate().map(|(place, (samples, _))| (place.to_string(), *samples)).collect();
        Arc::new(Mix::new(names, &Weights::of(&weights).expect("the weights make a mixture")))
    }

    /// Some sources, of which one at least has a weight.
    fn sources() -> impl Strategy<Value = Vec<(u64, f64)>> {
        let weight = prop_oneof![5 => 0.01_f64..1.0, 1 => Just(0.0)];
        let all = prop::collection::vec((1_u64..300, weight), 1..9);
        all.prop_filter("one has a weight", |all| all.iter().any(|(_, weight)| *weight > 0.0))
    }

    fn shuffles() -> impl Strategy<Value = Shuffle> {
        let windowed = (1_u64..20, 1_u64..5).prop_map(|(block, blocks)| Shuffle::Windowed { block, blocks });
        prop_oneof![Just(Shuffle::None), Just(Shuffle::Global), windowed]
    }

    proptest! {
        #[test]
        fn nothing_of_a_source_comes_again_before_all_of_it_came(
            sources in sources(),
            shuffle in shuffles(),
            seed: u64,
            first in prop_oneof![Just(0_u64), 0_u64..10_000],
        ) {
            let mix = mix(&sources);
            let mut walk = Walk::new(&mix, shuffle, seed);
            let mut came: Vec<Vec<u64>> = vec![Vec::new(); sources.len()];
            let before = walk.before(first);
            for place in first..first + 3000 {
                let sample = walk.sample(place);
                let source = mix.source_of(sample);
                prop_assert_eq!(walk.at(place), Drawn { source, number: before[source] + came[source].len() as u64 });
                came[source].push(sample - mix.start(source));
            }
            for ((came, before), (samples, weight)) in came.iter().zip(before).zip(&sources) {
                prop_assert!(*weight > 0.0 || came.is_empty());
                // From where an epoch of the source begins.
                let rest = (before.next_multiple_of(*samples) - before).min(came.len() as u64) as usize;
                for epoch in came[rest..].chunks_exact(*samples as usize) {
                    let mut sorted = epoch.to_vec();
                    sorted.sort_unstable();
                    prop_assert_eq!(sorted, (0..*samples).collect::<Vec<u64>>());
                }
            }
        }

        #[test]
        fn shares_hold_at_every_prefix(sources in sources(), seed: u64) {
            let mix = mix(&sources);
            let mut walk = Walk::new(&mix, Shuffle::Global, seed);
            let block = mix.block() as f64;
            let mut counts = vec![0_u64; sources.len()];
            for place in 0..4000 {
                for (source, count) in counts.iter().enumerate() {
                    let share = mix.share(source);
                    let is_border = place % mix.block() == 0;
                    let strays_max = 1.0 + if is_border { 0.0 } else { block * share * (1.0 - share) };
                    let strays = *count as f64 - share * place as f64;
                    prop_assert!(strays.abs() < strays_max + 1e-6, "{source} at {place}: {strays} of {strays_max}");
                }
                if place % 37 == 0 {
                    prop_assert_eq!(&walk.before(place), &counts);
                }
                counts[walk.at(place).source] += 1;
            }
        }

        #[test]
        fn any_place_is_reached_at_once(sources in sources(), seed: u64, places in prop::collection::vec(0_u64..1 << 61, 1..20)) {
            let mix = mix(&sources);
            let mut walk = Walk::new(&mix, Shuffle::Global, seed);
            for place in places {
                let (drawn, sample) = (walk.at(place), walk.sample(place));
                let mut begun = Walk::new(&mix, Shuffle::Global, seed);
                prop_assert_eq!((begun.at(place), begun.sample(place)), (drawn, sample));
                let exact = mix.share(drawn.source) * place as f64;
                prop_assert!((drawn.number as f64 - exact).abs() < 1e-9 * exact + mix.block() as f64);
            }
        }
    }

    #[test]
    fn sources_follow_each_other_in_no_period() {
        let shares = [0.5, 0.3, 0.15, 0.05];
        let mix = mix(&shares.map(|share| (1000, share)));
        let count = 20_000;
        for seed in 0..2 {
            let mut walk = Walk::new(&mix, Shuffle::Global, seed);
            let sources: Vec<usize> = (0..count).map(|place| walk.at(place).source).collect();
            // By chance, two places are of one source as often as the squares of the shares say; a period makes it more often at its
            // distance. The distances of blocks are among these. In a block, places are drawn without being put back, which makes it
            // rarer by one in a block's places.
            let expected: f64 = shares.iter().map(|share| share * share).sum();
            let deviation = (expected * (1.0 - expected) / count as f64).sqrt();
            for distance in 1..1000 {
                let pairs = sources.iter().zip(&sources[distance..]);
                let same = pairs.clone().filter(|(one, other)| one == other).count() as f64 / pairs.len() as f64;
                // Of 2000 distances, one in some hundred runs of this test would be 5.5 deviations off.
                let off = (same - expected).abs();
                assert!(off < 5.5 * deviation + 0.003, "{seed}: {same} of {expected} at {distance}");
            }
            // A source has no places of its own: as many even ones as odd ones, and so on, whatever ranks there are.
            for period in 2..130 {
                let mut of = vec![0.0; period];
                sources
                    .iter()
                    .enumerate()
                    .filter(|(_, source)| **source == 1)
                    .for_each(|(place, _)| of[place % period] += 1.0);
                let expected = 0.3 * count as f64 / period as f64;
                let chi: f64 = of.iter().map(|found: &f64| (found - expected).powi(2) / expected).sum();
                let freedom = (period - 1) as f64;
                assert!(chi < freedom + 6.0 * (2.0 * freedom).sqrt() + 6.0, "{seed}: {chi} for a period of {period}");
            }
        }
    }

    #[test]
    fn seeds_and_sources_have_orders_of_their_own() {
        let mix = mix(&[(1000, 1.0), (1000, 1.0)]);
        let run = |seed| {
            let mut walk = Walk::new(&mix, Shuffle::Global, seed);
            (0..1000).map(|place| walk.sample(place)).collect::<Vec<u64>>()
        };
        let (one, other) = (run(1), run(2));
        // A place agrees by chance once in 2000.
        assert!(one.iter().zip(&other).filter(|(one, other)| one == other).count() < 10);
        let of = |source: u64| one.iter().filter(move |sample| **sample / 1000 == source).map(|sample| sample % 1000);
        assert!(of(0).zip(of(1)).filter(|(one, other)| one == other).count() < 10);
    }

    #[test]
    fn the_smallest_weight_makes_blocks_as_large_as_they_may_be() {
        let mix = mix(&[(10, 65_534.0), (10, 1.0)]);
        assert_eq!(mix.block(), BLOCK_MAX);
        let mut walk = Walk::new(&mix, Shuffle::Global, 3);
        // Of 65,535,000 and some samples, one in 65,535.
        assert!((1000..=1001).contains(&walk.before(BLOCK_MAX * 1000)[1]));
    }
}
