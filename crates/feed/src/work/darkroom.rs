//! What photographs are made in. Whoever begins takes the one that was left last on the same core, and it is still in its caches: threads
//! that wait for a disk or a store may be many more than those that work.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// With the core that each was left on.
    free: Mutex<Vec<(usize, Box<Darkroom>)>>,
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

    /// Takes the one that was left last on this core; or on another, where there is none.
    pub(super) fn enter(&self) -> Entered<'_> {
        let room = self.left_last(core()).unwrap_or_else(|| {
            Box::new(Darkroom {
                decoder: Decoder::new(self.pixels_max),
                planes: Planes::new(),
                renderer: Renderer::default(),
                drawn: Vec::new(),
            })
        });
        Entered { room: Some(room), home: self }
    }

    fn left_last(&self, core: usize) -> Option<Box<Darkroom>> {
        let mut free = self.lock();
        let place = free.iter().rposition(|(left_on, _)| *left_on == core).or(free.len().checked_sub(1))?;
        Some(free.remove(place).1)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Box<Darkroom>)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
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
            self.home.lock().push((core(), room));
        }
    }
}

/// The core that this thread runs on, where the system tells that.
fn core() -> usize {
    #[cfg(target_os = "linux")]
    {
        rustix::thread::sched_getcpu()
    }
    #[cfg(not(target_os = "linux"))]
    {
        0
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
        let place = |room: &Darkroom| std::ptr::from_ref(room);
        let leave = |core: usize| {
            let room = Darkrooms::new(1).enter().room.take().unwrap();
            let place = place(&room);
            rooms.lock().push((core, room));
            place
        };
        let (first, second, third) = (leave(0), leave(1), leave(0));
        let kept: Vec<_> = [1, 1, 1].map(|core| rooms.left_last(core).unwrap()).into();
        assert_eq!(kept.iter().map(|room| place(room)).collect::<Vec<_>>(), [second, third, first]);
        assert!(rooms.left_last(0).is_none());
    }

    #[test]
    fn whoever_leaves_lets_others_enter_unless_it_is_torn_down() {
        let rooms = Darkrooms::new(1);
        drop(rooms.enter());
        assert_eq!(rooms.lock().len(), 1);
        rooms.enter().tear_down();
        assert!(rooms.lock().is_empty());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _room = rooms.enter();
            panic!("in the middle");
        }));
        assert!(panicked.is_err() && rooms.lock().is_empty(), "what a panic left is not used again");
    }
}
