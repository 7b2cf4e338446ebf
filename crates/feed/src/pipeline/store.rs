//! Where the outputs of a batch lie: numbers in one buffer, bytes of any length each for itself.

use std::mem;
use std::sync::{Mutex, MutexGuard};

use super::cell::Cell;
use super::join::{Cells, Joined};
use super::output::{Kind, Output};
use crate::buffer::{Buffer, Frozen, Slot};

/// One output of a batch that is being made.
pub(super) enum Store {
    Numbers(Buffer),
    Bytes(Box<[Mutex<Cell>]>),
}

/// The place of one sample's output.
pub enum Place<'a> {
    /// As many numbers as the output has.
    Numbers(Slot<'a>),
    /// Any bytes.
    Bytes(MutexGuard<'a, Cell>),
}

/// One output of a batch that is done.
pub enum Made {
    /// Numbers, those of one sample after the other.
    Numbers(Frozen),
    /// Bytes, for each sample; those past the batch's samples mean nothing.
    Bytes(Vec<Cell>),
    /// What was joined of the bytes of so many slots.
    Joined {
        /// The arrays.
        arrays: Vec<Joined>,
        /// The slots.
        slots: usize,
    },
}

impl Store {
    pub(super) fn new(output: &Output, slots: usize) -> Store {
        match output.kind {
            Kind::Numbers { .. } => Store::Numbers(Buffer::new(slots, output.bytes())),
            Kind::Bytes | Kind::Text | Kind::Joined => Store::Bytes((0..slots).map(|_| Mutex::default()).collect()),
        }
    }

    /// The place of a sample.
    pub(super) fn claim(&self, slot: usize) -> Place<'_> {
        match self {
            Store::Numbers(buffer) => Place::Numbers(buffer.claim(slot)),
            // Whoever panicked while holding it left bytes, which are written anew.
            Store::Bytes(cells) => Place::Bytes(cells[slot].lock().unwrap_or_else(std::sync::PoisonError::into_inner)),
        }
    }

    /// Takes out the bytes of the first slots.
    pub(super) fn take_cells(&self, slots: usize) -> Cells {
        let Store::Bytes(cells) = self else { unreachable!("what is joined is bytes") };
        // Whoever panicked while holding one has failed, and its sample with it.
        let take = |cell: &Mutex<Cell>| {
            let mut cell = cell.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            mem::take(cell.own())
        };
        cells[..slots].iter().map(|cell| Some(take(cell))).collect()
    }

    /// Its arrays, where its output is joined.
    pub(super) fn finish_joined(self, arrays: Vec<Joined>) -> Made {
        let Store::Bytes(cells) = self else { unreachable!("what is joined is bytes") };
        Made::Joined { arrays, slots: cells.len() }
    }

    /// Puts what lies in one slot into another.
    pub(super) fn move_slot(&mut self, from: usize, to: usize) {
        match self {
            Store::Numbers(buffer) => buffer.copy_slot(from, to),
            Store::Bytes(cells) => cells.swap(from, to),
        }
    }

    pub(super) fn finish(self) -> Made {
        match self {
            Store::Numbers(buffer) => Made::Numbers(buffer.freeze()),
            Store::Bytes(cells) => Made::Bytes(
                cells
                    .into_iter()
                    .map(|cell| cell.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
                    .collect(),
            ),
        }
    }
}

impl Made {
    /// To be written again.
    pub(super) fn reuse(self) -> Store {
        match self {
            Made::Numbers(frozen) => Store::Numbers(frozen.thaw()),
            // Their memory is given back: the next batch's are of other sizes.
            Made::Bytes(cells) => Store::Bytes(cells.iter().map(|_| Mutex::default()).collect()),
            Made::Joined { slots, .. } => Store::Bytes((0..slots).map(|_| Mutex::default()).collect()),
        }
    }

    /// Bytes of each sample, where it is made of them.
    pub fn cells(&self) -> Option<&[Cell]> {
        match self {
            Made::Numbers(_) | Made::Joined { .. } => None,
            Made::Bytes(cells) => Some(cells),
        }
    }

    /// Numbers, where it is made of them.
    pub fn numbers(&self) -> Option<&Frozen> {
        match self {
            Made::Numbers(frozen) => Some(frozen),
            Made::Bytes(_) | Made::Joined { .. } => None,
        }
    }

    /// What it was joined to; nothing where it was not.
    pub fn joined(&self) -> &[Joined] {
        match self {
            Made::Joined { arrays, .. } => arrays,
            Made::Numbers(_) | Made::Bytes(_) => &[],
        }
    }
}
