//! A file that samples are read from, wherever it is.

use std::sync::Arc;

use super::remote::{Part, ReadAhead, RemoteFile, Want};
use super::{LocalFile, ReadAt, SourceError};
use crate::format::Extent;

/// A file.
#[derive(Debug)]
pub enum File {
    /// On this machine.
    Local(LocalFile),
    /// An object in a store.
    Remote(Arc<RemoteFile>),
}

impl File {
    /// What is to be fetched so that an extent can be read; none where nothing is, since it is on this machine.
    pub fn want(&self, extent: Extent) -> Option<Want> {
        match self {
            File::Local(_) => None,
            File::Remote(file) => Some(Want { file: Arc::clone(file), extent }),
        }
    }

    /// Bytes that lie in memory already, and need not be copied.
    pub fn part(&self, extent: Extent) -> Option<Part> {
        match self {
            File::Local(_) => None,
            File::Remote(file) => file.part(extent),
        }
    }

    /// The same bytes, for whoever reads from front to back.
    pub fn in_order(&self) -> Box<dyn ReadAt + '_> {
        match self {
            File::Local(file) => Box::new(file),
            File::Remote(file) => Box::new(ReadAhead::new(file)),
        }
    }
}

impl ReadAt for File {
    fn name(&self) -> &str {
        match self {
            File::Local(file) => file.name(),
            File::Remote(file) => file.name(),
        }
    }

    fn size(&self) -> u64 {
        match self {
            File::Local(file) => file.size(),
            File::Remote(file) => file.size(),
        }
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), SourceError> {
        match self {
            File::Local(file) => file.read_at(offset, bytes),
            File::Remote(file) => file.read_at(offset, bytes),
        }
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), SourceError> {
        (**self).read_at(offset, bytes)
    }
}
