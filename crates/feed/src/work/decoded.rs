//! Decoded images, kept for later epochs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::image::jpeg::Planes;

/// Which image: the sample, and the first column that is made from the same field of it.
pub(super) type Image = (u64, usize);

/// Images, as long as there is room; whoever came first stays, since every epoch asks for each once.
pub(super) struct Decoded {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    images: HashMap<Image, Arc<Planes>>,
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

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    pub(super) fn get(&self, image: Image) -> Option<Arc<Planes>> {
        if self.is_on() { self.lock().images.get(&image).cloned() } else { None }
    }

    /// Whether an image is kept.
    pub(super) fn has(&self, image: Image) -> bool {
        self.is_on() && self.lock().images.contains_key(&image)
    }

    /// Keeps a copy of an image, where there is room.
    pub(super) fn keep(&self, image: Image, planes: &Planes) {
        let bytes = planes.bytes_used();
        let mut kept = self.lock();
        if kept.bytes + bytes <= self.bytes_max && !kept.images.contains_key(&image) {
            kept.bytes += bytes;
            kept.images.insert(image, Arc::new(planes.clone()));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics while holding the images")
    }
}
