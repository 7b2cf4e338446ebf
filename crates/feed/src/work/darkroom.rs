//! What photographs are made in. Whoever begins takes the one that was left last, and it is still in the caches of a core: threads that
//! wait for a disk or a store may be many more than those that work.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::image::jpeg::Planes;
use crate::image::{Decoder, Renderer};

/// What one photograph at a time is made in.
pub(super) struct Darkroom {
    pub(super) decoder: Decoder,
    pub(super) planes: Planes,
    pub(super) renderer: Renderer,
    /// A picture before its colours are changed, or before it is rounded to bytes.
    pub(super) drawn: Vec<f32>,
}

/// All of them: as many as photographs were ever made at once.
pub(super) struct Darkrooms {
    pixels_max: u64,
    free: Mutex<Vec<Box<Darkroom>>>,
}

/// One that is in use, until this is dropped.
pub(super) struct Entered<'a> {
    room: Option<Box<Darkroom>>,
    home: &'a Darkrooms,
}

impl Darkrooms {
    /// Images of more than `pixels_max` are refused.
    pub(super) fn new(pixels_max: u64) -> Darkrooms {
        Darkrooms { pixels_max, free: Mutex::default() }
    }

    /// Takes the one that was left last.
    pub(super) fn enter(&self) -> Entered<'_> {
        let left_last = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let room = left_last.unwrap_or_else(|| {
            Box::new(Darkroom {
                decoder: Decoder::new(self.pixels_max),
                planes: Planes::new(),
                renderer: Renderer::default(),
                drawn: Vec::new(),
            })
        });
        Entered { room: Some(room), home: self }
    }
}

impl Entered<'_> {
    /// Gives up its memory: nobody enters it again.
    pub(super) fn tear_down(mut self) {
        self.room = None;
    }
}

impl Deref for Entered<'_> {
    type Target = Darkroom;

    fn deref(&self) -> &Darkroom {
        self.room.as_ref().expect(IN_USE)
    }
}

impl DerefMut for Entered<'_> {
    fn deref_mut(&mut self) -> &mut Darkroom {
        self.room.as_mut().expect(IN_USE)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // What a panic left behind may be in any state.
        if let Some(room) = self.room.take().filter(|_| !thread::panicking()) {
            self.home.free.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        }
    }
}

const IN_USE: &str = "it is torn down last";

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn the_one_that_was_left_last_is_taken_first() {
        let rooms = Darkrooms::new(1);
        let place = |room: &Entered<'_>| std::ptr::from_ref(&**room);
        let (first, second) = (rooms.enter(), rooms.enter());
        let (place_first, place_second) = (place(&first), place(&second));
        assert_ne!(place_first, place_second);
        drop(second);
        drop(first);
        let again = rooms.enter();
        assert_eq!(place(&again), place_first);
        again.tear_down();
        assert_eq!(place(&rooms.enter()), place_second);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _room = rooms.enter();
            panic!("in the middle");
        }));
        assert!(panicked.is_err() && rooms.free.lock().unwrap().is_empty(), "what a panic left is not used again");
    }
}
