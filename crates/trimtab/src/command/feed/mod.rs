//! `trimtab feed`: looks into training data and packs them, and looks at loaders that run.

mod amounts;
mod data;
mod explain;
mod inspect;
mod loaders;
mod metrics;
mod pack;
mod watch;

use clap::{Args, Subcommand};

use crate::failure::Outcome;
use crate::global::Global;

/// Look into training data, pack them for training, and see what holds their loaders back
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab feed inspect 'train-{0000..0127}.tar'
  trimtab feed inspect images/ --check
  trimtab feed pack images/ --to packed --as webdataset --shuffle 7
  trimtab feed watch
  trimtab feed explain --accelerators 8 --price-per-hour 2.50")]
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
    /// Watch a running loader: a live view, drawn anew each second
    Watch(watch::Arguments),
    /// Say what holds a loader back, what to change, and what the waiting costs
    Explain(explain::Arguments),
    /// Print the metrics of running loaders, or answer Prometheus with them
    Metrics(metrics::Arguments),
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    match &arguments.what {
        What::Inspect(arguments) => inspect::run(arguments, global),
        What::Pack(arguments) => pack::run(arguments, global),
        What::Watch(arguments) => watch::run(arguments, global),
        What::Explain(arguments) => explain::run(arguments),
        What::Metrics(arguments) => metrics::run(arguments, global),
    }
}
