//! Memory that batches are written to: aligned, written by many threads at once, and used again.
//!
//! A [`Buffer`] is cut into slots of equal size, one for each sample of a batch. A slot is written by whoever claimed it, and by
//! nobody else; when all slots are done the buffer is frozen, and then it is only read.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where a buffer starts: at a cache line, which is also what 512-bit loads and stores like.
pub const ALIGNMENT: usize = 64;

/// Aligned bytes in slots.
pub struct Buffer {
    start: NonNull<u8>,
    slot_bytes: usize,
    /// Which slots were claimed since the buffer was taken for a batch.
    claimed: Box<[AtomicBool]>,
}

// SAFETY: the bytes are owned by the buffer alone; shared, they are written only through slots, each of which one thread has.
#[expect(unsafe_code, reason = "a buffer is written by several threads, each in its own slot")]
unsafe impl Send for Buffer {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a buffer is written by several threads, each in its own slot")]
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Zeroed bytes for `slots` slots of `slot_bytes`.
    ///
    /// # Panics
    ///
    /// Where there are none, or more than fit in memory.
    pub fn new(slots: usize, slot_bytes: usize) -> Buffer {
        let layout = layout(slots, slot_bytes);
        assert!(layout.size() > 0, "a buffer is not empty");
        // SAFETY: the layout is not empty.
        #[expect(unsafe_code, reason = "the standard library's vectors cannot be aligned")]
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        Buffer { start, slot_bytes, claimed: (0..slots).map(|_| AtomicBool::new(false)).collect() }
    }

    /// All its bytes.
    pub fn bytes(&self) -> usize {
        self.claimed.len() * self.slot_bytes
    }

    /// Slots.
    pub fn slots(&self) -> usize {
        self.claimed.len()
    }

    /// Bytes of a slot.
    pub fn slot_bytes(&self) -> usize {
        self.slot_bytes
    }

    /// Claims a slot, to write it.
    ///
    /// # Panics
    ///
    /// Where it was claimed already.
    pub fn claim(&self, slot: usize) -> Slot<'_> {
        assert!(!self.claimed[slot].swap(true, Ordering::Acquire), "slot {slot} is written once");
        Slot { buffer: self, slot }
    }

    /// Writes the bytes of one slot over those of another.
    pub fn copy_slot(&mut self, from: usize, to: usize) {
        let bytes = self.slot_bytes;
        self.as_slice_mut().copy_within(from * bytes..(from + 1) * bytes, to * bytes);
    }
}

impl Buffer {
    /// No more to be written: only to be read.
    pub fn freeze(self) -> Frozen {
        Frozen(self)
    }

    fn as_slice_mut(&mut self) -> &mut [u8] {
        // SAFETY: the bytes were zeroed at first; with the buffer borrowed alone, no slot is being written.
        #[expect(unsafe_code, reason = "the standard library's vectors cannot be aligned")]
        unsafe {
            std::slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes())
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout, and nobody has it any more.
        #[expect(unsafe_code, reason = "the standard library's vectors cannot be aligned")]
        unsafe {
            dealloc(self.start.as_ptr(), layout(self.claimed.len(), self.slot_bytes));
        }
    }
}

fn layout(slots: usize, slot_bytes: usize) -> Layout {
    let bytes = slots.checked_mul(slot_bytes).expect("a batch fits in the address space");
    Layout::from_size_align(bytes, ALIGNMENT).expect("a batch fits in the address space")
}

/// A buffer whose slots are all written.
pub struct Frozen(Buffer);

impl Frozen {
    /// To be written again.
    pub fn thaw(mut self) -> Buffer {
        for claimed in &mut self.0.claimed {
            *claimed.get_mut() = false;
        }
        self.0
    }

    /// Slots.
    pub fn slots(&self) -> usize {
        self.0.slots()
    }

    /// Bytes of a slot.
    pub fn slot_bytes(&self) -> usize {
        self.0.slot_bytes()
    }
}

impl Deref for Frozen {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the bytes were zeroed at first, and nobody can claim a slot of a frozen buffer, which is owned alone.
        #[expect(unsafe_code, reason = "the standard library's vectors cannot be aligned")]
        unsafe {
            std::slice::from_raw_parts(self.0.start.as_ptr(), self.0.bytes())
        }
    }
}

/// A slot that one thread writes.
pub struct Slot<'a> {
    buffer: &'a Buffer,
    slot: usize,
}

impl Slot<'_> {
    /// Its bytes.
    pub fn bytes(&mut self) -> &mut [u8] {
        let bytes = self.buffer.slot_bytes;
        // SAFETY: the slot lies in the buffer, and its claim is held by this value alone until the buffer is reset, for which it
        // must be borrowed alone.
        #[expect(unsafe_code, reason = "slots of one buffer are written at the same time")]
        unsafe {
            std::slice::from_raw_parts_mut(self.buffer.start.as_ptr().add(self.slot * bytes), bytes)
        }
    }

    /// Its bytes as numbers.
    ///
    /// # Panics
    ///
    /// Where a slot is no whole number of them, or not aligned for them.
    pub fn as_numbers<T: Number>(&mut self) -> &mut [T] {
        let bytes = self.bytes();
        // SAFETY: any bits are a number of this type.
        #[expect(unsafe_code, reason = "a batch's bytes are numbers of a type that is chosen while running")]
        let (before, numbers, after) = unsafe { bytes.align_to_mut::<T>() };
        assert!(before.is_empty() && after.is_empty(), "a slot is made of whole numbers");
        numbers
    }
}

/// A type of number, any bits of which are one.
pub trait Number: sealed::Sealed + Copy {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! numbers {
    ($($number:ty),*) => { $(impl sealed::Sealed for $number {} impl Number for $number {})* };
}

numbers!(u8, u16, i32, i64, f32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_written_at_the_same_time_and_read_in_order() {
        let mut buffer = Buffer::new(64, 4 * 1000);
        for round in 0..3 {
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let buffer = &buffer;
                    scope.spawn(move || {
                        for slot in (thread..64).step_by(4) {
                            buffer.claim(slot).as_numbers::<i32>().fill((round * 64 + slot) as i32);
                        }
                    });
                }
            });
            let frozen = buffer.freeze();
            assert_eq!(frozen.as_ptr() as usize % ALIGNMENT, 0);
            for (slot, bytes) in frozen.chunks_exact(4000).enumerate() {
                assert!(bytes.chunks_exact(4).all(|number| number == ((round * 64 + slot) as i32).to_ne_bytes()));
            }
            buffer = frozen.thaw();
        }
    }

    #[test]
    #[should_panic(expected = "slot 3 is written once")]
    fn a_slot_is_not_claimed_twice() {
        let buffer = Buffer::new(8, 8);
        let _first = buffer.claim(3);
        let _second = buffer.claim(3);
    }
}
