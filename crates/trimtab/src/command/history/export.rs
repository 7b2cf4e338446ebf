//! `trimtab history export`.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Outcome;
use crate::global::Global;
use crate::installation::{self, Installation};

/// Write what `trimtab up` has recorded as a history that optimize and replay read
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab history export -o recorded.zst
  trimtab history export --folder /srv/trimtab -o - | head")]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// The history to write; compressed if its name ends in .zst, `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let workloads = installation::export(&arguments.installation.folder()?, &arguments.output)?;
    if !global.quiet {
        eprintln!("{workloads} workloads written to {}", arguments.output.display());
    }
    Ok(())
}
