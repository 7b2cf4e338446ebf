//! What can be wrong with a tar file, and with an index beside it.

use std::fmt;

use crate::source::SourceError;

/// Why a tar file could not be read.
#[derive(Debug)]
pub enum TarError {
    /// Its bytes could not be had.
    Source(SourceError),
    /// Its bytes are not those of a tar file.
    Format {
        /// The file.
        file: String,
        /// The byte at which the header starts that is wrong.
        offset: u64,
        /// What is wrong.
        problem: TarProblem,
    },
    /// An index beside a file says what cannot be.
    Beside {
        /// The index.
        file: String,
        /// The line, counted from 1.
        line: usize,
    },
}

/// What is wrong in a tar file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TarProblem {
    /// The file ends within a member.
    Truncated,
    /// There is no header where one should be.
    NoHeader,
    /// The size is no number.
    NoSize,
    /// A name is longer than any that is read.
    LongName,
    /// There are more than 65,536 names of fields.
    TooManyFields,
}

impl fmt::Display for TarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TarError::Source(error) => error.fmt(f),
            TarError::Beside { file, line } => write!(
                f,
                "{file}, line {line}: this cannot be said of the tar file beside it: make the index again, or remove it"
            ),
            TarError::Format { file, offset, problem } => {
                let what = match problem {
                    TarProblem::Truncated => "the file ends within the member that starts here: copy it again",
                    TarProblem::NoHeader => "there is no tar header here, or its checksum is wrong",
                    TarProblem::NoSize => "the member's size is no number",
                    TarProblem::LongName => "the member's name is longer than 64 KiB",
                    TarProblem::TooManyFields => {
                        "the samples have more than 65,536 kinds of fields: is this a WebDataset?"
                    }
                };
                write!(f, "{file}, byte {offset}: {what}")
            }
        }
    }
}

impl std::error::Error for TarError {}
