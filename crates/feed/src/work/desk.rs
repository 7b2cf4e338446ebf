//! Room to work in: each thread has some of its own, and a sample that needs more takes its turn in a larger one, which there is once.
//!
//! Whether a sample fits hangs on nothing but the sample and the sizes of both rooms.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::columns::Reason;

/// Memory that threads work in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rooms {
    /// Bytes of each thread.
    pub each: usize,
    /// Bytes that one sample at a time may take instead.
    pub large: usize,
}

pub(super) struct Desk {
    rooms: Rooms,
    large: Mutex<()>,
}

/// A sample's room, while it is made.
pub(super) struct Seat<'a> {
    desk: &'a Desk,
    /// Bytes of the sample that lie in the room already.
    read: usize,
    turn: Option<MutexGuard<'a, ()>>,
}

impl Desk {
    pub(super) fn new(rooms: Rooms) -> Desk {
        Desk { rooms, large: Mutex::new(()) }
    }

    /// A room for a sample of which so many bytes are read to be worked on. Waits for the large one where it must be that.
    pub(super) fn sit(&self, read: usize) -> Result<Seat<'_>, Reason> {
        let mut seat = Seat { desk: self, read, turn: None };
        // The rest is for what is made of them.
        if read > self.rooms.each / 4 {
            seat.move_to_large(read)?;
        }
        Ok(seat)
    }
}

impl Seat<'_> {
    /// Bytes that are left for what is made of those that were read.
    pub(super) fn left(&self) -> usize {
        let all = if self.is_large() { self.desk.rooms.large } else { self.desk.rooms.each };
        all.saturating_sub(self.read)
    }

    /// Whether the sample is in the large room.
    pub(super) fn is_large(&self) -> bool {
        self.turn.is_some()
    }

    /// Moves to the large room, to work in `bytes` more than were read.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Reason> {
        self.move_to_large(self.read + bytes)
    }

    fn move_to_large(&mut self, bytes: usize) -> Result<(), Reason> {
        let large = self.desk.rooms.large;
        if bytes > large {
            let mib = |bytes: usize| bytes.div_ceil(1 << 20);
            return Err(Reason(format!(
                "it takes {} MiB of memory to be made, and memory_limit leaves {} MiB for that",
                mib(bytes),
                large >> 20
            )));
        }
        if self.turn.is_none() {
            // Whoever panicked in there left nothing that counts.
            self.turn = Some(self.desk.large.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_small_works_where_it_is_and_what_is_too_large_is_refused() {
        let desk = Desk::new(Rooms { each: 100, large: 1000 });
        let small = desk.sit(25).ok().unwrap();
        assert!(!small.is_large() && small.left() == 75);
        let mut large = desk.sit(26).ok().unwrap();
        assert!(large.is_large() && large.left() == 974);
        assert!(large.grow(974).is_ok() && large.grow(975).is_err());
        assert!(desk.sit(1001).is_err());
    }
}
