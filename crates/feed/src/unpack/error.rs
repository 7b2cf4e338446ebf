//! Why a file cannot be unpacked.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::Packing;
use crate::source::SourceError;

/// Why a file cannot be unpacked.
#[derive(Debug)]
pub enum UnpackError {
    /// It cannot be read.
    Source(SourceError),
    /// There is no folder to unpack to.
    Folder {
        /// The file.
        file: String,
        /// The folder; none where the environment names none.
        folder: Option<PathBuf>,
        /// What went wrong.
        error: io::Error,
    },
    /// It is not what its name says, or was cut or changed.
    Damaged {
        /// The file.
        file: String,
        /// How it is packed.
        packing: Packing,
        /// What is wrong.
        problem: String,
    },
    /// The folder may not hold as much.
    Full {
        /// The file.
        file: String,
        /// The folder.
        folder: PathBuf,
        /// Bytes that it may hold.
        limit: u64,
        /// Bytes that were unpacked before.
        unpacked: u64,
    },
    /// The folder cannot be written.
    Write {
        /// The file.
        file: String,
        /// The folder.
        folder: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
}

impl UnpackError {
    pub(super) fn damaged(file: &str, packing: Packing, problem: impl Into<String>) -> UnpackError {
        UnpackError::Damaged { file: file.to_owned(), packing, problem: problem.into() }
    }

    pub(super) fn writing(file: &str, folder: &Path, error: io::Error) -> UnpackError {
        UnpackError::Write { file: file.to_owned(), folder: folder.to_owned(), error }
    }

    /// What reading said: of the file itself, or of how it is packed.
    pub(super) fn reading(file: &str, packing: Packing, error: io::Error) -> UnpackError {
        match error.downcast::<SourceError>() {
            Ok(error) => UnpackError::Source(error),
            Err(error) => {
                let problem = match error.kind() {
                    io::ErrorKind::UnexpectedEof => "it ends too early: it was cut".to_owned(),
                    _ => error.to_string(),
                };
                UnpackError::Damaged { file: file.to_owned(), packing, problem }
            }
        }
    }
}

impl fmt::Display for UnpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: u64 = 1 << 20;
        match self {
            UnpackError::Source(error) => error.fmt(f),
            UnpackError::Folder { file, folder: Some(folder), error } => write!(
                f,
                "{file}: the folder to unpack it to, {}, cannot be used: {error}; name another (cache_dir)",
                folder.display()
            ),
            UnpackError::Folder { file, folder: None, error } => {
                write!(f, "{file}: there is no folder to unpack it to: {error}; name one (cache_dir)")
            }
            UnpackError::Damaged { file, packing, problem } => {
                write!(f, "{file}: failed to read it as {packing}: {problem}")
            }
            UnpackError::Full { file, folder, limit, unpacked } => write!(
                f,
                "{file}: after {} MiB of it were unpacked, {} holds as much as it may, {} MiB, and nothing in it is unused: allow more \
                 (cache_limit), name another folder (cache_dir), or store the file unpacked",
                unpacked / MIB,
                folder.display(),
                limit / MIB
            ),
            UnpackError::Write { file, folder, error } => write!(
                f,
                "{file}: failed to unpack it to {}: {error}; name another folder (cache_dir), or make room there",
                folder.display()
            ),
        }
    }
}

impl std::error::Error for UnpackError {}
