//! What could not be done on this machine.

use std::fmt;
use std::io;
use std::path::Path;

/// What could not be done, to what, and what to do about it; for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// "cannot create /a/b: Permission denied; let this user write there".
    pub(super) fn io(doing: &str, path: &Path, error: &io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::PermissionDenied => "; let this user read and write there, or choose another folder",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space there",
            io::ErrorKind::ReadOnlyFilesystem => "; choose a folder that can be written",
            io::ErrorKind::NotADirectory => "; a part of the path is a file: choose another folder",
            _ => "",
        };
        Self(format!("cannot {doing} {}: {error}{hint}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
