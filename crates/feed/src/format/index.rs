//! Shards that an `index.json` lists: whose names are taken, and why they cannot be used.

use std::fmt;
use std::path::{Component, Path};

use crate::source::SourceError;
use crate::unpack::UnpackError;

/// Why shards that an index lists cannot be used.
#[derive(Debug)]
pub enum IndexError {
    /// A file cannot be read.
    Source(SourceError),
    /// A shard cannot be unpacked.
    Unpack(UnpackError),
    /// The index, or a shard beside it, is not what it should be.
    Index {
        /// The file of the index.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

/// Whether a file that an index names lies in the index's folder, or below it; else what is wrong.
pub(crate) fn lies_beside(name: &str) -> Result<(), String> {
    if Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
        return Ok(());
    }
    Err(format!("{name:?} does not lie in the folder of the index"))
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexError::Source(error) => error.fmt(f),
            IndexError::Unpack(error) => error.fmt(f),
            IndexError::Index { file, problem } => write!(f, "{file}: {problem}"),
        }
    }
}

impl std::error::Error for IndexError {}
