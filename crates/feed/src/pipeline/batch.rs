//! Batches: being made, and delivered.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{Output, SampleError, Turn};
use crate::buffer::{Buffer, Frozen};

/// A batch that threads write.
pub(super) struct Making {
    pub(super) turns: Vec<Turn>,
    pub(super) consumed: u64,
    pub(super) buffers: Vec<Buffer>,
    left: AtomicUsize,
    failed: Mutex<Vec<(usize, SampleError)>>,
}

impl Making {
    pub(super) fn new(turns: Vec<Turn>, consumed: u64, buffers: Vec<Buffer>) -> Making {
        let left = AtomicUsize::new(turns.len());
        Making { turns, consumed, buffers, left, failed: Mutex::new(Vec::new()) }
    }

    pub(super) fn is_done(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }

    /// Notes that a slot is written, or that its sample failed; whether it was the last.
    pub(super) fn note(&self, slot: usize, outcome: Result<(), SampleError>) -> bool {
        if let Err(error) = outcome {
            self.failed.lock().expect("nobody panics while holding the list").push((slot, error));
        }
        self.left.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The samples that failed, in order, and the buffers.
    pub(super) fn finished(self) -> (Vec<(usize, SampleError)>, Vec<Buffer>) {
        let mut failed = self.failed.into_inner().expect("nobody panics while holding the list");
        failed.sort_by_key(|(slot, _)| *slot);
        (failed, self.buffers)
    }
}

/// One output of a batch.
pub struct Column<'a> {
    /// What it is.
    pub output: &'a Output,
    /// Its bytes: those of one sample after the other.
    pub buffer: &'a Frozen,
}

/// A batch that is done. Its memory is used again when it is dropped.
pub struct Batch {
    pub(super) outputs: Arc<[Output]>,
    pub(super) buffers: Vec<Frozen>,
    /// Samples in it.
    pub samples: usize,
    /// The epoch that it is of.
    pub epoch: u64,
    /// How many samples of the epoch all ranks have consumed with it.
    pub consumed: u64,
    /// Samples that should be in it and could not be read.
    pub failed: Vec<SampleError>,
    pub(super) home: Arc<dyn TakeBack>,
}

/// Where buffers go when a batch is dropped.
pub(super) trait TakeBack: Send + Sync {
    fn take_back(&self, buffers: Vec<Frozen>);
}

impl Batch {
    /// Its outputs, in the order in which they were asked for.
    pub fn columns(&self) -> impl Iterator<Item = Column<'_>> {
        self.outputs.iter().zip(&self.buffers).map(|(output, buffer)| Column { output, buffer })
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.home.take_back(mem::take(&mut self.buffers));
    }
}
