//! Whether images are kept decoded, where that is not told: decided when an epoch ends, by what it took.

use std::time::Instant;

use crate::cores;
use crate::memory::Share;
use crate::meter::{Passed, Totals};
use crate::spec::{KindSpec, Spec};

/// What is known of the epoch that passes.
#[derive(Default)]
pub(super) enum Keeping {
    /// It is told how much is kept, or was decided.
    #[default]
    Decided,
    /// It is not, and this is when the epoch began, with what was spent before.
    Undecided(Option<(Instant, Totals)>),
}

impl Keeping {
    /// Undecided, where nothing is told, there are images, and none of them is to be decoded smaller than it is.
    pub(super) fn of(spec: &Spec) -> Keeping {
        let kinds = || spec.columns.iter().map(|column| &column.kind);
        let is_of_images = kinds().any(|kind| matches!(kind, KindSpec::Image(_)));
        let is_any_scaled = kinds().any(|kind| matches!(kind, KindSpec::Image(image) if image.dct_scaling));
        let is_open = spec.decoded_cache.is_none() && is_of_images && !is_any_scaled;
        if is_open { Keeping::Undecided(None) } else { Keeping::Decided }
    }

    pub(super) fn is_decided(&self) -> bool {
        matches!(self, Keeping::Decided)
    }

    /// A batch is asked for, before which `totals` were spent.
    pub(super) fn begin(&mut self, now: Instant, totals: impl FnOnce() -> Totals) {
        if let Keeping::Undecided(began @ None) = self {
            *began = Some((now, totals()));
        }
    }

    /// An epoch is over, in which so many threads made `samples` that come again. In how many bytes of those that batches do not take
    /// images are kept from now on, if they are.
    pub(super) fn pass(
        &mut self,
        now: Instant,
        totals: Totals,
        (threads, samples, has_stage): (usize, u64, bool),
        memory: &Share,
    ) -> Option<usize> {
        let Keeping::Undecided(began) = self else { return None };
        let (since, before) = began.replace((now, totals))?;
        let seconds = now.duration_since(since).as_secs_f64();
        let passed = Passed { seconds, totals: totals - before, cores: cores::usable(), threads, samples, has_stage };
        // Batches may take as much again as they did.
        let room = (memory.limit() - memory.peak()).min(memory.limit() / 2);
        passed.is_worth_keeping(room).then(|| {
            *self = Keeping::Decided;
            room
        })
    }
}
