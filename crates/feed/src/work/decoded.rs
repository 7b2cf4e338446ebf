//! Decoded images, kept for later epochs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::image::jpeg::Planes;
use crate::memory::{Held, Share};

/// Which image: the sample, and the first column that is made from the same field of it.
pub(super) type Image = (u64, usize);

/// Images, as long as there is room; whoever came first stays, since every epoch asks for each once.
pub(super) struct Decoded {
    bytes_max: AtomicUsize,
    /// Where their memory is counted, unless that was set aside for them.
    memory: Option<Arc<Share>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    images: HashMap<Image, (Arc<Planes>, Option<Held>)>,
    bytes: usize,
    /// One came that had no room.
    is_full: bool,
}

impl Decoded {
    /// At most so many bytes, which are set aside.
    pub(super) fn new(bytes_max: usize) -> Decoded {
        Decoded { bytes_max: AtomicUsize::new(bytes_max), memory: None, kept: Mutex::default() }
    }

    /// None before it is allowed; then their memory is taken from what others take theirs from.
    pub(super) fn within(memory: Arc<Share>) -> Decoded {
        Decoded { memory: Some(memory), ..Decoded::new(0) }
    }

    /// From now on so many bytes are kept.
    pub(super) fn allow(&self, bytes_max: usize) {
        self.lock().is_full = false;
        self.bytes_max.store(bytes_max, Ordering::Relaxed);
    }

    /// Gives up all whose memory was not set aside, and keeps none any more; whether there were any.
    pub(super) fn give_up(&self) -> bool {
        if self.memory.is_none() || !self.is_on() {
            return false;
        }
        self.bytes_max.store(0, Ordering::Relaxed);
        let given_up = std::mem::take(&mut *self.lock());
        !given_up.images.is_empty()
    }

    /// Whether any may be kept.
    pub(super) fn is_on(&self) -> bool {
        self.bytes_max.load(Ordering::Relaxed) > 0
    }

    /// Whether another one is kept, as far as that is known before its size is.
    pub(super) fn takes_more(&self) -> bool {
        self.is_on() && !self.lock().is_full
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    pub(super) fn get(&self, image: Image) -> Option<Arc<Planes>> {
        if self.is_on() { self.lock().images.get(&image).map(|(planes, _)| Arc::clone(planes)) } else { None }
    }

    /// Whether an image is kept.
    pub(super) fn has(&self, image: Image) -> bool {
        self.is_on() && self.lock().images.contains_key(&image)
    }

    /// Keeps a copy of an image, where there is room.
    pub(super) fn keep(&self, image: Image, planes: &Planes) {
        let bytes = planes.bytes_used();
        let mut kept = self.lock();
        if kept.images.contains_key(&image) {
            return;
        }
        let has_room = kept.bytes + bytes <= self.bytes_max.load(Ordering::Relaxed);
        let held = match &self.memory {
            Some(memory) if has_room => memory.try_take(bytes),
            _ => None,
        };
        if !has_room || (self.memory.is_some() && held.is_none()) {
            kept.is_full = true;
            return;
        }
        kept.bytes += bytes;
        kept.images.insert(image, (Arc::new(planes.clone()), held));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics while holding the images")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::jpeg::Size;

    fn planes() -> Planes {
        let mut planes = Planes::new();
        planes.fill(Size { width: 16, height: 16 }, &[7; 256], 1);
        planes
    }

    #[test]
    fn what_is_set_aside_is_filled_and_no_more() {
        let (planes, bytes) = (planes(), planes().bytes_used());
        let decoded = Decoded::new(2 * bytes);
        for number in 0..3 {
            assert!(decoded.takes_more());
            decoded.keep((number, 0), &planes);
        }
        assert!(!decoded.takes_more() && decoded.has((1, 0)) && !decoded.has((2, 0)));
        assert_eq!(decoded.bytes(), 2 * bytes);
        assert!(!decoded.give_up() && decoded.has((0, 0)), "it is theirs");
    }

    #[test]
    fn what_is_lent_is_counted_where_it_comes_from_and_given_up() {
        let (planes, bytes) = (planes(), planes().bytes_used());
        let memory = Share::new(10 * bytes);
        let decoded = Decoded::within(Arc::clone(&memory));
        decoded.keep((0, 0), &planes);
        assert!(!decoded.takes_more() && memory.used() == 0, "it was not allowed");
        decoded.allow(5 * bytes);
        let batch = memory.try_take(8 * bytes).expect("it is free");
        (0..3).for_each(|number| decoded.keep((number, 0), &planes));
        assert_eq!((memory.used(), decoded.bytes()), (10 * bytes, 2 * bytes), "others have the rest");
        let (shown, other) = (decoded.get((1, 0)), decoded.get((2, 0)));
        assert!(shown.is_some() && other.is_none() && !decoded.takes_more());
        assert!(decoded.give_up() && !decoded.is_on());
        assert_eq!((memory.used(), decoded.bytes()), (8 * bytes, 0));
        drop(batch);
        assert!(!decoded.give_up(), "there are none");
    }
}
