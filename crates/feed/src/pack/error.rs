//! Why packing failed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why samples were not packed. Nothing is left of what was written.
#[derive(Debug)]
pub enum PackError {
    /// A sample cannot be read, or has no place in the format.
    Sample {
        /// The file, and the sample's name there.
        sample: String,
        /// Why, as a clause.
        reason: String,
    },
    /// The fields that were asked for, or that there are, make no dataset of that format; others might.
    Fields {
        /// The file and the name of a sample that shows it.
        sample: Option<String>,
        /// Why, as a clause.
        reason: String,
    },
    /// A shard of MDS would be larger than its offsets reach.
    TooLarge {
        /// The shard.
        shard: String,
        /// The sample that it would have taken in.
        sample: String,
    },
    /// Something lies in the destination, and nothing was told of replacing it.
    Occupied {
        /// The folder.
        to: PathBuf,
        /// What lies in it.
        name: String,
    },
    /// The destination may not be written.
    Destination {
        /// The folder.
        to: PathBuf,
        /// Why, as a clause.
        reason: String,
    },
    /// The disk failed.
    Write {
        /// What was being written, by the name that it was to have.
        path: PathBuf,
        /// How.
        error: io::Error,
    },
    /// It was told to stop.
    Stopped,
}

impl PackError {
    pub(super) fn writing(path: &Path, error: io::Error) -> PackError {
        PackError::Write { path: path.to_owned(), error }
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PackError::Sample { sample, reason } | PackError::Fields { sample: Some(sample), reason } => {
                write!(f, "{sample}: {reason}")
            }
            PackError::Fields { sample: None, reason } => f.write_str(reason),
            PackError::TooLarge { shard, sample } => write!(
                f,
                "{sample}: with it {shard} would be larger than 4 GiB, which is as far as the offsets of MDS reach: ask for smaller shards"
            ),
            PackError::Occupied { to, name } => write!(f, "{}: it is not empty: {name} lies in it", to.display()),
            PackError::Destination { to, reason } => write!(f, "{}: {reason}", to.display()),
            PackError::Write { path, error } => write!(f, "{}: failed to write: {error}", path.display()),
            PackError::Stopped => f.write_str("it was told to stop"),
        }
    }
}

impl std::error::Error for PackError {}
