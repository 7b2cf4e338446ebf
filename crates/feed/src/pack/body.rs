//! A file whose head is known only when all else is: the rest is written first, and copied behind the head at the end. The copy is
//! the kernel's (`copy_file_range`), and in most cases finds what it copies still in memory.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Written at once.
pub(super) const BUFFER_BYTES: usize = 1 << 20;

/// What comes behind the head.
pub(super) struct Body {
    out: BufWriter<File>,
    path: PathBuf,
}

impl Body {
    pub(super) fn create(path: PathBuf) -> io::Result<Body> {
        Ok(Body { out: BufWriter::with_capacity(BUFFER_BYTES, File::create(&path)?), path })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Makes the file of head and body, and puts it on the disk; its bytes.
    pub(super) fn finish(self, head: &[u8], to: &Path) -> io::Result<u64> {
        drop(self.out.into_inner().map_err(io::IntoInnerError::into_error)?);
        let mut whole = File::create(to)?;
        whole.write_all(head)?;
        let copied = io::copy(&mut File::open(&self.path)?, &mut whole)?;
        whole.sync_all()?;
        fs::remove_file(&self.path)?;
        Ok(head.len() as u64 + copied)
    }
}
