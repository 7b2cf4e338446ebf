//! `trimtab feed pack`.

use std::path::PathBuf;
use std::sync::Arc;

use ::feed::dataset::Dataset;
use ::feed::order::Shuffle;
use ::feed::pack::{Existing, Layout, PackError, Packed, Plan, ShardLimit, pack};
use ::feed::progress::{Progress, Stage};
use clap::{Args, ValueEnum};
use fleet::quantity::Bytes;

use super::data::{self, Reading, count};
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::interrupt;
use crate::length;
use crate::printed::print;
use crate::shown;

/// Write training data as shards of WebDataset or MDS
///
/// Every sample is looked at before anything is written, and shards appear when all of them are there: what fails or is stopped leaves
/// nothing. The same data give the same bytes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab feed pack images/ --to packed --as webdataset --shuffle 7
  trimtab feed pack 'train-*.jsonl' --to packed --as mds --fields text,id
  trimtab feed pack corpus.bin --tokens 2048 --to packed --as mds --shard-bytes 256MiB
  trimtab feed pack 'old/{000..127}.tar' --to new --as webdataset --shard-samples 5000 --format json

WebDataset: shard-000000.tar and so on; beside each, shard-000000.idx is the index that DALI reads (wds2idx, v1.2).
MDS: index.json and shard.00000.mds and so on, not compressed; columns are int, str, jpeg, png or bytes, as all their values fit.
docs/FEED.md tells more.")]
pub(super) struct Arguments {
    /// Files, folders, or names with `*`, `?` and `{000..127}`, of any format that is read (docs/FEED.md)
    #[arg(required = true, value_name = "FROM")]
    from: Vec<String>,
    /// The folder to write: one that is not there, or empty
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The format to write
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    layout: Written,
    /// A shard is full before it is larger than this
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = length::size)]
    shard_bytes: Bytes,
    /// A shard is full when it has so many samples, whatever its bytes
    #[arg(long, value_name = "N", conflicts_with = "shard_bytes", value_parser = clap::value_parser!(u64).range(1..))]
    shard_samples: Option<u64>,
    /// Put the samples in an order that this number names
    #[arg(long, value_name = "SEED")]
    shuffle: Option<u64>,
    /// Only these fields
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    fields: Vec<String>,
    /// Replace the dataset that lies in the folder, where nothing but packed shards does
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    reading: Reading,
    /// How to tell what was written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Written {
    /// Tar files
    Webdataset,
    /// The shards of MosaicML's streaming library
    Mds,
}

pub(super) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let files = data::find(&arguments.from)?;
    let progress = Arc::new(Progress::default());
    let line = data::line(&progress, global);
    progress.begin(Stage::Opening, files.len() as u64);
    let dataset = Dataset::open(&files, arguments.reading.format()).map_err(|error| data::unusable(&error))?;
    // Until here nothing was written, and an interrupt ends the program at once.
    let stopped = Arc::clone(&progress);
    interrupt::at_first(move || stopped.stop());
    let packed = pack(&dataset, &arguments.plan(), &progress);
    drop(line);
    let packed = packed.map_err(|error| arguments.failed(error))?;
    if !global.quiet {
        tell(&packed);
    }
    match arguments.format {
        Format::Text => Ok(()),
        Format::Json => {
            let text = serde_json::to_string_pretty(&packed).expect("what was packed has nothing that JSON lacks");
            print(&format!("{text}\n"))
        }
    }
}

impl Arguments {
    fn plan(&self) -> Plan {
        Plan {
            to: self.to.clone(),
            layout: match self.layout {
                Written::Webdataset => Layout::WebDataset,
                Written::Mds => Layout::Mds,
            },
            limit: self.shard_samples.map_or(ShardLimit::Bytes(self.shard_bytes.0), ShardLimit::Samples),
            shuffle: if self.shuffle.is_some() { Shuffle::Global } else { Shuffle::None },
            seed: self.shuffle.unwrap_or(0),
            fields: self.fields.clone(),
            existing: if self.replace { Existing::Replace } else { Existing::Keep },
        }
    }

    fn failed(&self, error: PackError) -> Failure {
        match error {
            PackError::Write { path, error } => Failure::writing(path.display(), &error),
            PackError::Stopped => Failure::interrupted(format!("nothing was written to {}", self.to.display())),
            PackError::Fields { .. } => Failure::input(format!("{error}: choose the fields to pack with --fields")),
            PackError::Occupied { .. } => Failure::input(format!(
                "{error}; name another folder, or replace what was packed before with --replace"
            )),
            PackError::Destination { .. } | PackError::Sample { .. } | PackError::TooLarge { .. } => {
                Failure::input(error.to_string())
            }
        }
    }
}

/// Says what was written, on standard error: it is no data.
fn tell(packed: &Packed) {
    let fields = packed.fields.iter().map(|field| match field.encoding {
        Some(encoding) => format!("{} as {}", field.name, encoding.name()),
        None => field.name.clone(),
    });
    eprintln!(
        "{}: {} samples in {}, {} ({})",
        packed.to.display(),
        count(packed.samples),
        shown::count(packed.shards.len(), "shard"),
        Bytes(packed.bytes),
        fields.collect::<Vec<_>>().join(", "),
    );
    for folder in &packed.unfinished {
        let folder = folder.display();
        eprintln!("note: {folder} is of a run that was killed, or that still writes; remove it if none does");
    }
}
