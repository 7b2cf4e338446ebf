//! Numbers that are tuned while running: how many requests are under way, how many threads work, how far ahead batches are made.
//!
//! Each is raised as long as that brings more, and goes back where it does not. No thread and no clock of its own.

mod pace;

use serde::{Deserialize, Serialize};

pub use pace::Pace;

/// A number that is tuned: where it begins, and its bound. Where both are the same it is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuned {
    /// Where it begins.
    pub start: usize,
    /// Its bound.
    pub max: usize,
}

impl Tuned {
    /// A number that stays as it is.
    pub fn pinned(number: usize) -> Tuned {
        Tuned { start: number, max: number }
    }

    /// Whether it stays as it is.
    pub fn is_pinned(self) -> bool {
        self.start == self.max
    }
}
