//! `trimtab history`: looks at histories and changes them.

mod example;

use clap::{Args, Subcommand};

use crate::cli::Global;
use crate::failure::Outcome;

/// Look at histories and change them
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write the synthetic example: a month of a laboratory with 64 accelerators
    Example(example::Arguments),
}

pub(crate) fn run(arguments: Arguments, global: Global) -> Outcome {
    match arguments.what {
        What::Example(arguments) => example::run(&arguments, global),
    }
}
