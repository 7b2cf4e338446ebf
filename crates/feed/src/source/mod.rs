//! Where data come from: bytes at an address, read in ranges.

mod file;
mod find;
mod local;
mod location;
pub mod remote;

use std::fmt;
use std::io;

pub use file::File;
pub use find::{INDEX_NAME, find, is_in_store};
pub use local::LocalFile;
pub use location::Location;

/// An object whose bytes can be read at any place, by many threads at once.
pub trait ReadAt: Send + Sync {
    /// What it is called in errors: a path or an address.
    fn name(&self) -> &str;

    /// Its bytes.
    fn size(&self) -> u64;

    /// Fills `bytes` from `offset` on.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or ends before `bytes` is full.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), SourceError>;
}

/// Why bytes could not be had.
#[derive(Debug)]
pub struct SourceError {
    /// The path or address.
    pub name: String,
    /// The first byte that was asked for; none where the object itself could not be opened.
    pub offset: Option<u64>,
    /// What went wrong.
    pub error: io::Error,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{}: failed to read at byte {offset}: {}", self.name, self.error),
            None => write!(f, "{}: failed to open: {}", self.name, self.error),
        }
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
