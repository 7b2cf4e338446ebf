//! MDS, the shards of MosaicML's streaming library: `index.json` tells the columns and the shards; a shard tells where its samples
//! begin (a count, then offsets, each of 32 bits), and a sample the sizes of those columns that have no fixed one.

use std::borrow::Cow;
use std::iter;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::index::{IndexError, lies_beside};
use super::{Encoding, Extent, FieldInfo, ReadError, Shard, ShardKind};
use crate::dataset::together;
use crate::source::remote::Want;
use crate::source::{File, INDEX_BYTES_MAX, Location, ReadAt, SourceError};
use crate::unpack::{Compression, Unpacker};

/// One shard. Where a sample begins is read with the sample; of an object in a store, it is kept: four bytes a sample.
pub struct MdsShard {
    file: File,
    offsets: Vec<u32>,
    samples: u64,
    columns: Vec<Column>,
}

#[derive(Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) encoding: Encoding,
    /// Its bytes, where all samples have as many.
    pub(crate) size: Option<u32>,
}

/// As much of `index.json` as is of use.
#[derive(Deserialize)]
struct IndexFile {
    shards: Vec<ShardEntry>,
}

#[derive(Deserialize)]
struct ShardEntry {
    format: String,
    samples: u64,
    column_names: Vec<String>,
    column_encodings: Vec<String>,
    column_sizes: Vec<Option<u32>>,
    compression: Option<String>,
    raw_data: FileEntry,
    /// The compressed file, where there is one.
    #[serde(default)]
    zip_data: Option<FileEntry>,
}

#[derive(Deserialize)]
struct FileEntry {
    basename: String,
    bytes: u64,
}

/// The shards that an index names.
///
/// # Errors
///
/// Where the index or a shard cannot be read, or they contradict each other.
pub fn open(index: &Location, unpacker: &Unpacker) -> Result<Vec<MdsShard>, IndexError> {
    let file = index.name();
    let text = index.read(INDEX_BYTES_MAX).map_err(IndexError::Source)?;
    let wrong = |problem: String| IndexError::Index { file: file.clone(), problem };
    // Shards that are written anew come with another index.
    let version: String = Sha256::digest(&text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let entries: IndexFile = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let open = |entry: &ShardEntry| open_shard((index, &version), entry, unpacker, &wrong);
    together(&entries.shards, open).into_iter().collect()
}

fn open_shard(
    (index, version): (&Location, &str),
    entry: &ShardEntry,
    unpacker: &Unpacker,
    wrong: &impl Fn(String) -> IndexError,
) -> Result<MdsShard, IndexError> {
    let name = &entry.raw_data.basename;
    if entry.format != "mds" {
        return Err(wrong(format!("{name} is of the format {:?}; mds is read", entry.format)));
    }
    for entry in iter::once(&entry.raw_data).chain(&entry.zip_data) {
        lies_beside(&entry.basename).map_err(wrong)?;
    }
    let columns = entry.column_names.len();
    if entry.column_encodings.len() != columns || entry.column_sizes.len() != columns {
        return Err(wrong(format!("{name} has {columns} names of columns, and not as many encodings and sizes")));
    }
    let file = open_file((index, version), entry, unpacker, wrong)?;
    if file.size() != entry.raw_data.bytes {
        let (bytes, told) = (file.size(), entry.raw_data.bytes);
        return Err(wrong(format!(
            "{name} has {bytes} bytes, and the index says {told}: is it the index of other files?"
        )));
    }
    read_shard(file, entry, wrong)
}

/// The file of a shard, unpacked where only what is compressed is there.
fn open_file(
    (index, version): (&Location, &str),
    entry: &ShardEntry,
    unpacker: &Unpacker,
    wrong: &impl Fn(String) -> IndexError,
) -> Result<File, IndexError> {
    let raw = index.beside(&entry.raw_data.basename).of_size(entry.raw_data.bytes, version);
    let Some(compression) = &entry.compression else { return raw.open().map_err(IndexError::Source) };
    // The library itself leaves such files where it unpacked them.
    if let Location::Path(path) = &raw
        && path.exists()
    {
        return raw.open().map_err(IndexError::Source);
    }
    let name = &entry.raw_data.basename;
    // A level may stand behind the name.
    let packing = match compression.split(':').next() {
        Some("gz") => Compression::Gzip,
        Some("zstd") => Compression::Zstandard,
        _ => return Err(wrong(format!("{name} is compressed by {compression}; zstd and gz are read"))),
    };
    let zip =
        entry.zip_data.as_ref().ok_or_else(|| wrong(format!("{name} is compressed, and no zip_data are named")))?;
    let packed = index.beside(&zip.basename).of_size(zip.bytes, version);
    unpacker.stream(&packed, packing).map_err(IndexError::Unpack)
}

/// Looks whether a file is the shard that the index tells of.
fn read_shard(file: File, entry: &ShardEntry, wrong: &impl Fn(String) -> IndexError) -> Result<MdsShard, IndexError> {
    let name = &entry.raw_data.basename;
    let (count, offsets) = read_head(&file, entry.samples).map_err(IndexError::Source)?;
    let told = entry.samples;
    if u64::from(count) != told {
        return Err(wrong(format!(
            "{name} has {count} samples, and the index says {told}: is it the index of other files?"
        )));
    }
    let columns = entry.column_names.iter().zip(&entry.column_encodings).zip(&entry.column_sizes);
    let columns = columns.map(|((name, encoding), size)| Column {
        name: name.clone(),
        encoding: encoding_of(encoding),
        size: *size,
    });
    Ok(MdsShard { file, offsets, samples: entry.samples, columns: columns.collect() })
}

/// How many samples a shard says it has; and of an object in a store, where each begins, since that costs no further request.
pub(super) fn read_head(file: &File, samples: u64) -> Result<(u32, Vec<u32>), SourceError> {
    let head = match file {
        File::Local(_) => 4,
        File::Remote(_) => samples.saturating_mul(4).saturating_add(8).min(file.size()) as usize,
    };
    let mut head = vec![0; head];
    file.read_at(0, &mut head)?;
    let mut words = head.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
    let count = words.next().unwrap_or_default();
    Ok((count, words.collect()))
}

/// What an encoding's name says about bytes. Other encodings are handed on as they are.
fn encoding_of(name: &str) -> Encoding {
    match name {
        "int" | "int8" | "int16" | "int32" | "int64" => Encoding::Integer { is_signed: true },
        "uint8" | "uint16" | "uint32" | "uint64" => Encoding::Integer { is_signed: false },
        _ => Encoding::Plain,
    }
}

impl MdsShard {
    /// A shard on this machine, of which everything is known.
    pub(crate) fn of_columns(file: File, samples: u64, columns: Vec<Column>) -> MdsShard {
        MdsShard { file, offsets: Vec::new(), samples, columns }
    }

    /// The same, where each sample begins being known already, or not.
    pub(super) fn of_offsets(self, offsets: Vec<u32>) -> MdsShard {
        MdsShard { offsets, ..self }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Where a sample begins and ends.
    fn ends(&self, sample: u64) -> Result<(u64, u64), ReadError> {
        let kept = self.offsets.get(sample as usize).zip(self.offsets.get(sample as usize + 1));
        let (begin, end) = match kept {
            Some((begin, end)) => (u64::from(*begin), u64::from(*end)),
            None => {
                let mut offsets = [[0; 4]; 2];
                self.file.read_at(4 + 4 * sample, offsets.as_flattened_mut())?;
                let [begin, end] = offsets.map(|offset| u64::from(u32::from_le_bytes(offset)));
                (begin, end)
            }
        };
        if begin > end || end > self.file.size() {
            return Err(ReadError::Corrupt { what: "the shard says that it ends before it begins, or past the file" });
        }
        Ok((begin, end))
    }

    /// Bytes of a sample, with the sizes of its columns.
    pub(super) fn sample_bytes(&self, sample: u64) -> Result<u64, ReadError> {
        let (begin, end) = self.ends(sample)?;
        Ok(end - begin)
    }

    /// Where each column of a sample lies: the sizes of those without a fixed one come first, then the columns.
    pub(super) fn extents(&self, sample: u64) -> Result<Vec<Extent>, ReadError> {
        let (begin, end) = self.ends(sample)?;
        let told = self.columns.iter().filter(|column| column.size.is_none()).count() as u64;
        let past = || ReadError::Corrupt { what: "the sizes of its columns reach past its end" };
        let mut offset = begin + 4 * told;
        if offset > end {
            return Err(past());
        }
        let mut sizes = vec![0; 4 * told as usize];
        self.file.read_at(begin, &mut sizes)?;
        let mut sizes = sizes.as_chunks::<4>().0.iter().map(|size| u32::from_le_bytes(*size));
        let mut extents = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let bytes = u64::from(column.size.or_else(|| sizes.next()).unwrap_or(0));
            extents.push(Extent { offset, bytes });
            offset += bytes;
            if offset > end {
                return Err(past());
            }
        }
        Ok(extents)
    }
}

impl Shard for MdsShard {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn kind(&self) -> ShardKind {
        ShardKind::Mds
    }

    fn size(&self) -> u64 {
        self.file.size()
    }

    fn samples(&self) -> u64 {
        self.samples
    }

    fn sample_name(&self, sample: u64) -> String {
        format!("sample {sample}")
    }

    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError> {
        let extents = self.extents(sample)?;
        let fields = self.columns.iter().zip(extents).map(|(column, extent)| FieldInfo {
            name: Cow::Borrowed(column.name.as_str()),
            bytes: extent.bytes,
            encoding: column.encoding,
        });
        Ok(fields.collect())
    }

    fn bytes(&self, sample: u64, names: &[String]) -> Result<u64, ReadError> {
        let Some(column) = self.columns.iter().find(|column| names.contains(&column.name)) else { return Ok(0) };
        if let Some(size) = column.size {
            return Ok(u64::from(size));
        }
        // Not more than all its columns together.
        self.sample_bytes(sample)
    }

    fn index_bytes(&self) -> usize {
        size_of_val(&self.offsets[..])
    }

    fn want(&self, sample: u64, _fields: &[&[String]]) -> Option<Want> {
        let File::Remote(_) = &self.file else { return None };
        // A sample's columns lie behind each other, and where each begins is told at its front.
        let (begin, end) = self.ends(sample).ok()?;
        self.file.want(Extent { offset: begin, bytes: end - begin })
    }

    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        let wanted = names.iter().find_map(|name| self.columns.iter().position(|column| column.name == *name));
        let Some(wanted) = wanted else { return Ok(None) };
        let extent = self.extents(sample)?[wanted];
        bytes.resize(extent.bytes as usize, 0);
        self.file.read_at(extent.offset, bytes)?;
        Ok(Some(self.columns[wanted].encoding))
    }
}
