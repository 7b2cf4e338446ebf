//! Samples of similar size together, so that little is padded where they lie in one array.
//!
//! Places are cut into windows. The samples of a window are sorted by their sizes and cut into groups, and the groups are arranged
//! anew. No more than a window is looked at for any place.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Permutation;
use crate::random::{Draws, mixed};

/// Samples of a window, at most.
pub const WINDOW_MAX: u64 = 1 << 20;
/// What draws are for.
const OF_WINDOWS: u64 = 3;

/// How samples of similar size are brought together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buckets {
    /// Samples of a group, which are of similar size. One at least.
    pub group: u64,
    /// Groups of a window. One at least, and a window has at most [`WINDOW_MAX`] samples.
    pub groups: u64,
    /// Fields that make a sample's size, together: of each list, the first that it has.
    pub fields: Vec<Vec<String>>,
}

impl Buckets {
    /// Samples of a window, but for the last of an epoch.
    pub(super) fn window(&self) -> u64 {
        self.group * self.groups
    }

    /// Bytes of memory that a window of an epoch of so many samples takes, sorted and being sorted.
    pub(super) fn window_bytes(&self, samples: u64) -> usize {
        self.window().min(samples) as usize * (size_of::<u64>() + size_of::<(u64, u64)>())
    }
}

impl fmt::Display for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.fields.iter().map(|names| names.join(" or ")).collect();
        write!(f, "{} groups of {} samples by the size of [{}]", self.groups, self.group, names.join(", "))
    }
}

/// The sizes of samples, as the index tells them.
#[derive(Clone)]
pub struct Sizes(Arc<dyn Fn(u64) -> u64 + Send + Sync>);

impl Sizes {
    /// What `size` says of a sample.
    pub fn new(size: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Sizes {
        Sizes(Arc::new(size))
    }
}

impl fmt::Debug for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sizes")
    }
}

/// An epoch of which samples of similar size come together. The window that was asked for last is kept.
#[derive(Clone, Debug)]
pub(super) struct Sorted {
    buckets: Buckets,
    sizes: Sizes,
    /// Samples of the epoch.
    count: u64,
    key: u64,
    /// The number of the window that is kept, and its samples.
    kept: Option<(u64, Vec<u64>)>,
}

impl Sorted {
    /// Of an epoch of `count` samples, by the order that the seed and the epoch's number name.
    pub(super) fn new(buckets: Buckets, sizes: Sizes, count: u64, (seed, epoch): (u64, u64)) -> Sorted {
        let key = Draws::of(&[seed, OF_WINDOWS, epoch]).bits();
        Sorted { buckets, sizes, count, key, kept: None }
    }

    /// The sample at a place of the epoch, of which `before` tells the samples as they come before they are sorted.
    ///
    /// # Panics
    ///
    /// Where `place` is not below the count.
    pub(super) fn sample(&mut self, place: u64, before: impl FnMut(u64) -> u64) -> u64 {
        assert!(place < self.count, "place {place} is not below {}", self.count);
        let window = self.buckets.window();
        let (number, within) = (place / window, (place % window) as usize);
        if self.kept.as_ref().is_none_or(|(kept, _)| *kept != number) {
            let places = number * window..((number + 1) * window).min(self.count);
            let samples = places.map(before).map(|sample| ((self.sizes.0)(sample), sample)).collect();
            self.kept = Some((number, arranged(samples, self.buckets.group, mixed(self.key.wrapping_add(number)))));
        }
        let (_, samples) = self.kept.as_ref().expect("the window is kept since a line above");
        samples[within]
    }
}

/// The samples of a window, each behind its size, in groups of similar size: the groups in an order that the key names, and each mixed in
/// itself, so that none of the ranks that share it has the largest each time. What makes no whole group comes last, so that groups begin at
/// multiples of their size; it is of some size that is drawn.
fn arranged(mut samples: Vec<(u64, u64)>, group: u64, key: u64) -> Vec<u64> {
    // Those of one size stay in the order that was drawn for them.
    samples.sort_by_key(|(size, _)| *size);
    let count = samples.len() as u64;
    let (groups, rest) = (count / group, count % group);
    let mut draws = Draws::of(&[key]);
    let cut = draws.below(groups + 1);
    let order = Permutation::new(groups, draws.bits());
    let mut all = Vec::with_capacity(samples.len());
    let mut add = |start: u64, size: u64| {
        let within = Permutation::new(size, mixed(key.wrapping_add(mixed(start))));
        all.extend((0..size).map(|place| samples[(start + within.at(place)) as usize].1));
    };
    for place in 0..groups {
        let number = order.at(place);
        add(number * group + if number < cut { 0 } else { rest }, group);
    }
    add(cut * group, rest);
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buckets(group: u64, groups: u64) -> Buckets {
        Buckets { group, groups, fields: vec![vec!["txt".to_owned()]] }
    }

    /// Sizes that have nothing to do with the samples' numbers.
    fn size(sample: u64) -> u64 {
        mixed(sample) % 1000
    }

    /// An epoch whose samples come backwards before they are sorted.
    fn epoch(count: u64, (group, groups): (u64, u64), seed: u64) -> Vec<u64> {
        let mut sorted = Sorted::new(buckets(group, groups), Sizes::new(size), count, (seed, 4));
        (0..count).map(|place| sorted.sample(place, |place| count - 1 - place)).collect()
    }

    proptest! {
        #[test]
        fn windows_keep_their_samples_and_groups_are_of_neighbours_in_size(
            count in 1_u64..2000,
            group in 1_u64..50,
            groups in 1_u64..20,
            seed: u64,
        ) {
            let all = epoch(count, (group, groups), seed);
            prop_assert_eq!(all.len() as u64, count);
            for (number, window) in all.chunks((group * groups) as usize).enumerate() {
                let first = count - number as u64 * group * groups;
                let mut sorted = window.to_vec();
                sorted.sort_unstable();
                prop_assert_eq!(sorted, (first - window.len() as u64..first).collect::<Vec<u64>>());
                // No two groups overlap: sorted by their smallest, each ends before the next begins.
                let range = |group: &[u64]| {
                    let sizes = group.iter().map(|sample| size(*sample));
                    (sizes.clone().min(), sizes.max())
                };
                let mut ranges: Vec<_> = window.chunks(group as usize).map(range).collect();
                ranges.sort_unstable();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{:?}", ranges);
            }
        }

        #[test]
        fn any_place_is_reached_without_those_before_it(
            count in 1_u64..2000,
            group in 1_u64..50,
            groups in 1_u64..20,
            places in prop::collection::vec(0_u64..2000, 1..30),
        ) {
            let all = epoch(count, (group, groups), 9);
            let mut sorted = Sorted::new(buckets(group, groups), Sizes::new(size), count, (9, 4));
            for place in places.into_iter().filter(|place| *place < count) {
                prop_assert_eq!(sorted.sample(place, |place| count - 1 - place), all[place as usize]);
            }
        }
    }

    #[test]
    fn groups_come_in_no_order_of_size_and_neither_do_samples_in_them() {
        let all = epoch(64_000, (64, 100), 1);
        let mean =
            |samples: &[u64]| samples.iter().map(|sample| size(*sample)).sum::<u64>() as f64 / samples.len() as f64;
        let means: Vec<f64> = all.chunks(64).map(mean).collect();
        let rises = means.windows(2).filter(|pair| pair[0] < pair[1]).count();
        // Of 999 pairs, in half, give or take 5 deviations (of 999/12 for what is arranged by chance).
        assert!((454..=545).contains(&rises), "{rises}");
        // The first and the second half of each group are of one size on average: between two ranks, neither waits for the other.
        let (mut first, mut second) = (0.0, 0.0);
        for group in all.chunks(64) {
            first += mean(&group[..32]);
            second += mean(&group[32..]);
        }
        assert!((first / second - 1.0).abs() < 0.001, "{first} {second}");
    }

    #[test]
    fn what_makes_no_whole_group_is_of_any_size() {
        // The last nine of 109 samples, which `drop_last` may leave out: over many epochs neither the smallest nor the largest.
        let rest =
            |seed| epoch(109, (10, 11), seed)[100..].iter().map(|sample| size(*sample)).sum::<u64>() as f64 / 9.0;
        let mean = (0..300).map(rest).sum::<f64>() / 300.0;
        let expected = (0..109).map(size).sum::<u64>() as f64 / 109.0;
        assert!((mean - expected).abs() < 100.0, "{mean} {expected}");
    }
}
