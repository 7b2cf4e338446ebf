//! `trimtab feed`: looks into training data, and packs them for training.

mod data;
mod inspect;
mod pack;

use clap::{Args, Subcommand};

use crate::failure::Outcome;
use crate::global::Global;

/// Look into training data, and pack them for training
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab feed inspect 'train-{0000..0127}.tar'
  trimtab feed inspect images/ --check
  trimtab feed pack images/ --to packed --as webdataset --shuffle 7")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say what training data hold, how even their shards are and, with --check, what is wrong with them
    Inspect(inspect::Arguments),
    /// Write training data as shards of WebDataset or MDS
    Pack(pack::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    match &arguments.what {
        What::Inspect(arguments) => inspect::run(arguments, global),
        What::Pack(arguments) => pack::run(arguments, global),
    }
}
