//! Space on disk for what does not fit in memory: files without names, which are gone when the program is, however it ends.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use ::diagnose::sorter::Scratch;

/// A new one, in the folder for temporary files.
pub(super) fn new() -> io::Result<Box<dyn Scratch>> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("trimtab-{}-{}.scratch", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = folder().join(name);
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(Box::new(file))
}

/// Where they lie, for whoever must make room there.
pub(super) fn folder() -> PathBuf {
    std::env::temp_dir()
}
