//! Megatron's indexed datasets: tokens in a `.bin` file, and beside it an `.idx` file that tells their type, and where documents
//! begin. Documents lie behind each other without anything between, so that samples are cut from all of them as from one text.

use std::fmt;

use crate::source::{File, Location, ReadAt, SourceError};
use crate::spec::TokenType;

/// How an index file begins, with its version behind it.
const MAGIC: &[u8; 9] = b"MMIDIDX\0\0";
/// The one version there is.
const VERSION: u64 = 1;

/// Why an index cannot be used.
#[derive(Debug)]
pub enum MegatronError {
    /// It cannot be read.
    Source(SourceError),
    /// It is not what it should be.
    Index {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

/// How the tokens of a `.bin` file are stored, where an index lies beside it.
///
/// # Errors
///
/// Where the index is of another kind, its tokens are of no type that is read, or it is of another file.
pub fn token_type(at: &Location, bin: &File) -> Result<Option<TokenType>, MegatronError> {
    let base = at.base();
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    let beside = at.beside(&format!("{stem}.idx")).open_if_there().map_err(MegatronError::Source)?;
    let Some(index) = beside else { return Ok(None) };
    let wrong = |problem: String| MegatronError::Index { file: index.name().to_owned(), problem };
    // Behind magic and version: the type (1 byte), sequences and documents (8 each), then sizes (4) and pointers (8) of sequences.
    let mut header = [0; 34];
    if index.size() < header.len() as u64 {
        return Err(wrong("it is too short for an index of Megatron's".to_owned()));
    }
    index.read_at(0, &mut header).map_err(MegatronError::Source)?;
    let word = |at: usize| header[at..at + 8].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    if header[..9] != *MAGIC || word(9) != VERSION {
        return Err(wrong("it is no index of Megatron's, or of another version than 1".to_owned()));
    }
    let token = match header[17] {
        4 => TokenType::Int32,
        5 => TokenType::Int64,
        8 => TokenType::UInt16,
        code => {
            return Err(wrong(format!("its tokens are of type {code}; 4 (int32), 5 (int64) and 8 (uint16) are read")));
        }
    };
    let (sequences, documents) = (word(18), word(26));
    let expected =
        sequences.checked_mul(12).and_then(|bytes| bytes.checked_add(34)?.checked_add(documents.checked_mul(8)?));
    if expected != Some(index.size()) {
        return Err(wrong(format!("it has {} bytes, which do not fit {sequences} sequences", index.size())));
    }
    if let Some(last) = sequences.checked_sub(1) {
        let read = |at: u64, bytes: &mut [u8]| index.read_at(at, bytes).map_err(MegatronError::Source);
        let (mut size, mut pointer) = ([0; 4], [0; 8]);
        read(34 + 4 * last, &mut size)?;
        read(34 + 4 * sequences + 8 * last, &mut pointer)?;
        let bytes = u64::from(u32::from_le_bytes(size)) * token.bytes() as u64;
        let end = u64::from_le_bytes(pointer).checked_add(bytes);
        if end != Some(bin.size()) {
            let file = bin.name();
            return Err(wrong(format!(
                "{file} has {} bytes, and it tells of others: is it the index of another file?",
                bin.size()
            )));
        }
    }
    Ok(Some(token))
}

impl fmt::Display for MegatronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MegatronError::Source(error) => error.fmt(f),
            MegatronError::Index { file, problem } => write!(f, "{file}: {problem}"),
        }
    }
}

impl std::error::Error for MegatronError {}
