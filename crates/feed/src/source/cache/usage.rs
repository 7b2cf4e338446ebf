//! How many bytes a folder holds: a number in a file, which processes change one at a time.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;

use super::sweep;

/// The name of the file.
const USAGE: &str = "usage";

#[derive(Debug)]
pub(super) struct Usage {
    limit: u64,
    /// Locked by whoever changes it, against other processes; and against other threads, which share the system's lock.
    file: Mutex<File>,
}

impl Usage {
    /// The usage of a folder, counted where nobody did before.
    pub(super) fn open(folder: &Path, limit: u64) -> io::Result<Usage> {
        let path = folder.join(USAGE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let usage = Usage { limit, file: Mutex::new(file) };
        if usage.change(|used| Ok((used, ()))).is_err() {
            usage.set(sweep::held(folder)?)?;
        }
        Ok(usage)
    }

    /// Takes bytes, where they are free; `make_room` is called where they are not, and tells what is used then. Nobody else takes any
    /// meanwhile.
    pub(super) fn take(&self, bytes: u64, make_room: impl FnOnce() -> io::Result<u64>) -> io::Result<bool> {
        self.change(|mut used| {
            let is_free = |used: u64| used.saturating_add(bytes) <= self.limit;
            if !is_free(used) {
                used = make_room()?;
            }
            Ok(if is_free(used) { (used + bytes, true) } else { (used, false) })
        })
    }

    pub(super) fn give_back(&self, bytes: u64) -> io::Result<()> {
        self.change(|used| Ok((used.saturating_sub(bytes), ())))
    }

    /// It was counted.
    fn set(&self, used: u64) -> io::Result<()> {
        let file = self.file.lock().expect("nobody panics while holding it");
        file.lock()?;
        let written = file.write_all_at(&used.to_le_bytes(), 0);
        file.unlock()?;
        written
    }

    fn change<T>(&self, change: impl FnOnce(u64) -> io::Result<(u64, T)>) -> io::Result<T> {
        let file = self.file.lock().expect("nobody panics while holding it");
        file.lock()?;
        let outcome = (|| {
            let mut used = [0; 8];
            file.read_exact_at(&mut used, 0)?;
            let (used, outcome) = change(u64::from_le_bytes(used))?;
            file.write_all_at(&used.to_le_bytes(), 0)?;
            Ok(outcome)
        })();
        file.unlock()?;
        outcome
    }
}
