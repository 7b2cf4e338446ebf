//! Files of this machine.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{ReadAt, SourceError};

/// Files that stay open at once, in this process: half of what systems allow one by default. Others are opened for each read, which
/// takes some microseconds more.
const KEPT_OPEN_MAX: usize = 512;

/// How many are kept open.
static KEPT_OPEN: AtomicUsize = AtomicUsize::new(0);

/// A file, which stays open where not too many others do.
#[derive(Debug)]
pub struct LocalFile {
    name: String,
    path: PathBuf,
    file: Option<KeptOpen>,
    size: u64,
}

impl LocalFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// Where it is not there, or may not be read.
    pub fn open(path: &Path) -> Result<LocalFile, SourceError> {
        LocalFile::open_as(path, path.display().to_string())
    }

    /// Opens the file at `path`, which is called otherwise.
    ///
    /// # Errors
    ///
    /// Where it is not there, or may not be read.
    pub fn open_as(path: &Path, name: String) -> Result<LocalFile, SourceError> {
        let opened = File::open(path).and_then(|file| {
            let size = file.metadata()?.len();
            Ok((file, size))
        });
        match opened {
            Ok((file, size)) => Ok(LocalFile { name, path: path.to_owned(), file: KeptOpen::keep(file), size }),
            Err(error) => Err(SourceError { name, offset: None, error }),
        }
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        match &self.file {
            Some(KeptOpen(file)) => file.read_exact_at(bytes, offset),
            None => File::open(&self.path)?.read_exact_at(bytes, offset),
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
        self.read(offset, bytes).map_err(|error| SourceError { name: self.name.clone(), offset: Some(offset), error })
    }
}

/// A file that is counted among those that stay open.
#[derive(Debug)]
struct KeptOpen(File);

impl KeptOpen {
    /// Keeps a file open, where there are not too many already; else closes it.
    fn keep(file: File) -> Option<KeptOpen> {
        let count = |open: usize| (open < KEPT_OPEN_MAX).then_some(open + 1);
        KEPT_OPEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count).ok().map(|_| KeptOpen(file))
    }
}

impl Drop for KeptOpen {
    fn drop(&mut self) {
        KEPT_OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_files_than_stay_open_are_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |number: usize| folder.path().join(number.to_string());
        let count = KEPT_OPEN_MAX + 20;
        let files: Vec<LocalFile> = (0..count)
            .map(|number| {
                std::fs::write(path(number), number.to_le_bytes()).unwrap();
                LocalFile::open(&path(number)).unwrap()
            })
            .collect();
        assert!(files.iter().filter(|file| file.file.is_some()).count() <= KEPT_OPEN_MAX);
        for (number, file) in files.iter().enumerate() {
            let mut bytes = [0; 8];
            file.read_at(0, &mut bytes).unwrap();
            assert_eq!(usize::from_le_bytes(bytes), number);
        }
        std::fs::remove_file(path(count - 1)).unwrap();
        let error = files[count - 1].read_at(0, &mut [0; 8]).unwrap_err();
        assert!(error.to_string().contains(&path(count - 1).display().to_string()));
    }
}
