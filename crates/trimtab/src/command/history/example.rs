//! `trimtab history example`.

use std::path::PathBuf;

use clap::Args;
use fleet::history::End;

use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::history_file::HistoryFile;
use crate::lab;

/// Write the synthetic example: a month of a laboratory with 64 accelerators
///
/// People, their work and all prices are made up and drawn from a seed; starts are those of a replay under plain backfill.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab history example -o lab.zst
  trimtab history example --seed 7 -o - | head")]
pub(crate) struct Arguments {
    /// The history to write; compressed if its name ends in .zst, `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Another month of the same laboratory
    #[arg(long, default_value_t = lab::SEED)]
    seed: u64,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let mut history = HistoryFile::create(&arguments.output)?;
    let mut workloads = 0;
    for record in lab::records(arguments.seed) {
        workloads += u64::from(matches!(record, fleet::history::Record::Workload(_)));
        history.take(record).map_err(|error| Failure::writing(arguments.output.display(), &error))?;
    }
    history.finish(End::default())?;
    if !global.quiet {
        eprintln!("{}: {workloads} workloads of a made-up month", arguments.output.display());
    }
    Ok(())
}
