//! The samples of several files as one.

use std::path::Path;
use std::sync::Arc;

use crate::format::tar::{Field, TarError, TarIndex};
use crate::source::{LocalFile, ReadAt};

/// One file and where its samples lie.
pub struct Shard {
    /// The file.
    pub file: Arc<dyn ReadAt>,
    /// Its samples.
    pub index: TarIndex,
}

/// Files whose samples are counted through, in the order of the files.
pub struct Dataset {
    shards: Vec<Shard>,
    /// For each shard, its first sample; and the number of samples at the end.
    starts: Vec<u64>,
}

impl Dataset {
    /// Opens WebDataset files.
    ///
    /// # Errors
    ///
    /// Where one cannot be read, or is no tar file.
    pub fn open(paths: &[impl AsRef<Path>]) -> Result<Dataset, TarError> {
        let mut dataset = Dataset { shards: Vec::new(), starts: vec![0] };
        for path in paths {
            let file = Arc::new(LocalFile::open(path.as_ref()).map_err(TarError::Source)?);
            let index = TarIndex::read(&*file)?;
            dataset.starts.push(dataset.samples() + index.samples());
            dataset.shards.push(Shard { file, index });
        }
        Ok(dataset)
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
}

impl Shard {
    /// The fields of a sample.
    pub fn fields(&self, sample: u64) -> &[Field] {
        self.index.sample(sample)
    }
}
