//! Bytes of an object that are fetched, or were: kept as long as somebody who wants them has them.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::{io, mem};

use super::RemoteFile;
use super::fetched::Fetched;
use crate::format::Extent;
use crate::memory::Held;
use crate::source::SourceError;

/// An extent of a file, on its way or here.
pub(super) struct Piece {
    pub(super) file: Arc<RemoteFile>,
    pub(super) extent: Extent,
    state: Mutex<State>,
    /// It is here, or will never be.
    settled: Condvar,
    /// How many batches have parts of it.
    lent: Mutex<usize>,
    /// What it takes of memory, from when it is asked for on.
    _held: Option<Held>,
}

enum State {
    Coming(Vec<Arc<Arrival>>),
    Here(Arc<Fetched>),
    Failed(io::ErrorKind, String),
}

/// Somebody who waits for several pieces.
pub(super) struct Arrival {
    left: AtomicUsize,
    then: Box<dyn Fn() + Send + Sync>,
}

impl Arrival {
    /// Somebody who waits for `pieces`, and is told by a call of `then` once all are here; not before [`Arrival::begin`].
    pub(super) fn new(pieces: usize, then: Box<dyn Fn() + Send + Sync>) -> Arc<Arrival> {
        Arc::new(Arrival { left: AtomicUsize::new(pieces + 1), then })
    }

    /// From now on it may be told. Whether all are here already: then it is not told.
    pub(super) fn begin(&self) -> bool {
        self.left.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn one_is_here(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.then)();
        }
    }
}

impl Piece {
    pub(super) fn new(file: &Arc<RemoteFile>, extent: Extent, held: Option<Held>) -> Arc<Piece> {
        let file = Arc::clone(file);
        Arc::new(Piece {
            file,
            extent,
            state: Mutex::new(State::Coming(Vec::new())),
            settled: Condvar::new(),
            lent: Mutex::new(0),
            _held: held,
        })
    }

    /// Tells somebody when it is here or failed: at once where it is already.
    pub(super) fn tell(&self, arrival: &Arc<Arrival>) {
        {
            let mut state = self.lock();
            if let State::Coming(waiting) = &mut *state {
                waiting.push(Arc::clone(arrival));
                return;
            }
        }
        arrival.one_is_here();
    }

    /// It is here, or could not be had.
    pub(super) fn settle(&self, outcome: Result<Fetched, SourceError>) {
        let state = match outcome {
            Ok(bytes) => {
                assert_eq!(bytes.len() as u64, self.extent.bytes, "a piece is whole");
                State::Here(Arc::new(bytes))
            }
            Err(error) => State::Failed(error.error.kind(), error.error.to_string()),
        };
        let before = mem::replace(&mut *self.lock(), state);
        self.settled.notify_all();
        if let State::Coming(waiting) = before {
            waiting.iter().for_each(|arrival| arrival.one_is_here());
        }
    }

    /// Copies what it has of the bytes from `offset` on; how many those are. Waits until it is here.
    pub(super) fn copy(&self, offset: u64, bytes: &mut [u8]) -> Result<usize, SourceError> {
        let state = self.lock();
        let state = self.settled.wait_while(state, |state| matches!(state, State::Coming(_))).expect(NOBODY_PANICS);
        match &*state {
            State::Here(here) => {
                let from = (offset - self.extent.offset) as usize;
                let count = bytes.len().min(here.len() - from);
                bytes[..count].copy_from_slice(&here[from..from + count]);
                Ok(count)
            }
            State::Failed(kind, reason) => Err(SourceError {
                name: self.file.name().to_owned(),
                offset: Some(offset),
                error: io::Error::new(*kind, reason.clone()),
            }),
            State::Coming(_) => unreachable!("it was waited for"),
        }
    }

    /// A part of it that nobody copies, where it is here and may be lent.
    pub(super) fn part(self: &Arc<Self>, extent: Extent) -> Option<Part> {
        let bytes = match &*self.lock() {
            State::Here(here) => Arc::clone(here),
            State::Coming(_) | State::Failed(..) => return None,
        };
        let from = (extent.offset - self.extent.offset) as usize;
        let within = from..from + extent.bytes as usize;
        let mut lent = self.lent.lock().expect(NOBODY_PANICS);
        if *lent == 0 && !self.file.bucket().fetcher().may_lend(bytes.len()) {
            return None;
        }
        *lent += 1;
        drop(lent);
        Some(Part { piece: Arc::clone(self), bytes, within })
    }

    /// Writes what is here to where blocks are kept.
    pub(super) fn write(&self) {
        let state = self.lock();
        if let (State::Here(bytes), Some(kept)) = (&*state, self.file.kept()) {
            let bytes = Arc::clone(bytes);
            // So that others can read it meanwhile.
            drop(state);
            kept.write(self.extent, &bytes);
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(*self.lock(), State::Failed(..))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(NOBODY_PANICS)
    }
}

/// Bytes of a piece, which stays as long as they do.
pub struct Part {
    piece: Arc<Piece>,
    bytes: Arc<Fetched>,
    within: Range<usize>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.within.clone()]
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut lent = self.piece.lent.lock().expect(NOBODY_PANICS);
        *lent -= 1;
        if *lent == 0 {
            self.piece.file.bucket().fetcher().come_back(self.bytes.len());
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.file.forget(self.extent.offset);
    }
}

const NOBODY_PANICS: &str = "nobody panics while holding a piece";
