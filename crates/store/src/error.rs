//! What can go wrong with a file, in words that say what to do next.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use fleet::time::Timestamp;
use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// Something went wrong with a file.
#[derive(Debug)]
pub struct StoreError {
    /// Which file.
    pub file: PathBuf,
    /// What.
    pub fault: Fault,
}

/// What went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// There is no such file.
    Missing,
    /// There is a file where none may be overwritten.
    Exists,
    /// The file is not Trimtab's.
    Foreign {
        /// What it is instead.
        what: String,
    },
    /// A newer Trimtab wrote it.
    Newer {
        /// Its version.
        found: u32,
        /// The newest version that is known here.
        known: u32,
    },
    /// An older Trimtab wrote it, and whoever only reads cannot bring it up to date.
    Older {
        /// Its version.
        found: u32,
    },
    /// It is damaged.
    Corrupt {
        /// What does not hold.
        what: String,
    },
    /// There is no room on its disk.
    Full,
    /// It may not be written.
    ReadOnly,
    /// Another Trimtab writes it.
    InUse {
        /// The id of its process, if that could be told.
        process: Option<u32>,
    },
    /// Another program holds it for longer than is waited.
    Busy,
    /// An entry cannot follow those before it: nothing of its batch was written.
    OutOfPlace {
        /// Its place in the batch, from 0.
        index: usize,
        /// Why not.
        why: String,
    },
    /// A batch is older than what is already written: nothing of it was written.
    Backwards {
        /// Its moment.
        at: Timestamp,
        /// The moment of the last entry.
        last: Timestamp,
    },
    /// What was handed in or asked for has no shape that can be kept or answered: nothing was done.
    Misshapen {
        /// Why not.
        why: String,
    },
    /// Nothing has this id.
    Unknown {
        /// What was asked for.
        what: String,
    },
    /// The system answered with an error.
    Io {
        /// What it said.
        error: io::Error,
    },
    /// SQLite answered with an error that has no words of its own here.
    Sqlite {
        /// What it said.
        error: rusqlite::Error,
    },
}

impl StoreError {
    pub(crate) fn at(file: &Path) -> impl Fn(Fault) -> Self + '_ {
        |fault| Self { file: file.to_owned(), fault }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.fault)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::Io { error } => Some(error),
            Fault::Sqlite { error } => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file; `trimtab up` makes it"),
            Self::Exists => f.write_str("there is such a file already, and it was left as it is; name another"),
            Self::Foreign { what } => write!(f, "this is {what}, and was left as it is; name another file"),
            Self::Newer { found, known } => write!(
                f,
                "a newer Trimtab wrote this (version {found}; this one knows up to {known}), and it was left as it is; use that Trimtab"
            ),
            Self::Older { found } => write!(
                f,
                "an older Trimtab wrote this (version {found}); start `trimtab up` with it once, which brings it up to date"
            ),
            Self::Corrupt { what } => write!(
                f,
                "the file is damaged: {what}; `trimtab store check` says how far, and a copy by `trimtab store backup` can take its place"
            ),
            Self::Full => f.write_str(
                "there is no room left on the disk, and nothing of this was written; free some, then try again",
            ),
            Self::ReadOnly => f.write_str(
                "the file or its folder may not be written; give the user that runs Trimtab the right to, or name another file",
            ),
            Self::InUse { process: Some(process) } => write!(
                f,
                "another Trimtab (process {process}) works with this file; stop it first, or name another file"
            ),
            Self::InUse { process: None } => {
                f.write_str("another Trimtab works with this file; stop it first, or name another file")
            }
            Self::Busy => f.write_str("another program holds the file; end it, then try again"),
            Self::OutOfPlace { index, why } => {
                write!(f, "entry {index} of the batch cannot follow ({why}), and nothing of the batch was written")
            }
            Self::Backwards { at, last } => write!(
                f,
                "the batch is of {at}, and what is written reaches {last}: nothing of it was written; no clock may go back"
            ),
            Self::Misshapen { why } => write!(f, "{why}; nothing was done"),
            Self::Unknown { what } => write!(f, "there is no {what}"),
            Self::Io { error } => write!(f, "{error}"),
            Self::Sqlite { error } => write!(f, "SQLite says: {error}"),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match &error {
            E::SqliteFailure(failure, words) => match failure.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::SystemIoFailure if failure.extended_code == SQLITE_IOERR_SHMSIZE => Self::Full,
                // What cannot be opened is there, or its folder is: rights are in the way. A reader needs them too, for the index of the
                // write-ahead log.
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => Self::ReadOnly,
                ErrorCode::NotADatabase => Self::Foreign { what: "no SQLite file".into() },
                ErrorCode::DatabaseCorrupt => {
                    Self::Corrupt { what: words.clone().unwrap_or_else(|| failure.to_string()) }
                }
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
                    Self::Busy
                }
                _ => Self::Sqlite { error },
            },
            // The file holds something else than this code ever writes there.
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..)
            | E::QueryReturnedNoRows => Self::Corrupt { what: error.to_string() },
            _ => Self::Sqlite { error },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::Io { error },
        }
    }
}
