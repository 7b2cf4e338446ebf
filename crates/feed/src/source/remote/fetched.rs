//! Memory for what is fetched, used again: new pages cost a core more than the bytes that are written to them.
//!
//! What is being filled, what is full and what is free are together never more than the limit.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};
use std::{fmt, mem};

/// Smaller ones are the allocator's, which keeps such itself.
const POOLED: usize = 128 << 10;

/// Memory that is there to be filled, or was given out.
#[derive(Debug)]
pub(super) struct Memory {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    free: Vec<Box<[u8]>>,
    /// Bytes of what is free and of what was given out.
    there: usize,
}

/// Bytes that are being written.
pub(super) struct Filling {
    room: Box<[u8]>,
    bytes: usize,
    home: Arc<Memory>,
}

/// Bytes that are written.
pub(super) struct Fetched(Filling);

/// What is taken for so many bytes: of few sizes, so that what was used for one fits for another; at most an eighth more.
pub(super) fn taken(bytes: usize) -> usize {
    if bytes < POOLED {
        return bytes;
    }
    let step = (bytes + 1).next_power_of_two() / 16;
    bytes.next_multiple_of(step)
}

impl Memory {
    /// Memory of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Arc<Memory> {
        Arc::new(Memory { limit, state: Mutex::default() })
    }

    /// Room for so many bytes. Whoever asks has counted them.
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Filling {
        let size = taken(bytes);
        let used_before = self.used_before(size);
        let room = used_before.unwrap_or_else(|| vec![0; size].into_boxed_slice());
        Filling { room, bytes, home: Arc::clone(self) }
    }

    /// Some of that size that is free. Where there is none, others make room for it.
    fn used_before(&self, size: usize) -> Option<Box<[u8]>> {
        if size < POOLED {
            return None;
        }
        let mut state = self.lock();
        if let Some(place) = state.free.iter().rposition(|room| room.len() == size) {
            return Some(state.free.remove(place));
        }
        let mut let_go = Vec::new();
        while state.there + size > self.limit && !state.free.is_empty() {
            // What was not used for longest.
            let room = state.free.remove(0);
            state.there -= room.len();
            let_go.push(room);
        }
        state.there += size;
        drop(state);
        drop(let_go);
        None
    }

    fn take_back(&self, room: Box<[u8]>) {
        if room.len() < POOLED {
            return;
        }
        let mut state = self.lock();
        if state.there > self.limit {
            state.there -= room.len();
            drop(state);
            drop(room);
        } else {
            state.free.push(room);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding the memory")
    }
}

impl Filling {
    /// What is to be written, all of it.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        &mut self.room[..self.bytes]
    }

    /// All is written.
    pub(super) fn filled(self) -> Fetched {
        Fetched(self)
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.home.take_back(mem::take(&mut self.room));
    }
}

impl Deref for Fetched {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0.room[..self.0.bytes]
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_an_eighth_more_is_taken() {
        let mut sizes = 0;
        let mut last = 0;
        for bytes in (POOLED..16 << 20).step_by(777) {
            let size = taken(bytes);
            assert!(size >= bytes && size <= bytes / 8 * 9 + 8, "{size} for {bytes}");
            assert!(size >= last);
            sizes += u32::from(size != last);
            last = size;
        }
        assert!(sizes <= 7 * 8 + 1, "{sizes} sizes in seven doublings");
        assert_eq!(taken(1 << 20), 1 << 20);
        assert_eq!(taken(8 << 20), 8 << 20);
        assert_eq!(taken(1000), 1000);
    }

    #[test]
    fn memory_is_used_again_and_stays_within_its_limit() {
        let memory = Memory::new(1 << 20);
        let first = memory.take(512 << 10);
        let place = first.room.as_ptr();
        drop(first.filled());
        let again = memory.take(500 << 10);
        assert_eq!(again.room.as_ptr(), place, "what is free is taken first");
        assert_eq!(again.filled().len(), 500 << 10);
        assert_eq!(memory.lock().there, 512 << 10);
        // Another size: what is free makes room for it.
        let large = memory.take(900 << 10);
        let there = memory.lock().there;
        assert_eq!(there, taken(900 << 10));
        assert!(there <= 1 << 20);
        drop(large);
        assert_eq!(memory.lock().free.len(), 1);
    }
}
