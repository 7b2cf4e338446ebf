//! `trimtab history`: looks at histories and changes them.

mod anonymise;
mod example;
mod export;
mod inspect;

use clap::{Args, Subcommand};

use crate::failure::Outcome;
use crate::global::Global;

/// Look at histories and change them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab history inspect jobs.zst
  trimtab history anonymise jobs.zst -o shared.zst
  trimtab history export -o recorded.zst
  trimtab history example -o lab.zst")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say what a history holds, what it covers and what it lacks
    Inspect(inspect::Arguments),
    /// Make a history that can be shared: names become pseudonyms
    Anonymise(anonymise::Arguments),
    /// Write what `trimtab up` has recorded as a history
    Export(export::Arguments),
    /// Write the synthetic example: a month of a laboratory with 64 accelerators
    Example(example::Arguments),
}

pub(crate) fn run(arguments: Arguments, global: Global) -> Outcome {
    match arguments.what {
        What::Inspect(arguments) => inspect::run(&arguments, global),
        What::Anonymise(arguments) => anonymise::run(&arguments, global),
        What::Export(arguments) => export::run(&arguments, global),
        What::Example(arguments) => example::run(&arguments, global),
    }
}
