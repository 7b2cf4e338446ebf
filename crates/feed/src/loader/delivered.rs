//! What came of each source that is mixed, for reports.

use crate::meter::SourceCount;
use crate::order::{Course, Source};

/// Of each source, the samples that the consumer was given; nothing where none are mixed.
#[derive(Clone, Debug, Default)]
pub(super) struct Delivered(Vec<u64>);

impl Delivered {
    /// Counts the samples of a batch.
    pub(super) fn count(&mut self, course: &Course, numbers: &[u64]) {
        let Some(mix) = &course.mix else { return };
        self.0.resize(mix.sources().len(), 0);
        numbers.iter().for_each(|number| self.0[mix.source_of(*number)] += 1);
    }

    /// What came of each, and how often all of it did where all ranks are so far.
    pub(super) fn told(&self, course: &Course, (epoch, consumed): (u64, u64)) -> Vec<SourceCount> {
        let Some(mix) = &course.mix else { return Vec::new() };
        let before = course.before(epoch, consumed);
        let count = |(place, (source, before)): (usize, (&Source, u64))| SourceCount {
            name: source.name.clone(),
            share: mix.share(place),
            samples: self.0.get(place).copied().unwrap_or(0),
            passes: before as f64 / source.samples as f64,
        };
        mix.sources().iter().zip(before).enumerate().map(count).collect()
    }
}
