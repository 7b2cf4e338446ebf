//! Writes the samples of a dataset as shards of another format.
//!
//! Before anything is written, every sample is looked at: what cannot be packed is an error then, not after hours. What is written
//! lies in a folder of its own within the destination, under a hidden name, until all of it is there; then it is moved. So a
//! run that fails or is killed leaves nothing that looks like a dataset. The same data give the same bytes.
//!
//! In memory are one sample, buffers, and four bytes for each sample of the shard that is being written. Start at [`pack`].

mod body;
mod destination;
mod error;
mod mds;
mod sample;
mod schema;
mod tar;

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dataset::Dataset;
use crate::order::{Order, Shuffle};
use crate::progress::{Progress, Stage};

pub use destination::Existing;
pub use error::PackError;
pub use schema::ColumnEncoding;

use destination::Destination;
use sample::{Sample, Samples};
use schema::Schema;

/// What to write, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The folder.
    pub to: PathBuf,
    /// The format.
    pub layout: Layout,
    /// When a shard is full.
    pub limit: ShardLimit,
    /// The order.
    pub shuffle: Shuffle,
    /// Names the order, where it is one of many.
    pub seed: u64,
    /// The fields; all where none is named.
    pub fields: Vec<String>,
    /// What becomes of a dataset that is there already.
    pub existing: Existing,
}

/// A format that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Tar files, each with an index as DALI reads it.
    WebDataset,
    /// The shards of MosaicML's streaming library.
    Mds,
}

impl Layout {
    /// The most bytes that a shard can have.
    fn bytes_max(self) -> u64 {
        match self {
            Layout::WebDataset => u64::MAX,
            Layout::Mds => mds::BYTES_MAX,
        }
    }
}

/// When a shard is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardLimit {
    /// When another sample would make its file larger than this. A sample that is larger has a shard for itself.
    Bytes(u64),
    /// When it has so many samples.
    Samples(u64),
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Packed {
    /// The folder.
    pub to: PathBuf,
    /// The format.
    #[serde(rename = "format")]
    pub layout: Layout,
    /// Samples.
    pub samples: u64,
    /// Bytes of all shards.
    pub bytes: u64,
    /// The fields.
    pub fields: Vec<PackedField>,
    /// The shards, in order.
    pub shards: Vec<PackedShard>,
    /// Folders in the destination that other runs have left unfinished, or still write.
    pub unfinished: Vec<PathBuf>,
}

/// A field that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackedField {
    /// Its name.
    pub name: String,
    /// How it is stored, where the format tells.
    pub encoding: Option<ColumnEncoding>,
}

/// A shard that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackedShard {
    /// The name of its file.
    pub name: String,
    /// Its samples.
    pub samples: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// A shard that is being written.
trait OpenShard {
    /// The bytes of its file once this sample is in it and no other comes.
    fn bytes_with(&self, sample: &Sample) -> u64;

    /// Adds a sample.
    fn add(&mut self, sample: &Sample) -> io::Result<()>;

    /// Ends the file, and puts it on the disk; its bytes, and all files that were made.
    fn finish(self: Box<Self>) -> io::Result<(u64, Vec<String>)>;
}

/// Writes all samples of `dataset` as `plan` says.
///
/// # Errors
///
/// Where the destination may not be written, a sample cannot be read or has no place in the format, the disk fails, or `progress` is
/// told to stop. Nothing is left in the destination then.
pub fn pack(dataset: &Dataset, plan: &Plan, progress: &Progress) -> Result<Packed, PackError> {
    let before = destination::look(&plan.to, plan.existing, dataset)?;
    let samples = Samples::new(dataset, plan);
    let schema = Schema::take(&samples, progress)?;
    let destination = Destination::begin(&plan.to, before)?;
    progress.begin(Stage::Writing, dataset.samples());
    let (shards, files) = write(&samples, &schema, plan, &destination, progress)?;
    let unfinished = destination.finish(&files)?;
    Ok(Packed {
        to: plan.to.clone(),
        layout: plan.layout,
        samples: dataset.samples(),
        bytes: shards.iter().map(|shard| shard.bytes).sum(),
        fields: schema.fields(plan.layout),
        shards,
        unfinished,
    })
}

/// Writes all shards; what they are, and all files in the order in which they are to appear.
fn write(
    samples: &Samples<'_>,
    schema: &Schema,
    plan: &Plan,
    destination: &Destination,
    progress: &Progress,
) -> Result<(Vec<PackedShard>, Vec<String>), PackError> {
    let order = Order { samples: samples.count(), shuffle: plan.shuffle, seed: plan.seed }.epoch(0);
    let (mut shards, mut files) = (Vec::new(), Vec::new());
    let mut open: Option<(Box<dyn OpenShard>, PackedShard)> = None;
    for position in 0..samples.count() {
        if progress.is_stopped() {
            return Err(PackError::Stopped);
        }
        let sample = samples.read(order.sample(position))?;
        let is_full = open.as_ref().is_some_and(|(shard, told)| match plan.limit {
            ShardLimit::Samples(limit) => told.samples >= limit,
            ShardLimit::Bytes(limit) => shard.bytes_with(&sample) > limit.min(plan.layout.bytes_max()),
        });
        if is_full && let Some(full) = open.take() {
            close(full, plan, &mut shards, &mut files)?;
        }
        let (shard, told) = match &mut open {
            Some(open) => open,
            None => open.insert(begin(shards.len(), schema, plan, destination)?),
        };
        if shard.bytes_with(&sample) > plan.layout.bytes_max() {
            return Err(PackError::TooLarge { shard: told.name.clone(), sample: samples.name(order.sample(position)) });
        }
        shard.add(&sample).map_err(|error| PackError::writing(&plan.to.join(&told.name), error))?;
        told.samples += 1;
        progress.add(1, sample.bytes());
    }
    if let Some(last) = open {
        close(last, plan, &mut shards, &mut files)?;
    }
    if plan.layout == Layout::Mds {
        let written = mds::write_index(destination.folder(), schema, plan.limit, &shards);
        written.map_err(|error| PackError::writing(&plan.to.join(mds::INDEX), error))?;
        files.push(mds::INDEX.to_owned());
    }
    Ok((shards, files))
}

fn begin(
    number: usize,
    schema: &Schema,
    plan: &Plan,
    destination: &Destination,
) -> Result<(Box<dyn OpenShard>, PackedShard), PackError> {
    let folder: &Path = destination.folder();
    let (name, shard) = match plan.layout {
        Layout::WebDataset => {
            let name = tar::shard_name(number);
            let shard = tar::TarFile::create(folder, &name).map(|shard| Box::new(shard) as Box<dyn OpenShard>);
            (name, shard)
        }
        Layout::Mds => {
            let name = mds::shard_name(number);
            let shard = mds::MdsFile::create(folder, &name, schema, plan.limit);
            (name, shard.map(|shard| Box::new(shard) as Box<dyn OpenShard>))
        }
    };
    let shard = shard.map_err(|error| PackError::writing(&plan.to.join(&name), error))?;
    Ok((shard, PackedShard { name, samples: 0, bytes: 0 }))
}

fn close(
    (shard, told): (Box<dyn OpenShard>, PackedShard),
    plan: &Plan,
    shards: &mut Vec<PackedShard>,
    files: &mut Vec<String>,
) -> Result<(), PackError> {
    let (bytes, made) = shard.finish().map_err(|error| PackError::writing(&plan.to.join(&told.name), error))?;
    files.extend(made);
    shards.push(PackedShard { bytes, ..told });
    Ok(())
}
