//! Reading from front to back, as whoever looks for where samples begin does: what comes next is asked for ahead.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::{Piece, RemoteFile};
use crate::format::Extent;
use crate::source::{ReadAt, SourceError};

/// What is asked for at once, and how many of these are under way.
const AHEAD_BYTES: u64 = 2 << 20;
const AHEAD: usize = 8;

/// A file, and the pieces of it that come next.
pub(in crate::source) struct ReadAhead<'a> {
    file: &'a Arc<RemoteFile>,
    next: Mutex<VecDeque<Arc<Piece>>>,
}

impl<'a> ReadAhead<'a> {
    pub(in crate::source) fn new(file: &'a Arc<RemoteFile>) -> ReadAhead<'a> {
        ReadAhead { file, next: Mutex::default() }
    }

    /// Lets go of what lies before `offset`, and asks for what comes from there on.
    fn move_to(&self, offset: u64) {
        let mut next = self.next.lock().expect("nobody panics while holding the pieces");
        while next.front().is_some_and(|piece| piece.extent.offset + piece.extent.bytes <= offset) {
            next.pop_front();
        }
        if next.front().is_some_and(|piece| piece.extent.offset > offset) {
            next.clear();
        }
        while next.len() < AHEAD {
            let start = next.back().map_or(offset, |piece| piece.extent.offset + piece.extent.bytes);
            let bytes = AHEAD_BYTES.min(self.file.size() - start);
            if bytes == 0 {
                return;
            }
            let fetcher = self.file.bucket().fetcher();
            let held = fetcher.room().try_take(bytes as usize);
            if held.is_none() && !next.is_empty() {
                return;
            }
            let piece = Piece::new(self.file, Extent { offset: start, bytes }, held);
            self.file.keep(&piece);
            fetcher.get([&piece]);
            next.push_back(piece);
        }
    }
}

impl ReadAt for ReadAhead<'_> {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), SourceError> {
        if offset < self.size() {
            self.move_to(offset);
        }
        self.file.read_at(offset, bytes)
    }
}
