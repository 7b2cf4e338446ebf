//! Files of this machine.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{ReadAt, SourceError};

/// A file that stays open.
#[derive(Debug)]
pub struct LocalFile {
    name: String,
    file: File,
    size: u64,
}

impl LocalFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// Where it is not there, or may not be read.
    pub fn open(path: &Path) -> Result<LocalFile, SourceError> {
        let name = path.display().to_string();
        let opened = File::open(path).and_then(|file| {
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        match opened {
            Ok((file, size)) => Ok(LocalFile { name, file, size }),
            Err(error) => Err(SourceError { name, offset: None, error }),
        }
    }
}

impl ReadAt for LocalFile {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), SourceError> {
        self.file.read_exact_at(bytes, offset).map_err(|error| SourceError {
            name: self.name.clone(),
            offset: Some(offset),
            error,
        })
    }
}
