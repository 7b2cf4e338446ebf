//! The samples of several files as one.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use sha2::{Digest, Sha256};

use crate::format::Shard;
use crate::format::folder::Folder;
use crate::format::index::IndexError;
use crate::format::lines::{Lines, LinesError};
use crate::format::litdata;
use crate::format::mds;
use crate::format::megatron::{self, MegatronError};
use crate::format::records::{Layout, Records, RecordsError, RecordsShard};
use crate::format::tar::{TarError, TarShard};
use crate::source::{INDEX_BYTES_MAX, INDEX_NAME, Location, ReadAt, SourceError};
use crate::spec::TokenType;
use crate::unpack::{Compression, TableFormat, UnpackError, Unpacker};

/// Files that are opened at once, at most.
const TOGETHER_MAX: usize = 16;

/// Shards whose samples are counted through, in their order.
pub struct Dataset {
    shards: Vec<Box<dyn Shard>>,
    /// For each shard, its first sample; and the number of samples at the end.
    starts: Vec<u64>,
    /// For each source, how many samples it has.
    sources: Vec<u64>,
    /// Keeps what was unpacked.
    _unpacker: Arc<Unpacker>,
}

/// How to read files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As their names say.
    ByName,
    /// As tokens without anything between.
    Tokens(Tokens),
}

/// Samples made of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Tokens of a sample.
    pub length: usize,
    /// Tokens from one sample's first to the next one's.
    pub stride: usize,
    /// How each is stored.
    pub token: TokenType,
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
    /// A file has lines that cannot be used.
    Lines(LinesError),
    /// Shards of MosaicML's, or chunks of LitData's, cannot be used.
    Indexed(IndexError),
    /// An index of Megatron's cannot be used.
    Megatron(MegatronError),
    /// A file cannot be unpacked.
    Unpack(UnpackError),
    /// Tokens are of another type than was told.
    TokenType {
        /// The file.
        file: String,
        /// What its index says.
        stored: TokenType,
        /// What was told.
        told: TokenType,
    },
    /// What a file is cannot be told.
    Unknown {
        /// The file.
        file: String,
    },
    /// There is no sample.
    Empty,
}

impl Dataset {
    /// Opens files, several at once. What is packed is unpacked to the user's own folder.
    ///
    /// # Errors
    ///
    /// As [`Dataset::open_with`] has them.
    pub fn open(locations: &[Location], format: Format) -> Result<Dataset, DatasetError> {
        Dataset::open_with(locations, format, &Arc::default())
    }

    /// Opens files, several at once. What is packed is unpacked by `unpacker`.
    ///
    /// # Errors
    ///
    /// Where one cannot be read, is not of its format, cannot be unpacked, or there is no sample in any.
    pub fn open_with(
        locations: &[Location],
        format: Format,
        unpacker: &Arc<Unpacker>,
    ) -> Result<Dataset, DatasetError> {
        Dataset::open_sources(&[locations.to_vec()], format, unpacker)
    }

    /// Opens the files of several sources, several at once. Samples are counted through the sources, one behind the other.
    ///
    /// # Errors
    ///
    /// As [`Dataset::open_with`] has them. A source may be without a sample as long as not all are.
    pub fn open_sources(
        sources: &[Vec<Location>],
        format: Format,
        unpacker: &Arc<Unpacker>,
    ) -> Result<Dataset, DatasetError> {
        let (shards, starts) = (Vec::new(), vec![0]);
        let mut dataset = Dataset { shards, starts, sources: Vec::new(), _unpacker: Arc::clone(unpacker) };
        let opened = together(&sources.concat(), |location| match format {
            Format::Tokens(tokens) => open_tokens(location, tokens, unpacker),
            Format::ByName => open_by_name(location, unpacker),
        });
        let mut opened = opened.into_iter();
        for locations in sources {
            let before = dataset.samples();
            for shards in opened.by_ref().take(locations.len()) {
                shards?.into_iter().for_each(|shard| dataset.add(shard));
            }
            dataset.sources.push(dataset.samples() - before);
        }
        if dataset.samples() == 0 { Err(DatasetError::Empty) } else { Ok(dataset) }
    }

    /// How many samples each source has, in the order in which they were opened.
    pub fn source_samples(&self) -> &[u64] {
        &self.sources
    }

    fn add(&mut self, shard: Box<dyn Shard>) {
        self.starts.push(self.samples() + shard.samples());
        self.shards.push(shard);
    }

    /// The shards, in order.
    pub fn shards(&self) -> impl Iterator<Item = &dyn Shard> {
        self.shards.iter().map(|shard| &**shard)
    }

    /// How many samples there are.
    pub fn samples(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Bytes of memory that tell where samples lie.
    pub fn index_bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.index_bytes()).sum()
    }

    /// The shard of a sample, and its place there.
    pub fn find(&self, sample: u64) -> (&dyn Shard, u64) {
        let shard = self.starts.partition_point(|start| *start <= sample) - 1;
        (&*self.shards[shard], sample - self.starts[shard])
    }

    /// What is to be said, and of which file, where no sample of a shard can have a field of any of some names.
    pub fn lacks(&self, names: &[String]) -> Option<(&str, String)> {
        self.shards().find_map(|shard| Some((shard.name(), shard.lacks(names)?)))
    }

    /// What tells these data from others: the files' names without their folders, which may move, with their sizes and samples.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for shard in &self.shards {
            let name = shard.name();
            digest.update(name.rsplit('/').next().unwrap_or(name));
            digest.update([0]);
            digest.update(shard.size().to_le_bytes());
            digest.update(shard.samples().to_le_bytes());
        }
        digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Does something to each item, some at once: what it is done for waits for disks and stores. Outcomes are in the items' order.
pub(crate) fn together<T: Sync, R: Send + Sync>(items: &[T], what: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return };
            let is_first = done[place].set(what(item)).is_ok();
            assert!(is_first, "each item is taken once");
        }
    };
    thread::scope(|scope| {
        for _ in 1..items.len().min(TOGETHER_MAX) {
            scope.spawn(work);
        }
        work();
    });
    done.into_iter().map(|cell| cell.into_inner().expect("each item was taken")).collect()
}

/// The shards that a location's name says it has.
fn open_by_name(location: &Location, unpacker: &Unpacker) -> Result<Vec<Box<dyn Shard>>, DatasetError> {
    if location.is_folder() {
        return match Folder::open(location).map_err(DatasetError::Source)? {
            Some(folder) => Ok(vec![Box::new(folder)]),
            None => Err(DatasetError::Unknown { file: location.name() }),
        };
    }
    if location.base() == INDEX_NAME {
        if litdata::is_index(&location.read(INDEX_BYTES_MAX).map_err(DatasetError::Source)?) {
            return litdata::open(location, unpacker).map_err(DatasetError::Indexed);
        }
        let shards = mds::open(location, unpacker).map_err(DatasetError::Indexed)?;
        return Ok(shards.into_iter().map(|shard| Box::new(shard) as Box<dyn Shard>).collect());
    }
    if let Some((compression, name)) = Compression::of_name(location.base()) {
        return open_compressed(location, (compression, &name), unpacker).map(|shard| vec![shard]);
    }
    let open = || location.open().map_err(DatasetError::Source);
    let lines = |is_json| Lines::read(open()?, is_json).map_err(DatasetError::Lines);
    let is_beside_tar = || {
        let stem = location.base().trim_end_matches(".idx");
        location.beside(&format!("{stem}.tar")).size().is_ok()
    };
    let shard: Box<dyn Shard> = match location.extension() {
        // Indexes that are made for other readers lie beside their shards.
        Some("idx") if is_beside_tar() => return Ok(Vec::new()),
        Some("tar") => Box::new(TarShard::open(location).map_err(DatasetError::Tar)?),
        Some("jsonl" | "ndjson") => Box::new(lines(true)?),
        Some("txt") => Box::new(lines(false)?),
        Some(extension) => match TableFormat::of_extension(extension) {
            Some(format) => Box::new(unpacker.table(location, format).map_err(DatasetError::Unpack)?),
            None => return Err(DatasetError::Unknown { file: location.name() }),
        },
        None => return Err(DatasetError::Unknown { file: location.name() }),
    };
    Ok(vec![shard])
}

/// The shard that a compressed file is, once it is unpacked.
fn open_compressed(
    location: &Location,
    (compression, name): (Compression, &str),
    unpacker: &Unpacker,
) -> Result<Box<dyn Shard>, DatasetError> {
    let unpack = || unpacker.stream(location, compression).map_err(DatasetError::Unpack);
    let lines = |is_json| Lines::read(unpack()?, is_json).map_err(DatasetError::Lines);
    Ok(match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("tar") => Box::new(TarShard::read(unpack()?).map_err(DatasetError::Tar)?),
        Some("jsonl" | "ndjson") => Box::new(lines(true)?),
        Some("txt") => Box::new(lines(false)?),
        _ => return Err(DatasetError::Unknown { file: location.name() }),
    })
}

/// The shards of tokens that a location has.
fn open_tokens(location: &Location, tokens: Tokens, unpacker: &Unpacker) -> Result<Vec<Box<dyn Shard>>, DatasetError> {
    let layout = |token: TokenType| {
        let number = token.bytes() as u64;
        Layout { bytes: tokens.length as u64 * number, stride: tokens.stride as u64 * number, number }
    };
    let check = |file: &str, stored| {
        if stored == tokens.token {
            return Ok(());
        }
        Err(DatasetError::TokenType { file: file.to_owned(), stored, told: tokens.token })
    };
    if location.base() == INDEX_NAME {
        let (stored, shards) = litdata::tokens::open(location, unpacker, layout).map_err(DatasetError::Indexed)?;
        check(&location.name(), stored)?;
        return Ok(shards.into_iter().map(|shard| Box::new(shard) as Box<dyn Shard>).collect());
    }
    let file = location.open().map_err(DatasetError::Source)?;
    if let Some(stored) = megatron::token_type(location, &file).map_err(DatasetError::Megatron)? {
        check(file.name(), stored)?;
    }
    let records = Records::new(file.name(), file.size(), layout(tokens.token)).map_err(DatasetError::Records)?;
    Ok(vec![Box::new(RecordsShard { file, start: 0, records })])
}

impl fmt::Display for DatasetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatasetError::Source(error) => error.fmt(f),
            DatasetError::Tar(error) => error.fmt(f),
            DatasetError::Records(error) => error.fmt(f),
            DatasetError::Lines(error) => error.fmt(f),
            DatasetError::Indexed(error) => error.fmt(f),
            DatasetError::Megatron(error) => error.fmt(f),
            DatasetError::Unpack(error) => error.fmt(f),
            DatasetError::TokenType { file, stored, told } => {
                write!(f, "{file}: its index says that its tokens are {stored}, and {told} was asked for")
            }
            DatasetError::Unknown { file } => write!(
                f,
                "{file}: what this is cannot be told by its name; read are .tar (WebDataset), .jsonl, .ndjson, .txt, \
                 these with .gz or .zst behind, .parquet, .arrow, .feather, index.json (MDS, LitData), and folders of folders of images; tokens of any name, where a column asks for them"
            ),
            DatasetError::Empty => write!(f, "there is no sample in the data"),
        }
    }
}

impl std::error::Error for DatasetError {}
