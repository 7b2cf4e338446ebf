//! WebDataset: samples in tar files. Members that follow each other and share a name up to its first dot are one sample; what is
//! behind the dot names the field.
//!
//! Only headers are read to know where samples lie; then each can be read alone. The header is that of POSIX.1-2017 (pax, "ustar
//! Interchange Format"), with GNU's long names and large sizes.

use std::borrow::Cow;
use std::fmt;

use super::{Encoding, Extent, FieldInfo, ReadError, Shard, ShardKind};
use crate::source::remote::Want;
use crate::source::{File, ReadAt, SourceError};

/// Everything in a tar file starts at a multiple of this.
const BLOCK: u64 = 512;
/// Read together: a small member and the next header come with the one before it.
const READ_BYTES: usize = 4096;
/// The longest name that is read; longer ones are an error.
const NAME_BYTES_MAX: u64 = 64 << 10;

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
        let mut headers = Headers { file, at: 0, window: Vec::new(), window_start: 0, long_name: None };
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
}

impl TarShard {
    /// Reads the headers of a file.
    ///
    /// # Errors
    ///
    /// As [`TarIndex::read`] has them.
    pub fn read(file: File) -> Result<TarShard, TarError> {
        let index = TarIndex::read(&*file.in_order())?;
        Ok(TarShard { file, index })
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
        self.file.want(extents.reduce(Extent::and)?)
    }

    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        let Some(extent) = self.index.extent(sample, names) else { return Ok(None) };
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

/// A regular file in the archive.
struct Member {
    name: String,
    offset: u64,
    bytes: u64,
}

/// Goes from header to header.
struct Headers<'a> {
    file: &'a dyn ReadAt,
    /// Where the next header is.
    at: u64,
    /// Bytes that were read, and where from.
    window: Vec<u8>,
    window_start: u64,
    /// The name that an extra header gave to the next member.
    long_name: Option<String>,
}

impl Headers<'_> {
    fn next(&mut self) -> Result<Option<Member>, TarError> {
        loop {
            let left = self.file.size().saturating_sub(self.at);
            if left == 0 {
                return Ok(None);
            }
            if left < BLOCK {
                return Err(self.error(TarProblem::Truncated));
            }
            let header = self.block()?;
            if header.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            if !sum_is_right(&header) {
                return Err(self.error(TarProblem::NoHeader));
            }
            let bytes = number(&header[124..136]).ok_or_else(|| self.error(TarProblem::NoSize))?;
            let offset = self.at + BLOCK;
            if bytes > self.file.size() - offset {
                return Err(self.error(TarProblem::Truncated));
            }
            let kind = header[156];
            match kind {
                b'L' => self.long_name = Some(text(&self.extra(offset, bytes)?)),
                b'x' => self.long_name = pax_path(&self.extra(offset, bytes)?).or(self.long_name.take()),
                _ => {}
            }
            self.at = offset + bytes.next_multiple_of(BLOCK);
            match kind {
                b'0' | 0 | b'7' => {
                    let name = self.long_name.take().unwrap_or_else(|| plain_name(&header));
                    return Ok(Some(Member { name, offset, bytes }));
                }
                b'L' | b'K' | b'x' | b'g' => {}
                // Folders, links, devices: no data.
                _ => self.long_name = None,
            }
        }
    }

    /// The header at `at`.
    fn block(&mut self) -> Result<[u8; BLOCK as usize], TarError> {
        let start = self.at.checked_sub(self.window_start).map(|start| start as usize);
        let start = match start {
            Some(start) if start + BLOCK as usize <= self.window.len() => start,
            _ => {
                let bytes = (self.file.size() - self.at).min(READ_BYTES as u64);
                self.window.resize(bytes as usize, 0);
                self.file.read_at(self.at, &mut self.window).map_err(TarError::Source)?;
                self.window_start = self.at;
                0
            }
        };
        Ok(self.window[start..][..BLOCK as usize].try_into().expect("the slice has a block's length"))
    }

    /// What an extra header carries.
    fn extra(&self, offset: u64, bytes: u64) -> Result<Vec<u8>, TarError> {
        if bytes > NAME_BYTES_MAX {
            return Err(self.error(TarProblem::LongName));
        }
        let mut extra = vec![0; bytes as usize];
        self.file.read_at(offset, &mut extra).map_err(TarError::Source)?;
        Ok(extra)
    }

    fn error(&self, problem: TarProblem) -> TarError {
        TarError::Format { file: self.file.name().to_owned(), offset: self.at, problem }
    }
}

fn plain_name(header: &[u8; BLOCK as usize]) -> String {
    let name = text(&header[..100]);
    let prefix = text(&header[345..500]);
    let is_ustar = header[257..262] == *b"ustar" && header[262] == 0;
    if is_ustar && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// Bytes up to the first zero; what is no UTF-8 is replaced.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// The record `path` of an extended header: each record is `length key=value\n`.
fn pax_path(mut records: &[u8]) -> Option<String> {
    loop {
        let space = records.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
        let record = records.get(space + 1..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(text(path.strip_suffix(b"\n").unwrap_or(path)));
        }
        records = records.get(length..)?;
    }
}

/// A number in octal digits, or in base 256 where the first bit is set (GNU).
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        let is_small =
            high.split_first().is_some_and(|(mark, high)| *mark == 0x80 && high.iter().all(|byte| *byte == 0));
        return is_small.then(|| u64::from_be_bytes(low.try_into().expect("eight bytes were split off")));
    }
    let digits = std::str::from_utf8(field).ok()?.trim_matches(|digit| digit == ' ' || digit == '\0');
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// Whether the header's checksum is the sum of its bytes, the checksum itself taken as spaces.
fn sum_is_right(header: &[u8; BLOCK as usize]) -> bool {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let spaces = 8 * u64::from(b' ');
    number(&header[148..156]) == Some(sum(&header[..148]) + spaces + sum(&header[156..]))
}

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
