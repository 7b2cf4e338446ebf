//! Batches: being made, and delivered.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::store::{Cell, Made, Store};
use super::{Output, SampleError, Turn};
use crate::memory::Held;

/// A batch that is planned, or that threads write.
pub(super) struct Making<T> {
    pub(super) turns: Vec<Turn>,
    pub(super) consumed: u64,
    /// Where its samples are written to, once it is open.
    stores: OnceLock<Stores>,
    left: AtomicUsize,
    /// What keeps that here from which samples are made, until they are.
    tickets: Mutex<HashMap<usize, T>>,
    failed: Mutex<Vec<(usize, SampleError)>>,
}

impl<T> Making<T> {
    pub(super) fn new(turns: Vec<Turn>, consumed: u64) -> Making<T> {
        let left = AtomicUsize::new(turns.len());
        let (stores, tickets, failed) = (OnceLock::new(), Mutex::default(), Mutex::default());
        Making { turns, consumed, stores, left, tickets, failed }
    }

    pub(super) fn open(&self, stores: Stores) {
        let is_first = self.stores.set(stores).is_ok();
        assert!(is_first, "a batch is opened once");
    }

    /// Where its samples are written to.
    pub(super) fn stores(&self) -> &[Store] {
        &self.stores.get().expect("samples are taken from open batches").stores
    }

    pub(super) fn is_done(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }

    /// Keeps a sample's ticket until it is made.
    pub(super) fn keep(&self, slot: usize, ticket: T) {
        self.tickets.lock().expect(NOBODY_PANICS).insert(slot, ticket);
    }

    /// Notes that a slot is written, or that its sample failed; whether it was the last.
    pub(super) fn note(&self, slot: usize, outcome: Result<(), SampleError>) -> bool {
        let ticket = self.tickets.lock().expect(NOBODY_PANICS).remove(&slot);
        drop(ticket);
        if let Err(error) = outcome {
            self.failed.lock().expect(NOBODY_PANICS).push((slot, error));
        }
        self.left.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The samples that failed, in order, and the stores.
    pub(super) fn finished(self) -> (Vec<(usize, SampleError)>, Stores) {
        let mut failed = self.failed.into_inner().expect(NOBODY_PANICS);
        failed.sort_by_key(|(slot, _)| *slot);
        (failed, self.stores.into_inner().expect("a batch that is done was open"))
    }
}

/// Memory of a batch, and what it is counted as.
pub(super) struct Stores {
    pub(super) stores: Vec<Store>,
    pub(super) charge: Charge,
}

/// What a batch is counted as.
pub(super) struct Charge {
    /// Its numbers.
    pub(super) fixed: Option<Held>,
    /// Its outputs of any size.
    pub(super) bytes: Option<Held>,
}

const NOBODY_PANICS: &str = "nobody panics while holding the list";

/// One output of a batch.
pub struct Column<'a> {
    /// What it is.
    pub output: &'a Output,
    /// What was made.
    pub made: &'a Made,
}

/// A batch that is done. Its memory is used again when it is dropped.
pub struct Batch {
    pub(super) outputs: Arc<[Output]>,
    pub(super) made: Vec<Made>,
    pub(super) charge: Charge,
    /// Samples in it.
    pub samples: usize,
    /// Each of them, by its place in the data.
    pub numbers: Vec<u64>,
    /// The epoch that it is of.
    pub epoch: u64,
    /// How many samples of the epoch all ranks have consumed with it.
    pub consumed: u64,
    /// Samples that should be in it and could not be read.
    pub failed: Vec<SampleError>,
    pub(super) home: Arc<dyn TakeBack>,
}

/// Where stores go when a batch is dropped.
pub(super) trait TakeBack: Send + Sync {
    fn take_back(&self, made: Vec<Made>, fixed: Option<Held>);
}

impl Batch {
    /// Its outputs, in the order in which they were asked for.
    pub fn columns(&self) -> impl Iterator<Item = Column<'_>> {
        self.outputs.iter().zip(&self.made).map(|(output, made)| Column { output, made })
    }

    /// Takes out the bytes of a sample, of the output of that place.
    pub fn take_bytes(&mut self, place: usize, sample: usize) -> Cell {
        match &mut self.made[place] {
            Made::Bytes(cells) => mem::take(&mut cells[sample]),
            Made::Numbers(_) => Cell::default(),
        }
    }

    /// What its bytes are counted as, of which there are `bytes`: for whoever takes them out, and keeps them longer than the batch.
    pub fn take_charge(&mut self, bytes: usize) -> Option<Held> {
        let mut held = self.charge.bytes.take();
        held.iter_mut().for_each(|held| held.shrink(bytes));
        held
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Given back before whoever waits for it is told.
        drop(self.charge.bytes.take());
        self.home.take_back(mem::take(&mut self.made), self.charge.fixed.take());
    }
}
