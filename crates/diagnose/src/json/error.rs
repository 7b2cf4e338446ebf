//! Why JSON could not be read on.

use std::fmt;
use std::io;

use crate::rows::words;

/// Why JSON could not be read on.
#[derive(Debug)]
pub enum Error {
    /// The input answers with an error; that of a compressed file that is cut off is among them.
    Input(io::Error),
    /// It ends in the middle.
    Cut {
        /// Bytes read.
        at: u64,
    },
    /// It is no JSON, or not what was expected here.
    Unexpected {
        /// The byte at which it stands, from 0.
        at: u64,
        /// What was expected.
        expected: &'static str,
    },
    /// A text or number longer than is read.
    Long {
        /// The byte at which it begins.
        at: u64,
    },
    /// Values nested deeper than is read.
    Deep {
        /// The byte at which the deepest begins.
        at: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => f.write_str(&words(error)),
            Self::Cut { at } => write!(f, "the file is cut off at byte {at}; copy it again"),
            Self::Unexpected { at, expected } => write!(f, "at byte {at}, {expected} was expected"),
            Self::Long { at } => write!(f, "the text at byte {at} is longer than {} KiB", super::TEXT_MAX >> 10),
            Self::Deep { at } => write!(f, "byte {at} is nested more than {} deep", super::DEPTH_MAX),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Input(error)
    }
}
