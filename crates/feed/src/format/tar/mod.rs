//! WebDataset: samples in tar files. Members that follow each other and share a name up to its first dot are one sample; what is
//! behind the dot names the field.
//!
//! Only headers are read to know where samples lie, or an index that lies beside the file; then each can be read alone.

mod beside;
mod error;
mod headers;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

pub use error::{TarError, TarProblem};
use headers::{Headers, number, pax_path, plain_name, sum_is_right, text};

use super::{Encoding, Extent, FieldInfo, ReadError, Shard, ShardKind};
use crate::source::remote::{Part, Want};
use crate::source::{File, Location, ReadAt, SourceError};

/// Everything in a tar file starts at a multiple of this.
const BLOCK: u64 = 512;
/// Read together: a small member and the next header come with the one before it.
const READ_BYTES: usize = 4096;
/// A field of a sample: which, and where its bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The place of its name among [`TarIndex::field_names`].
    pub name: u16,
    /// Its first byte in the file.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// Where the samples of one tar file lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TarIndex {
    /// The names of fields, such as `jpg` and `cls`, in the order in which they were met.
    pub field_names: Vec<String>,
    fields: Vec<Field>,
    /// For each sample, its first field; and the number of fields at the end.
    starts: Vec<u32>,
}

impl TarIndex {
    /// How many samples there are.
    pub fn samples(&self) -> u64 {
        self.starts.len().saturating_sub(1) as u64
    }

    /// The fields of a sample.
    pub fn sample(&self, index: u64) -> &[Field] {
        let index = index as usize;
        &self.fields[self.starts[index] as usize..self.starts[index + 1] as usize]
    }

    /// Where the first field of a sample lies that has one of some names.
    pub fn extent(&self, sample: u64, names: &[String]) -> Option<Extent> {
        let fields = self.sample(sample);
        names
            .iter()
            .filter_map(|name| self.field(name))
            .find_map(|name| fields.iter().find(|field| field.name == name))
            .map(|field| Extent { offset: field.offset, bytes: field.bytes })
    }

    /// The place of a field's name, where any sample has it.
    pub fn field(&self, name: &str) -> Option<u16> {
        self.field_names.iter().position(|known| known == name).map(|place| place as u16)
    }

    /// Reads the headers of `file`.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, ends within a member, or has a header that is none.
    pub fn read(file: &dyn ReadAt) -> Result<TarIndex, TarError> {
        let mut index = TarIndex::default();
        let mut headers = Headers::of(file);
        let mut sample = String::new();
        while let Some(member) = headers.next()? {
            let Some((key, field)) = split(&member.name) else { continue };
            if sample != key || index.starts.is_empty() {
                index.starts.push(index.fields.len() as u32);
                key.clone_into(&mut sample);
            }
            let name = index.name(field).ok_or_else(|| headers.error(TarProblem::TooManyFields))?;
            index.fields.push(Field { name, offset: member.offset, bytes: member.bytes });
        }
        if !index.starts.is_empty() {
            index.starts.push(index.fields.len() as u32);
        }
        Ok(index)
    }

    fn name(&mut self, field: &str) -> Option<u16> {
        if let Some(place) = self.field(field) {
            return Some(place);
        }
        self.field_names.push(field.to_owned());
        u16::try_from(self.field_names.len() - 1).ok()
    }
}

/// A WebDataset file and where its samples lie.
pub struct TarShard {
    file: File,
    index: TarIndex,
    /// Whether the index is that of the file: it was read from it, or a header was found where it says.
    is_its_own: AtomicBool,
}

impl TarShard {
    /// Opens a file: by the index that lies beside it, where there is one, or by its headers.
    ///
    /// # Errors
    ///
    /// As [`TarIndex::read`] has them; and where the index says what cannot be.
    pub fn open(at: &Location) -> Result<TarShard, TarError> {
        let stem = at.base().trim_end_matches(".tar");
        let beside = at.beside(&format!("{stem}.idx"));
        let told = beside.read_if_there(beside::BYTES_MAX).map_err(TarError::Source)?;
        let file = at.open().map_err(TarError::Source)?;
        if let Some(told) = told
            && let Some(index) = beside::parse(&told, file.size())
        {
            let index = index.map_err(|line| TarError::Beside { file: beside.name(), line })?;
            return Ok(TarShard { file, index, is_its_own: AtomicBool::new(false) });
        }
        TarShard::read(file)
    }

    /// Opens a file by its headers.
    ///
    /// # Errors
    ///
    /// As [`TarIndex::read`] has them.
    pub fn read(file: File) -> Result<TarShard, TarError> {
        let index = TarIndex::read(&*file.in_order())?;
        Ok(TarShard { file, index, is_its_own: AtomicBool::new(true) })
    }

    /// Whether a header lies where the index says, and says the same; looked at until one was found.
    fn check(&self, data: Extent) -> Result<(), ReadError> {
        if self.is_its_own.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut header = [0; BLOCK as usize];
        self.file.read_at(data.offset - BLOCK, &mut header)?;
        if !sum_is_right(&header) || number(&header[124..136]) != Some(data.bytes) {
            return Err(ReadError::Corrupt { what: "the index beside the file (.idx) is of another file: remove it" });
        }
        self.is_its_own.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Shard for TarShard {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn kind(&self) -> ShardKind {
        ShardKind::WebDataset
    }

    fn size(&self) -> u64 {
        self.file.size()
    }

    fn samples(&self) -> u64 {
        self.index.samples()
    }

    fn sample_name(&self, sample: u64) -> String {
        let offset = self.index.sample(sample)[0].offset;
        sample_name(&self.file, offset).unwrap_or_else(|_| format!("sample {sample}"))
    }

    fn key(&self, sample: u64) -> Option<String> {
        sample_name(&self.file, self.index.sample(sample)[0].offset).ok()
    }

    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError> {
        let info = |field: &Field| FieldInfo {
            name: Cow::Borrowed(self.index.field_names[usize::from(field.name)].as_str()),
            bytes: field.bytes,
            encoding: Encoding::Plain,
        };
        Ok(self.index.sample(sample).iter().map(info).collect())
    }

    fn bytes(&self, sample: u64, names: &[String]) -> Result<u64, ReadError> {
        Ok(self.index.extent(sample, names).map_or(0, |extent| extent.bytes))
    }

    fn index_bytes(&self) -> usize {
        size_of_val(&self.index.fields[..]) + size_of_val(&self.index.starts[..])
    }

    fn want(&self, sample: u64, fields: &[&[String]]) -> Option<Want> {
        let extents = fields.iter().filter_map(|names| self.index.extent(sample, names));
        // With the header in front, as long as that is looked at.
        let header = if self.is_its_own.load(Ordering::Relaxed) { 0 } else { BLOCK };
        let with_header = |Extent { offset, bytes }| Extent { offset: offset - header, bytes: bytes + header };
        self.file.want(extents.map(with_header).reduce(Extent::and)?)
    }

    fn part(&self, sample: u64, names: &[String]) -> Result<Option<Part>, ReadError> {
        let Some(extent) = self.index.extent(sample, names) else { return Ok(None) };
        let part = self.file.part(extent);
        if part.is_some() {
            self.check(extent)?;
        }
        Ok(part)
    }

    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        let Some(extent) = self.index.extent(sample, names) else { return Ok(None) };
        self.check(extent)?;
        bytes.resize(extent.bytes as usize, 0);
        self.file.read_at(extent.offset, bytes)?;
        Ok(Some(Encoding::Plain))
    }
}

/// The name of the sample in `file` that has a field at `offset`, which an index told.
///
/// # Errors
///
/// Where the file cannot be read.
pub fn sample_name(file: &dyn ReadAt, offset: u64) -> Result<String, SourceError> {
    let start = offset.saturating_sub(READ_BYTES as u64);
    let mut before = vec![0; (offset - start) as usize];
    file.read_at(start, &mut before)?;
    let (blocks, _) = before.as_chunks::<{ BLOCK as usize }>();
    let Some((header, extra)) = blocks.split_last() else { return Ok(String::new()) };
    let name = long_name_at_end(extra).unwrap_or_else(|| plain_name(header));
    Ok(split(&name).map_or(name.clone(), |(key, _)| key.to_owned()))
}

/// The long name in an extra header whose data are the last of these blocks.
fn long_name_at_end(blocks: &[[u8; BLOCK as usize]]) -> Option<String> {
    for (place, header) in blocks.iter().enumerate().rev().skip(1) {
        let data = blocks[place + 1..].as_flattened();
        let bytes = number(&header[124..136]).filter(|bytes| bytes.next_multiple_of(BLOCK) == data.len() as u64);
        let Some(bytes) = bytes.filter(|_| sum_is_right(header)) else { continue };
        match header[156] {
            b'L' => return Some(text(&data[..bytes as usize])),
            b'x' => return pax_path(&data[..bytes as usize]),
            _ => {}
        }
    }
    None
}

/// The name of a sample and of a field: before and after the first dot of the last part of a path. A name without a dot is of
/// no sample.
fn split(name: &str) -> Option<(&str, &str)> {
    let base = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = base + name[base..].find('.')?;
    // Hidden files, such as those that macOS adds (`._name`), are of no sample.
    (dot > base).then(|| (&name[..dot], &name[dot + 1..]))
}
