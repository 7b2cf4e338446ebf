//! How samples lie in files: where each begins, and what it is made of.

pub mod folder;
pub mod index;
pub mod lines;
pub mod litdata;
pub mod mds;
pub mod megatron;
pub mod records;
pub mod table;
pub mod tar;

use std::borrow::Cow;

use serde::Serialize;

use crate::source::SourceError;
use crate::source::remote::{Part, Want};

/// Samples in one file, or in the files of one folder.
pub trait Shard: Send + Sync {
    /// What it is called: the path of its file or folder.
    fn name(&self) -> &str;

    /// How its samples are stored.
    fn kind(&self) -> ShardKind;

    /// Its bytes.
    fn size(&self) -> u64;

    /// How many samples it has.
    fn samples(&self) -> u64;

    /// What a sample is called in it.
    fn sample_name(&self, sample: u64) -> String;

    /// What the data themselves call a sample, without what names its fields; none where samples have no names, or it cannot be read.
    fn key(&self, _sample: u64) -> Option<String> {
        None
    }

    /// The fields of a sample, in the order in which they are stored. Their bytes are read only where nothing else tells how many
    /// there are.
    ///
    /// # Errors
    ///
    /// Where that cannot be read.
    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError>;

    /// Bytes of the first field of a sample that has one of some names, at most; none where it has none of them.
    ///
    /// # Errors
    ///
    /// Where that cannot be read.
    fn bytes(&self, sample: u64, names: &[String]) -> Result<u64, ReadError>;

    /// Bytes that are needed to read a sample, beside those of its field, at most.
    fn work_bytes(&self, _sample: u64) -> u64 {
        0
    }

    /// Bytes of memory that tell where samples lie.
    fn index_bytes(&self) -> usize;

    /// What is to be fetched so that the first fields of some lists of names can be read; none where nothing is, since it is on this
    /// machine, or not known before it is read.
    fn want(&self, sample: u64, fields: &[&[String]]) -> Option<Want>;

    /// What is to be said where no sample can have a field of any of some names, since all have the same; none where they can.
    fn lacks(&self, _names: &[String]) -> Option<String> {
        None
    }

    /// The first field of a sample that has one of some names, where its bytes lie in memory already and mean what they are; none where
    /// they are to be read.
    ///
    /// # Errors
    ///
    /// Where they are not what they should be.
    fn part(&self, _sample: u64, _names: &[String]) -> Result<Option<Part>, ReadError> {
        Ok(None)
    }

    /// Reads the first field of a sample that has one of some names, in place of what is in `bytes`; none where it has none of them.
    /// Where samples are one thing without a name, any name is theirs, and none.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError>;
}

/// How samples are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardKind {
    /// Members of a tar file.
    #[serde(rename = "webdataset")]
    WebDataset,
    /// Shards of MosaicML's streaming library.
    Mds,
    /// Chunks of Lightning's library LitData.
    #[serde(rename = "litdata")]
    LitData,
    /// Objects, one a line.
    JsonLines,
    /// Lines.
    Text,
    /// Files in folders of a folder.
    Folder,
    /// Numbers without anything between.
    Tokens,
    /// Rows of a table.
    Table,
}

impl std::fmt::Display for ShardKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            ShardKind::WebDataset => "WebDataset",
            ShardKind::Mds => "MDS",
            ShardKind::LitData => "LitData",
            ShardKind::JsonLines => "JSON lines",
            ShardKind::Text => "text",
            ShardKind::Folder => "folder of images",
            ShardKind::Tokens => "tokens",
            ShardKind::Table => "table",
        })
    }
}

/// A field of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo<'a> {
    /// Its name; empty where the sample is one thing without a name.
    pub name: Cow<'a, str>,
    /// As many bytes as [`Shard::read`] gives.
    pub bytes: u64,
    /// What they mean.
    pub encoding: Encoding,
}

/// What the bytes of a field mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// What they are: a file, or text; numbers are digits.
    Plain,
    /// A whole number, least byte first, of 1, 2, 4 or 8 bytes.
    Integer {
        /// Whether its highest bit is a sign.
        is_signed: bool,
    },
}

/// Why a field cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// Its bytes could not be had.
    Source(SourceError),
    /// They are not what they should be.
    Corrupt {
        /// What is wrong.
        what: &'static str,
    },
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReadError::Source(error) => error.fmt(f),
            ReadError::Corrupt { what } => f.write_str(what),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<SourceError> for ReadError {
    fn from(error: SourceError) -> ReadError {
        ReadError::Source(error)
    }
}

/// Bytes of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The first.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

impl Extent {
    /// From the first byte of either to the last of either.
    pub fn and(self, other: Extent) -> Extent {
        let offset = self.offset.min(other.offset);
        let end = (self.offset + self.bytes).max(other.offset + other.bytes);
        Extent { offset, bytes: end - offset }
    }
}
