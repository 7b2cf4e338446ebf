//! Steps that are over: those that nobody was told of yet, and those that figures are made of. Both are bounded.

use std::collections::VecDeque;

use super::course::Step;
use super::phase::Phase;

/// Steps that wait to be told, at most; the oldest make room, and are counted.
pub(super) const UNSENT_MAX: usize = 4096;
/// Steps that are kept for medians and tables, at most: 5 MiB.
pub(super) const KEPT_MAX: usize = 1 << 16;

/// Steps that nobody was told of yet.
#[derive(Default)]
pub(super) struct Unsent {
    steps: VecDeque<Step>,
    dropped: u64,
}

impl Unsent {
    /// One more; whether half of the room is taken, and it is time to tell.
    pub(super) fn push(&mut self, step: Step) -> bool {
        if self.steps.len() == UNSENT_MAX {
            self.steps.pop_front();
            self.dropped += 1;
        }
        self.steps.push_back(step);
        self.steps.len() == UNSENT_MAX / 2
    }

    /// How many made room since this was asked last, and the oldest of the others, `most` of them.
    pub(super) fn take(&mut self, most: usize, into: &mut Vec<Step>) -> u64 {
        let count = self.steps.len().min(most);
        into.extend(self.steps.drain(..count));
        std::mem::take(&mut self.dropped)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.dropped == 0
    }
}

/// Steps that figures are made of.
#[derive(Clone, Default)]
pub(super) struct Kept {
    /// All steps there ever were.
    pub(super) count: u64,
    /// Their sums.
    pub(super) whole_us: u64,
    pub(super) phases_us: [u64; Phase::MARKED.len()],
    /// The last of them.
    pub(super) last: VecDeque<Step>,
}

impl Kept {
    pub(super) fn push(&mut self, step: Step) {
        self.count += 1;
        self.whole_us += step.whole_us;
        for (sum, spent) in self.phases_us.iter_mut().zip(step.phases_us) {
            *sum += spent;
        }
        if self.last.len() == KEPT_MAX {
            self.last.pop_front();
        }
        self.last.push_back(step);
    }
}
