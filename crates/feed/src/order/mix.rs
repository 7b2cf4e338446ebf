//! Several sources as one: which source a place of the mixture is given to, by their weights. Start with [`Mix::before`].
//!
//! Places are cut into blocks, and how many a source has in the first blocks is a formula, so that its share is exact in the long run
//! and any place is reached at once. Which places of a block are whose is drawn (`walk`), so that nothing recurs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::walk::Place;

/// What the largest weight becomes, for weights to be whole numbers: each is right to this part of the largest.
const WEIGHT_MAX: u64 = 1 << 32;
/// Places of a block, at least: so few that any stretch of some hundred samples is of all sources, and so many that it is drawn how they
/// follow each other.
const BLOCK_MIN: u64 = 256;
/// And at most: what a block takes is kept, eight bytes a place.
pub(super) const BLOCK_MAX: u64 = 1 << 16;
/// Sources that are mixed, at most.
pub const SOURCES_MAX: usize = 1024;
/// Places that are counted through, epoch after epoch, at most. Products with weights stay far below 128 bits.
pub const PLACES_MAX: u64 = 1 << 62;

/// One of the sources that are mixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is called.
    pub name: String,
    /// Its samples; one at least.
    pub samples: u64,
    /// Its weight among those of the other sources, of which the largest is 2^32. None of it comes where that is 0.
    pub weight: u64,
}

/// Weights that a mixture can be made by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights(Vec<u64>);

/// Why there is no mixture by some weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WeightError {
    /// There are none, or too many.
    Count {
        /// So many.
        count: usize,
    },
    /// One is negative, infinite, or no number.
    NoWeight {
        /// Whose, in the order in which they are told.
        place: usize,
        /// What is told.
        weight: f64,
    },
    /// All are 0.
    AllZero,
    /// One is so small beside the others that its samples would almost never come.
    TooSmall {
        /// Whose.
        place: usize,
        /// What is told.
        weight: f64,
    },
}

impl Weights {
    /// Weights as they are told: they need not add up to anything.
    ///
    /// # Errors
    ///
    /// Where one is negative or no finite number, all are 0, or one that is not 0 is less than 1/65,536 of all together.
    pub fn of(told: &[f64]) -> Result<Weights, WeightError> {
        if !(1..=SOURCES_MAX).contains(&told.len()) {
            return Err(WeightError::Count { count: told.len() });
        }
        if let Some(place) = told.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
            return Err(WeightError::NoWeight { place, weight: told[place] });
        }
        let largest = told.iter().copied().fold(0.0, f64::max);
        if largest <= 0.0 {
            return Err(WeightError::AllZero);
        }
        // By the largest, and not by the sum, which may be more than a number holds.
        let whole = |weight: &f64| (weight / largest * WEIGHT_MAX as f64).round() as u64;
        let weights: Vec<u64> = told.iter().map(whole).collect();
        let sum: u64 = weights.iter().sum();
        let is_small = |(place, weight): (usize, &u64)| told[place] > 0.0 && weight * BLOCK_MAX < sum;
        if let Some(place) = weights.iter().enumerate().position(is_small) {
            return Err(WeightError::TooSmall { place, weight: told[place] });
        }
        Ok(Weights(weights))
    }
}

/// Sources, and how they are mixed.
///
/// In block *b*, the first *i* sources together have ⌊(b + 1) · B · W/S⌋ - ⌊b · B · W/S⌋ places, where B are a block's places, W is the sum of
/// the sources' weights and S that of all. So the count of a source is the difference of two roundings: after whole blocks it is less
/// than 1 away from its share, and within them less than 1 + B · share · (1 - share). No count is negative since B · weight/S is at least 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    sources: Vec<Source>,
    /// For each source, where its samples begin among those of all; and their number.
    starts: Vec<u64>,
    /// For each source, its weight and those of the sources before it.
    weights: Vec<u64>,
    /// Places of a block.
    block: u64,
}

impl Mix {
    /// Sources by their names and numbers of samples, of which there are as many as weights, and one sample of each at least.
    ///
    /// # Panics
    ///
    /// Where there are not as many, or a source has no sample.
    pub fn new(sources: Vec<(String, u64)>, weights: &Weights) -> Mix {
        assert_eq!(sources.len(), weights.0.len(), "each source has a weight");
        assert!(sources.iter().all(|(_, samples)| *samples > 0), "each source has a sample");
        let added = |sum: &mut u64, more: &u64| {
            *sum += more;
            Some(*sum)
        };
        let samples = sources.iter().map(|(_, samples)| samples).scan(0, added);
        let starts = [0].into_iter().chain(samples).collect();
        let up_to: Vec<u64> = weights.0.iter().scan(0, added).collect();
        let sum = up_to.last().copied().expect("there is a source");
        let least = weights.0.iter().copied().filter(|weight| *weight > 0).min().expect("a weight is more than 0");
        let block = sum.div_ceil(least).max(BLOCK_MIN);
        let sources = sources.into_iter().zip(&weights.0);
        let sources = sources.map(|((name, samples), weight)| Source { name, samples, weight: *weight }).collect();
        Mix { sources, starts, weights: up_to, block }
    }

    /// The sources, in the order in which they are told.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Where the samples of a source begin among those of all.
    pub fn start(&self, source: usize) -> u64 {
        self.starts[source]
    }

    /// The source that a sample is of, which is counted among those of all.
    pub fn source_of(&self, sample: u64) -> usize {
        self.starts.partition_point(|start| *start <= sample) - 1
    }

    /// The part of all samples that a source has in the long run.
    pub fn share(&self, source: usize) -> f64 {
        self.sources[source].weight as f64 / self.weight_sum() as f64
    }

    /// Samples of an epoch where none are told: as many as bring the source that lasts longest at its share once, to the nearest. None
    /// where that is more than can be counted.
    pub fn epoch_samples(&self) -> Option<u64> {
        let lasts = |source: &Source| {
            let (places, weight) =
                (u128::from(source.samples) * u128::from(self.weight_sum()), u128::from(source.weight));
            (places + weight / 2) / weight
        };
        let longest = self.sources.iter().filter(|source| source.weight > 0).map(lasts).max();
        longest.and_then(|places| u64::try_from(places).ok()).filter(|places| *places <= PLACES_MAX)
    }

    /// Bytes of memory that a block takes.
    pub(super) fn block_bytes(&self) -> usize {
        self.block as usize * size_of::<Place>() + self.sources.len() * size_of::<u64>()
    }

    /// Places of a block.
    pub(super) fn block(&self) -> u64 {
        self.block
    }

    /// How many places the first sources up to each one have in the blocks before one of that number.
    pub(super) fn before(&self, block: u64) -> impl Iterator<Item = u64> {
        let (places, sum) = (u128::from(block) * u128::from(self.block), u128::from(self.weight_sum()));
        self.weights.iter().map(move |weight| (places * u128::from(*weight) / sum) as u64)
    }

    fn weight_sum(&self) -> u64 {
        self.weights.last().copied().expect("there is a source")
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&told(&self.sources))
    }
}

/// Sources in words, by name, share, and number of samples.
pub(crate) fn told(sources: &[Source]) -> String {
    let sum: u64 = sources.iter().map(|source| source.weight).sum();
    let one = |source: &Source| {
        let Source { name, samples, weight } = source;
        format!("{name:?} ({:.4} % of {samples} samples)", 100.0 * *weight as f64 / sum.max(1) as f64)
    };
    sources.iter().map(one).collect::<Vec<String>>().join(", ")
}

impl fmt::Display for WeightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightError::Count { count } => {
                write!(f, "there are {count} sources; a mixture has between 1 and {SOURCES_MAX}")
            }
            WeightError::NoWeight { weight, .. } => {
                write!(
                    f,
                    "its weight is {weight}; a weight is a number from 0 on, and the weights need not add up to 1"
                )
            }
            WeightError::AllZero => f.write_str("all weights are 0: nothing would come; give one source more"),
            WeightError::TooSmall { weight, .. } => write!(
                f,
                "its weight of {weight} is less than 1/{BLOCK_MAX} of all weights together: leave the source out, or give it more"
            ),
        }
    }
}

impl std::error::Error for WeightError {}

impl WeightError {
    /// Whose weight it is about, in the order in which they are told; none where it is about all.
    pub fn place(&self) -> Option<usize> {
        match self {
            WeightError::NoWeight { place, .. } | WeightError::TooSmall { place, .. } => Some(*place),
            WeightError::Count { .. } | WeightError::AllZero => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_told_in_any_measure_and_what_makes_no_mixture_is_refused() {
        let of = |told: &[f64]| Weights::of(told).map(|weights| weights.0);
        assert_eq!(of(&[0.25, 1.0, 0.0]), Ok(vec![1 << 30, 1 << 32, 0]));
        assert_eq!(of(&[1e308, 1e308]), Ok(vec![1 << 32, 1 << 32]), "whose sum is no number");
        assert_eq!(of(&[7.0, 3.0]), of(&[0.7, 0.3]));
        assert_eq!(of(&[]), Err(WeightError::Count { count: 0 }));
        assert!(of(&vec![1.0; SOURCES_MAX]).is_ok(), "as many as there may be");
        assert_eq!(of(&vec![1.0; SOURCES_MAX + 1]), Err(WeightError::Count { count: SOURCES_MAX + 1 }));
        assert_eq!(of(&[1.0, -0.5]), Err(WeightError::NoWeight { place: 1, weight: -0.5 }));
        assert!(matches!(of(&[f64::NAN, 1.0]), Err(WeightError::NoWeight { place: 0, .. })));
        assert!(matches!(of(&[1.0, f64::INFINITY]), Err(WeightError::NoWeight { place: 1, .. })));
        assert_eq!(of(&[0.0, -0.0]), Err(WeightError::AllZero));
        assert!(of(&[65_534.0, 1.0]).is_ok());
        assert_eq!(of(&[65_540.0, 1.0]), Err(WeightError::TooSmall { place: 1, weight: 1.0 }));
        assert_eq!(of(&[1.0, 1e-300]), Err(WeightError::TooSmall { place: 1, weight: 1e-300 }));
    }

    #[test]
    fn an_epoch_is_what_the_source_takes_that_lasts_longest() {
        let mix = |sources: &[(u64, f64)]| {
            let weights: Vec<f64> = sources.iter().map(|(_, weight)| *weight).collect();
            let names = sources.iter().map(|(samples, _)| ("any".to_owned(), *samples)).collect();
            Mix::new(names, &Weights::of(&weights).unwrap())
        };
        assert_eq!(mix(&[(1000, 1.0), (100, 1.0)]).epoch_samples(), Some(2000));
        assert_eq!(
            mix(&[(1000, 0.75), (500, 0.25)]).epoch_samples(),
            Some(2000),
            "a third is no whole number of parts"
        );
        assert_eq!(mix(&[(1000, 4.0), (500, 1.0)]).epoch_samples(), Some(2500));
        assert_eq!(mix(&[(10, 1.0), (1 << 40, 0.0)]).epoch_samples(), Some(10), "what never comes is not waited for");
        assert_eq!(mix(&[(1 << 61, 1.0), (10, 3.0)]).epoch_samples(), None);
    }

    #[test]
    fn samples_are_counted_through_all_sources() {
        let sources = vec![("a".to_owned(), 5), ("b".to_owned(), 1), ("c".to_owned(), 9)];
        let mix = Mix::new(sources, &Weights::of(&[1.0, 0.0, 1.0]).unwrap());
        let of: Vec<usize> = [0, 4, 5, 6, 14].map(|sample| mix.source_of(sample)).to_vec();
        assert_eq!(of, [0, 0, 1, 2, 2]);
        assert_eq!([0, 1, 2].map(|source| mix.start(source)), [0, 5, 6]);
        assert_eq!(
            mix.to_string(),
            "\"a\" (50.0000 % of 5 samples), \"b\" (0.0000 % of 1 samples), \"c\" (50.0000 % of 9 samples)"
        );
    }
}
