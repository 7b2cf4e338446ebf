//! Decoded images, kept for later epochs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::image::jpeg::Planes;

/// Images by their sample, as long as there is room; whoever came first stays, since every epoch asks for each once.
pub(super) struct Decoded {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    images: HashMap<u64, Arc<Planes>>,
    bytes: usize,
}

impl Decoded {
    pub(super) fn new(bytes_max: usize) -> Decoded {
        Decoded { bytes_max, kept: Mutex::new(Kept::default()) }
    }

    /// Whether anything is ever kept.
    pub(super) fn is_on(&self) -> bool {
        self.bytes_max > 0
    }

    pub(super) fn get(&self, sample: u64) -> Option<Arc<Planes>> {
        if self.is_on() { self.lock().images.get(&sample).cloned() } else { None }
    }

    /// Keeps a copy of an image, where there is room.
    pub(super) fn keep(&self, sample: u64, planes: &Planes) {
        let bytes = planes.bytes_used();
        let mut kept = self.lock();
        if kept.bytes + bytes <= self.bytes_max && !kept.images.contains_key(&sample) {
            kept.bytes += bytes;
            kept.images.insert(sample, Arc::new(planes.clone()));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics while holding the images")
    }
}
