//! LitData, the chunks of Lightning's library: `index.json` tells the chunks, and how the fields of all samples are stored; a chunk
//! tells where its samples begin (a count, then offsets, each of 32 bits), and a sample the sizes of its fields.
//!
//! Samples that are nothing but text and numbers lie in an Arrow file behind the offsets instead, and tokens lie behind each other. What
//! the library stores by Python's pickle is never read: whoever wrote the file would decide what runs here. The layout is that of
//! release 0.2.76 (`writer.py`, `serializers.py`, `framed_zstd.py`). Start at `open`; fields are in `fields`, tokens in `tokens`.

mod fields;
mod shard;
pub mod tokens;

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use super::index::{IndexError, lies_beside};
use super::mds::{MdsShard, read_head};
use super::{Extent, Shard, ShardKind};
use crate::dataset::together;
use crate::source::{File, INDEX_BYTES_MAX, Location, ReadAt};
use crate::unpack::{Compression, Pieces, Unpacker};
use fields::Fields;
use shard::LitDataShard;

/// What an Arrow file within a chunk ends with; its size (32 bits) stands before that.
const ARROW_MARK: &[u8; 8] = b"LDARW01\0";
/// The loaders that the library writes for: what makes samples of items.
const ITEMS: &str = "PyTreeLoader";
const TOKENS: &str = "TokensLoader";

/// As much of `index.json` as is of use.
#[derive(Deserialize)]
struct IndexFile {
    chunks: Vec<ChunkEntry>,
    config: Config,
}

#[derive(Deserialize)]
struct ChunkEntry {
    filename: String,
    /// Its bytes; where the file as a whole is compressed, those that it had before.
    chunk_bytes: u64,
    /// Its samples.
    chunk_size: u64,
    /// Its tokens.
    dim: Option<u64>,
}

#[derive(Deserialize)]
struct Config {
    compression: Option<String>,
    compression_level: Option<String>,
    data_format: Option<Vec<String>>,
    data_spec: Option<String>,
    encryption: Option<IgnoredAny>,
    item_loader: Option<String>,
}

/// An index, and what is needed to open its chunks.
struct Index<'a> {
    at: &'a Location,
    /// Chunks that are written anew come with another index.
    version: String,
    entries: Vec<ChunkEntry>,
    config: Config,
    unpacker: &'a Unpacker,
}

/// Whether an index is of LitData's chunks: it names them so, as no other does.
pub(crate) fn is_index(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Named {
        #[expect(dead_code, reason = "that it is there is all that counts")]
        chunks: IgnoredAny,
    }
    serde_json::from_slice::<Named>(text).is_ok()
}

/// The chunks that an index names.
///
/// # Errors
///
/// Where the index or a chunk cannot be read, they contradict each other, or no field of the samples can be read.
pub(crate) fn open(index: &Location, unpacker: &Unpacker) -> Result<Vec<Box<dyn Shard>>, IndexError> {
    let index = Index::read(index, unpacker)?;
    match index.config.item_loader.as_deref() {
        None | Some(ITEMS) => {}
        Some(TOKENS) => {
            return Err(index.wrong(
                "its chunks are tokens without anything between: ask for them as tokens, so many for each sample (a column \
                 tt.Tokens, or --tokens)",
            ));
        }
        Some("ParquetLoader") => {
            return Err(
                index.wrong("it is the index of Parquet files, which are read without it: name them (*.parquet)")
            );
        }
        Some(other) => {
            return Err(
                index.wrong(format!("its chunks are written for the library's {other}; {ITEMS} and {TOKENS} are read"))
            );
        }
    }
    // Of chunks that hold tables, the columns tell.
    let fields = Fields::of(&index.config).map(Arc::new);
    together(&index.entries, |entry| index.shard(entry, &fields)).into_iter().collect()
}

impl<'a> Index<'a> {
    fn read(at: &'a Location, unpacker: &'a Unpacker) -> Result<Index<'a>, IndexError> {
        let text = at.read(INDEX_BYTES_MAX).map_err(IndexError::Source)?;
        let version = Sha256::digest(&text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let wrong = |problem: String| IndexError::Index { file: at.name(), problem };
        let IndexFile { chunks: entries, config } =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if config.encryption.is_some() {
            return Err(wrong("its chunks are encrypted, and no key is taken here: decrypt them first".to_owned()));
        }
        for entry in &entries {
            lies_beside(&entry.filename).map_err(&wrong)?;
        }
        Ok(Index { at, version, entries, config, unpacker })
    }

    fn wrong(&self, problem: impl Into<String>) -> IndexError {
        IndexError::Index { file: self.at.name(), problem: problem.into() }
    }

    /// A chunk's samples.
    fn shard(&self, entry: &ChunkEntry, fields: &Result<Arc<Fields>, String>) -> Result<Box<dyn Shard>, IndexError> {
        let (file, offsets) = self.chunk(entry)?;
        let samples = entry.chunk_size;
        if let Some(table) = self.table(entry, &file, &offsets)? {
            let at = self.location(entry);
            let rows = self.unpacker.table_within(&at, table).map_err(IndexError::Unpack)?;
            if rows.samples() != samples {
                let (name, rows) = (&entry.filename, rows.samples());
                return Err(self.wrong(format!("{name} has a table of {rows} rows, and the index says {samples}")));
            }
            return Ok(Box::new(rows.of_kind(ShardKind::LitData)));
        }
        let fields = fields.as_ref().map_err(|problem| self.wrong(problem.as_str()))?;
        let chunk = MdsShard::of_columns(file, samples, fields.columns()).of_offsets(offsets);
        Ok(Box::new(LitDataShard::new(chunk, Arc::clone(fields))))
    }

    /// The file of a chunk, unpacked where it is packed, and where its samples begin, where that is known already.
    fn chunk(&self, entry: &ChunkEntry) -> Result<(File, Vec<u32>), IndexError> {
        let (name, told) = (&entry.filename, entry.chunk_size);
        let head = told.checked_mul(4).and_then(|bytes| bytes.checked_add(8));
        if head.is_none_or(|head| head > u64::from(u32::MAX)) {
            return Err(self.wrong(format!("{name} would have {told} samples, more than a chunk can")));
        }
        let (file, is_changed) = self.file(entry)?;
        if !is_changed && file.size() != entry.chunk_bytes {
            let (bytes, told) = (file.size(), entry.chunk_bytes);
            return Err(self.wrong(format!(
                "{name} has {bytes} bytes, and the index says {told}: is it the index of other files?"
            )));
        }
        if head.is_some_and(|head| head > file.size()) {
            return Err(self.wrong(format!("{name} is too short for {told} samples: it was cut")));
        }
        let (count, offsets) = read_head(&file, told).map_err(IndexError::Source)?;
        if u64::from(count) != told {
            return Err(self.wrong(format!(
                "{name} has {count} samples, and the index says {told}: is it the index of other files?"
            )));
        }
        Ok((file, offsets))
    }

    /// The file of a chunk; and whether it is of another size than the index says, since its samples were compressed within it.
    fn file(&self, entry: &ChunkEntry) -> Result<(File, bool), IndexError> {
        let plain = || self.location(entry).open().map_err(IndexError::Source);
        let Some(compression) = &self.config.compression else { return Ok((plain()?, false)) };
        // A level may stand behind the name.
        if compression.split(':').next() != Some("zstd") {
            return Err(self.wrong(format!("its chunks are compressed by {compression}; zstd is read")));
        }
        let pieces = match self.config.compression_level.as_deref() {
            None | Some("" | "chunk") => None,
            Some("batch") => Some(Pieces::Frames),
            Some("sample") => Some(Pieces::Samples),
            Some(other) => {
                let problem =
                    format!("what is compressed at once is told as {other:?}; chunk, batch and sample are read");
                return Err(self.wrong(problem));
            }
        };
        let Some(pieces) = pieces else {
            // Of chunks in one folder, those that hold tables are not compressed once more, and have another name.
            if !entry.filename.ends_with(&format!(".{compression}.bin")) {
                return Ok((plain()?, false));
            }
            let unpacked = self.unpacker.stream(&self.at.beside(&entry.filename), Compression::Zstandard);
            return Ok((unpacked.map_err(IndexError::Unpack)?, false));
        };
        match self.unpacker.chunk(&self.location(entry), pieces).map_err(IndexError::Unpack)? {
            Some(file) => Ok((file, true)),
            None => Ok((plain()?, false)),
        }
    }

    fn location(&self, entry: &ChunkEntry) -> Location {
        self.at.beside(&entry.filename).of_size(entry.chunk_bytes, &self.version)
    }

    /// Where the Arrow file of a chunk lies that has one in the place of samples: those end where they begin then.
    fn table(&self, entry: &ChunkEntry, file: &File, offsets: &[u32]) -> Result<Option<Extent>, IndexError> {
        let head = 4 * (entry.chunk_size + 2);
        let end = match offsets.get(entry.chunk_size as usize) {
            Some(end) => *end,
            None => {
                let mut end = [0; 4];
                file.read_at(head - 4, &mut end).map_err(IndexError::Source)?;
                u32::from_le_bytes(end)
            }
        };
        if u64::from(end) != head || entry.chunk_size == 0 {
            return Ok(None);
        }
        let name = &entry.filename;
        let none =
            || self.wrong(format!("{name} says that all its samples are empty, and has no table instead: it was cut"));
        let mark_at = file.size().checked_sub(12).filter(|at| *at >= head).ok_or_else(none)?;
        let mut mark = [0; 12];
        file.read_at(mark_at, &mut mark).map_err(IndexError::Source)?;
        let [a, b, c, d, mark @ ..] = mark;
        let bytes = u64::from(u32::from_le_bytes([a, b, c, d]));
        let offset = mark_at.checked_sub(bytes).filter(|offset| *offset >= head && mark == *ARROW_MARK);
        Ok(Some(Extent { offset: offset.ok_or_else(none)?, bytes }))
    }
}
