//! MDS, version 2, not compressed: a shard has a count, the offsets of its samples (32 bits each, from the file's first byte), what
//! its columns are, and the samples; in each, the sizes of columns without a fixed one come first. `index.json` tells of all shards.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::body::Body;
use super::sample::Sample;
use super::schema::{Column, ColumnEncoding, Schema, whole_number};
use super::{OpenShard, PackedShard, ShardLimit};
use crate::source::INDEX_NAME;

/// The file that tells of all others.
pub(super) const INDEX: &str = INDEX_NAME;
/// As far as offsets of 32 bits reach.
pub(super) const BYTES_MAX: u64 = u32::MAX as u64;
/// The version of index and shards.
const VERSION: u32 = 2;

/// The name of a shard.
pub(super) fn shard_name(number: usize) -> String {
    format!("shard.{number:05}.mds")
}

/// What index and shards say of the columns; the library writes its members by name.
#[derive(Clone, Serialize)]
struct Columns {
    column_encodings: Vec<&'static str>,
    column_names: Vec<String>,
    column_sizes: Vec<Option<u32>>,
    compression: Option<String>,
    format: &'static str,
    hashes: [String; 0],
}

impl Columns {
    fn of(schema: &Schema) -> Columns {
        Columns {
            column_encodings: schema.columns.iter().map(|column| column.encoding.name()).collect(),
            column_names: schema.columns.iter().map(|column| column.name.clone()).collect(),
            column_sizes: schema.columns.iter().map(|column| column.encoding.size()).collect(),
            compression: None,
            format: "mds",
            hashes: [],
        }
    }
}

/// What a shard says of itself.
#[derive(Serialize)]
struct Config {
    #[serde(flatten)]
    columns: Columns,
    size_limit: Option<u64>,
    version: u32,
}

/// What the index says of a shard.
#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    columns: Columns,
    raw_data: RawData,
    samples: u64,
    size_limit: Option<u64>,
    version: u32,
    zip_data: Option<RawData>,
}

#[derive(Serialize)]
struct RawData {
    basename: String,
    bytes: u64,
    hashes: Hashes,
}

/// None are told.
#[derive(Serialize)]
struct Hashes {}

#[derive(Serialize)]
struct Index {
    shards: Vec<Entry>,
    version: u32,
}

/// The limit that is told: the library counts bytes.
fn size_limit(limit: ShardLimit) -> Option<u64> {
    match limit {
        ShardLimit::Bytes(bytes) => Some(bytes),
        ShardLimit::Samples(_) => None,
    }
}

/// Writes the index of all shards.
pub(super) fn write_index(folder: &Path, schema: &Schema, limit: ShardLimit, shards: &[PackedShard]) -> io::Result<()> {
    let columns = Columns::of(schema);
    let shards = shards.iter().map(|shard| Entry {
        columns: columns.clone(),
        raw_data: RawData { basename: shard.name.clone(), bytes: shard.bytes, hashes: Hashes {} },
        samples: shard.samples,
        size_limit: size_limit(limit),
        version: VERSION,
        zip_data: None,
    });
    let text = serde_json::to_vec(&Index { shards: shards.collect(), version: VERSION })?;
    let mut file = File::create(folder.join(INDEX))?;
    file.write_all(&text)?;
    file.sync_all()
}

/// A shard that is being written.
pub(super) struct MdsFile {
    columns: Vec<Column>,
    samples: Body,
    config: Vec<u8>,
    path: PathBuf,
    name: String,
    /// Where each sample begins, from the first one's first byte; and where the last ends.
    starts: Vec<u32>,
}

impl MdsFile {
    pub(super) fn create(folder: &Path, name: &str, schema: &Schema, limit: ShardLimit) -> io::Result<MdsFile> {
        let config = Config { columns: Columns::of(schema), size_limit: size_limit(limit), version: VERSION };
        let columns =
            schema.columns.iter().map(|Column { name, encoding }| Column { name: name.clone(), encoding: *encoding });
        Ok(MdsFile {
            columns: columns.collect(),
            samples: Body::create(folder.join("samples"))?,
            config: serde_json::to_vec(&config)?,
            path: folder.join(name),
            name: name.to_owned(),
            starts: vec![0],
        })
    }

    /// The values of a sample's columns, in their order.
    fn values<'a>(&'a self, sample: &'a Sample) -> impl Iterator<Item = (ColumnEncoding, &'a [u8])> {
        self.columns.iter().map(|column| {
            let field = sample.fields.iter().find(|field| field.name == column.name);
            let field = field.expect("all samples were looked at, and each has all columns");
            (column.encoding, field.bytes.as_slice())
        })
    }

    /// The bytes of a sample.
    fn sample_bytes(&self, sample: &Sample) -> u64 {
        let value = |(encoding, value): (ColumnEncoding, &[u8])| match encoding.size() {
            Some(size) => u64::from(size),
            None => 4 + value.len() as u64,
        };
        self.values(sample).map(value).sum()
    }

    /// The bytes in front of so many samples.
    fn head_bytes(&self, samples: usize) -> u64 {
        4 + 4 * (samples as u64 + 1) + self.config.len() as u64
    }

    fn end(&self) -> u32 {
        self.starts.last().copied().unwrap_or(0)
    }
}

impl OpenShard for MdsFile {
    fn bytes_with(&self, sample: &Sample) -> u64 {
        self.head_bytes(self.starts.len()) + u64::from(self.end()) + self.sample_bytes(sample)
    }

    fn add(&mut self, sample: &Sample) -> io::Result<()> {
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "a shard of MDS has at most 4 GiB");
        let bytes = u32::try_from(self.sample_bytes(sample)).ok();
        let end = bytes.and_then(|bytes| self.end().checked_add(bytes)).ok_or_else(too_large)?;
        let mut sizes = Vec::new();
        let mut values = Vec::new();
        for (encoding, value) in self.values(sample) {
            if encoding == ColumnEncoding::Int {
                let number =
                    whole_number(value).ok_or_else(|| io::Error::other("a number has changed while it was read"))?;
                values.extend(number.to_le_bytes());
            } else {
                sizes.extend((value.len() as u32).to_le_bytes());
                values.extend(value);
            }
        }
        self.samples.write(&sizes)?;
        self.samples.write(&values)?;
        self.starts.push(end);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<(u64, Vec<String>)> {
        let samples = self.starts.len() - 1;
        let before = self.head_bytes(samples) as u32;
        let mut head = (samples as u32).to_le_bytes().to_vec();
        head.extend(self.starts.iter().flat_map(|start| (start + before).to_le_bytes()));
        head.extend(&self.config);
        let bytes = self.samples.finish(&head, &self.path)?;
        Ok((bytes, vec![self.name]))
    }
}
