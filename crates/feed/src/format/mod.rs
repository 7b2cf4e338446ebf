//! How samples lie in files: where each begins, and what it is made of.

pub mod records;
pub mod tar;

use crate::source::{ReadAt, SourceError};
use records::Records;
use tar::TarIndex;

/// Bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The first.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

/// Where the samples of one file lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// WebDataset.
    Tar(TarIndex),
    /// Tokens without anything between.
    Records(Records),
}

impl Index {
    /// How many samples there are.
    pub fn samples(&self) -> u64 {
        match self {
            Index::Tar(tar) => tar.samples(),
            Index::Records(records) => records.samples(),
        }
    }

    /// Where the first field of a sample lies that has one of some names; none where it has none of them. Files whose samples are
    /// one field take any name for it.
    pub fn extent(&self, sample: u64, names: &[String]) -> Option<Extent> {
        match self {
            Index::Tar(tar) => tar.extent(sample, names),
            Index::Records(records) => Some(records.extent(sample)),
        }
    }

    /// What a sample is called in its file.
    ///
    /// # Errors
    ///
    /// Where that stands in the file, and the file cannot be read.
    pub fn name(&self, file: &dyn ReadAt, sample: u64) -> Result<String, SourceError> {
        match self {
            Index::Tar(tar) => tar::sample_name(file, tar.sample(sample)[0].offset),
            Index::Records(_) => Ok(format!("sample {sample}")),
        }
    }
}
