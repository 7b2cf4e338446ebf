//! The samples of several files as one.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::format::records::{Layout, Records, RecordsError};
use crate::format::tar::{TarError, TarIndex};
use crate::format::{Extent, Index};
use crate::source::{LocalFile, ReadAt, SourceError};

/// One file and where its samples lie.
pub struct Shard {
    /// The file.
    pub file: Arc<dyn ReadAt>,
    /// Its samples.
    pub index: Index,
}

/// Files whose samples are counted through, in the order of the files.
pub struct Dataset {
    shards: Vec<Shard>,
    /// For each shard, its first sample; and the number of samples at the end.
    starts: Vec<u64>,
}

/// How to read files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As their names say.
    ByName,
    /// As tokens without anything between.
    Records(Layout),
}

/// Why a dataset cannot be used.
#[derive(Debug)]
pub enum DatasetError {
    /// A file cannot be had.
    Source(SourceError),
    /// A file is no WebDataset.
    Tar(TarError),
    /// A file is not made of tokens.
    Records(RecordsError),
    /// What a file is cannot be told.
    Unknown {
        /// The file.
        file: String,
    },
    /// There is no sample.
    Empty,
}

impl Dataset {
    /// Opens files.
    ///
    /// # Errors
    ///
    /// Where one cannot be read, is not of its format, or there is no sample in any.
    pub fn open(paths: &[PathBuf], format: Format) -> Result<Dataset, DatasetError> {
        let mut dataset = Dataset { shards: Vec::new(), starts: vec![0] };
        for path in paths {
            let file = LocalFile::open(path).map_err(DatasetError::Source)?;
            let index = match format {
                Format::Records(layout) => {
                    Records::new(file.name(), file.size(), layout).map(Index::Records).map_err(DatasetError::Records)?
                }
                Format::ByName => match path.extension().and_then(|extension| extension.to_str()) {
                    Some("tar") => TarIndex::read(&file).map(Index::Tar).map_err(DatasetError::Tar)?,
                    _ => return Err(DatasetError::Unknown { file: file.name().to_owned() }),
                },
            };
            dataset.starts.push(dataset.samples() + index.samples());
            dataset.shards.push(Shard { file: Arc::new(file), index });
        }
        if dataset.samples() == 0 { Err(DatasetError::Empty) } else { Ok(dataset) }
    }

    /// How many samples there are.
    pub fn samples(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// The shard of a sample, and its place there.
    pub fn find(&self, sample: u64) -> (&Shard, u64) {
        let shard = self.starts.partition_point(|start| *start <= sample) - 1;
        (&self.shards[shard], sample - self.starts[shard])
    }

    /// What tells these data from others: the files' names without their folders, which may move, with their sizes and samples.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for shard in &self.shards {
            let name = shard.file.name();
            digest.update(name.rsplit('/').next().unwrap_or(name));
            digest.update([0]);
            digest.update(shard.file.size().to_le_bytes());
            digest.update(shard.index.samples().to_le_bytes());
        }
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Shard {
    /// Where the first field of a sample lies that has one of some names.
    pub fn extent(&self, sample: u64, names: &[String]) -> Option<Extent> {
        self.index.extent(sample, names)
    }

    /// The file of a sample and its name there.
    pub fn name_of(&self, sample: u64) -> String {
        let file = self.file.name();
        match self.index.name(&*self.file, sample) {
            Ok(name) => format!("{file}: {name}"),
            Err(_) => format!("{file}: sample {sample}"),
        }
    }
}

impl fmt::Display for DatasetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatasetError::Source(error) => error.fmt(f),
            DatasetError::Tar(error) => error.fmt(f),
            DatasetError::Records(error) => error.fmt(f),
            DatasetError::Unknown { file } => {
                write!(f, "{file}: what kind of file this is cannot be told by its name; .tar is read (WebDataset)")
            }
            DatasetError::Empty => write!(f, "there is no sample in the data"),
        }
    }
}

impl std::error::Error for DatasetError {}
