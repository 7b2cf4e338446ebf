//! In which order samples come, and which rank has which. All of it is arithmetic on a position, so that any place of any epoch
//! is reached at once, and every number of ranks goes through the same order.

mod permutation;
mod shares;

pub use permutation::Permutation;
pub use shares::{Share, Shares};

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
}

/// The order of all samples, epoch by epoch.
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
        match self.shuffle {
            Shuffle::None => EpochOrder::AsTheyLie,
            Shuffle::Global => {
                EpochOrder::Permuted(Permutation::new(self.samples, mixed(mixed(self.seed).wrapping_add(epoch))))
            }
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
}

impl EpochOrder {
    /// The sample at a position of the epoch.
    pub fn sample(&self, position: u64) -> u64 {
        match self {
            EpochOrder::AsTheyLie => position,
            EpochOrder::Permuted(permutation) => permutation.at(position),
        }
    }
}
