//! Where a file is unpacked to: bytes are taken of the folder's limit in steps, before they are written.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::UnpackError;
use crate::source::cache::Cache;
use crate::source::cache::unpacked::{Unpacked, Writing};

/// What is taken at once: the number of all that is taken is a file, which processes change one at a time.
const STEP: u64 = 16 << 20;

/// A folder that is being filled; what was taken and is not used goes back.
pub(super) struct Room<'a> {
    cache: &'a Cache,
    /// None once it is finished.
    place: Option<Writing>,
    /// What is unpacked.
    file: String,
    taken: u64,
    used: u64,
}

impl Room<'_> {
    pub(super) fn new(cache: &Cache, place: Writing, file: String) -> Room<'_> {
        Room { cache, place: Some(place), file, taken: 0, used: 0 }
    }

    /// The name of what is unpacked.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    fn place(&self) -> &Writing {
        self.place.as_ref().expect("it is not finished")
    }

    /// The path of a file in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.place().folder().join(name)
    }

    /// Makes a file in it.
    pub(super) fn create(&self, name: &str) -> Result<File, UnpackError> {
        File::create(self.path(name)).map_err(|error| self.failed(error))
    }

    /// What is said where it cannot be written.
    pub(super) fn failed(&self, error: io::Error) -> UnpackError {
        UnpackError::writing(&self.file, self.cache.folder(), error)
    }

    /// The folder that it is a part of.
    fn folder(&self) -> &Path {
        self.cache.folder()
    }

    /// Takes bytes, which are written then.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), UnpackError> {
        let needed = self.used.saturating_add(bytes).saturating_sub(self.taken);
        // Near the limit there may be no room for a whole step, and enough for what is needed.
        let is_there = needed == 0
            || self.try_take(needed.max(STEP)).map_err(|error| self.failed(error))?
            || self.try_take(needed).map_err(|error| self.failed(error))?;
        if !is_there {
            let (file, folder) = (self.file.clone(), self.folder().to_owned());
            return Err(UnpackError::Full { file, folder, limit: self.cache.limit(), unpacked: self.used });
        }
        self.used += bytes;
        Ok(())
    }

    fn try_take(&mut self, bytes: u64) -> io::Result<bool> {
        let with = self.taken.saturating_add(bytes);
        // Told before it is taken, so that whoever counts counts it.
        self.place().tell(with)?;
        let is_there = self.cache.take(bytes)?;
        if is_there {
            self.taken = with;
        } else {
            self.place().tell(self.taken)?;
        }
        Ok(is_there)
    }

    /// Bytes that were taken are not there any more.
    pub(super) fn free(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// All is written.
    pub(super) fn finish<T: Serialize>(mut self, about: T) -> Result<Unpacked<T>, UnpackError> {
        let place = self.place.take().expect("it is finished once");
        let (unpacked, bytes) = place.finish(about).map_err(|error| self.failed(error))?;
        // The file that says that it is whole may go beyond what was taken, by what it has.
        self.used = bytes.min(self.taken);
        self.give_back(self.used);
        Ok(unpacked)
    }

    fn give_back(&mut self, kept: u64) {
        // Where that fails, it is counted anew when the folder seems full.
        drop(self.cache.give_back(self.taken - kept));
        self.taken = kept;
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if self.place.take().is_some() {
            self.give_back(0);
        }
    }
}
