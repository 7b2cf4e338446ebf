//! In which order samples come, and which rank has which. All of it is arithmetic on a position, so that any place of any epoch
//! is reached at once, and every number of ranks goes through the same order. A loader goes through a [`Course`]: start there.

mod buckets;
mod course;
mod mix;
mod permutation;
mod shares;
mod walk;
mod windows;

pub use buckets::{Buckets, Sizes, WINDOW_MAX};
pub use course::{Course, EpochCourse};
pub(crate) use mix::told;
pub use mix::{Mix, PLACES_MAX, SOURCES_MAX, Source, WeightError, Weights};
pub use permutation::Permutation;
pub use shares::{Share, Shares, Worker};
pub use walk::{Drawn, Walk};
pub use windows::Windows;

use serde::{Deserialize, Serialize};

use crate::random::mixed;

/// How the samples of an epoch are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shuffle {
    /// As they lie in the files.
    None,
    /// Each sample anywhere in the epoch.
    #[default]
    Global,
    /// Blocks of neighbours anywhere in the epoch, and their samples mixed with those of some other blocks: for files that are read
    /// best from front to back.
    Windowed {
        /// Samples of a block.
        block: u64,
        /// Blocks that are mixed.
        blocks: u64,
    },
}

/// The order of the samples of one source, epoch by epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Samples of an epoch.
    pub samples: u64,
    /// How they are arranged.
    pub shuffle: Shuffle,
    /// Names the arrangement.
    pub seed: u64,
}

impl Order {
    /// The arrangement of one epoch.
    pub fn epoch(&self, epoch: u64) -> EpochOrder {
        let key = mixed(mixed(self.seed).wrapping_add(epoch));
        match self.shuffle {
            Shuffle::None => EpochOrder::AsTheyLie,
            Shuffle::Global => EpochOrder::Permuted(Permutation::new(self.samples, key)),
            Shuffle::Windowed { block, blocks } => EpochOrder::Windows(Windows::new(self.samples, block, blocks, key)),
        }
    }
}

/// The arrangement of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochOrder {
    /// As the samples lie in the files.
    AsTheyLie,
    /// Each anywhere.
    Permuted(Permutation),
    /// Blocks anywhere, mixed with some others.
    Windows(Windows),
}

impl EpochOrder {
    /// The sample at a position of the epoch.
    pub fn sample(&self, position: u64) -> u64 {
        match self {
            EpochOrder::AsTheyLie => position,
            EpochOrder::Permuted(permutation) => permutation.at(position),
            EpochOrder::Windows(windows) => windows.at(position),
        }
    }
}
