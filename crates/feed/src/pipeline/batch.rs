//! Batches: being made, and delivered.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::cell::Cell;
use super::join::{Cells, Join, Joined};
use super::store::{Made, Store};
use super::{Kind, Output, SampleError, Turn};
use crate::memory::Held;

/// A batch that is planned, or that threads write.
pub(super) struct Making<T> {
    pub(super) turns: Vec<Turn>,
    pub(super) consumed: u64,
    /// Where its samples are written to, once it is open.
    stores: OnceLock<Stores>,
    /// Samples that are not made, and one for joining what they are.
    left: AtomicUsize,
    /// What keeps that here from which samples are made, until they are.
    tickets: Mutex<HashMap<usize, T>>,
    failed: Mutex<Vec<(usize, SampleError)>>,
    /// The arrays of each output that is joined, in order.
    joined: Mutex<Vec<Vec<Joined>>>,
}

impl<T> Making<T> {
    pub(super) fn new(turns: Vec<Turn>, consumed: u64) -> Making<T> {
        let left = AtomicUsize::new(turns.len() + 1);
        let (stores, tickets) = (OnceLock::new(), Mutex::default());
        Making { turns, consumed, stores, left, tickets, failed: Mutex::default(), joined: Mutex::default() }
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

    /// Notes that a slot is written, or that its sample failed; whether it was the last. Whoever wrote that joins the batch.
    pub(super) fn note(&self, slot: usize, outcome: Result<(), SampleError>) -> bool {
        let ticket = self.tickets.lock().expect(NOBODY_PANICS).remove(&slot);
        drop(ticket);
        if let Err(error) = outcome {
            self.failed.lock().expect(NOBODY_PANICS).push((slot, error));
        }
        self.left.fetch_sub(1, Ordering::AcqRel) == 2
    }

    /// Takes out what was written for outputs that are joined.
    pub(super) fn take_cells(&self, outputs: &[Output]) -> Vec<Cells> {
        let failed = self.failed.lock().expect(NOBODY_PANICS);
        let joined = outputs.iter().zip(self.stores()).filter(|(output, _)| output.kind == Kind::Joined);
        let cells = joined.map(|(_, store)| {
            let mut cells = store.take_cells(self.turns.len());
            failed.iter().for_each(|(slot, _)| cells[*slot] = None);
            cells
        });
        cells.collect()
    }

    /// Puts in what was joined; gives back what that takes less than was set aside for it.
    pub(super) fn put_joined(&self, Join { arrays, failed }: Join) {
        let bytes = arrays.iter().flatten().map(Joined::held_bytes).sum();
        self.failed.lock().expect(NOBODY_PANICS).extend(failed);
        *self.joined.lock().expect(NOBODY_PANICS) = arrays;
        let charge = &self.stores.get().expect("what is joined was written").charge;
        charge.joined.lock().expect(NOBODY_PANICS).iter_mut().for_each(|held| held.shrink(bytes));
    }

    /// No sample of it can be delivered.
    pub(super) fn fail(&self, reason: &str) {
        let mut failed = self.failed.lock().expect(NOBODY_PANICS);
        for (slot, turn) in self.turns.iter().enumerate() {
            if !failed.iter().any(|(other, _)| *other == slot) {
                failed
                    .push((slot, SampleError { sample: format!("sample {}", turn.sample), reason: reason.to_owned() }));
            }
        }
    }

    /// It is joined, and done with that.
    pub(super) fn done(&self) {
        self.left.fetch_sub(1, Ordering::AcqRel);
    }

    /// The samples that failed, in order, the stores, and what was joined of them.
    pub(super) fn finished(self) -> (Vec<(usize, SampleError)>, Stores, Vec<Vec<Joined>>) {
        let mut failed = self.failed.into_inner().expect(NOBODY_PANICS);
        failed.sort_by_key(|(slot, _)| *slot);
        let stores = self.stores.into_inner().expect("a batch that is done was open");
        (failed, stores, self.joined.into_inner().expect(NOBODY_PANICS))
    }
}

/// Memory of a batch, and what it is counted as.
pub(super) struct Stores {
    pub(super) stores: Vec<Store>,
    pub(super) charge: Charge,
}

/// Bytes of a batch's outputs without a fixed size, at most.
#[derive(Clone, Copy, Default)]
pub(super) struct BytesMax {
    /// Those that are delivered as they are.
    pub(super) bytes: usize,
    /// Those that are joined.
    pub(super) joined: usize,
}

/// What a batch is counted as.
pub(super) struct Charge {
    /// Its numbers.
    pub(super) fixed: Option<Held>,
    /// Its outputs of any size.
    pub(super) bytes: Option<Held>,
    /// Those that are joined. It shrinks while others look at the batch.
    pub(super) joined: Mutex<Option<Held>>,
}

impl Charge {
    /// Of numbers alone.
    pub(super) fn fixed(fixed: Option<Held>) -> Charge {
        Charge { fixed, bytes: None, joined: Mutex::default() }
    }
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
            Made::Numbers(_) | Made::Joined { .. } => Cell::default(),
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
        for made in &mut self.made {
            if let Made::Joined { arrays, .. } = made {
                arrays.clear();
            }
        }
        // Given back before whoever waits for it is told.
        drop(self.charge.bytes.take());
        drop(self.charge.joined.get_mut().expect(NOBODY_PANICS).take());
        self.home.take_back(mem::take(&mut self.made), self.charge.fixed.take());
    }
}
