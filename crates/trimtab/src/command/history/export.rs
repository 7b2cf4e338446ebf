//! `trimtab history export`.

use std::path::PathBuf;

use clap::Args;
use fleet::history::{End, Record};

use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::history_file::HistoryFile;
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
    let folder = arguments.installation.folder()?;
    let mut output = HistoryFile::create(&arguments.output)?;
    let (mut end, mut workloads) = (End::default(), 0_u64);
    installation::export(&folder, &mut |record| {
        match record {
            Record::End(found) => end = found,
            record => {
                workloads += u64::from(matches!(record, Record::Workload(_)));
                output.take(record).map_err(|error| Failure::writing(arguments.output.display(), &error))?;
            }
        }
        Ok(())
    })?;
    output.finish(end)?;
    if !global.quiet {
        eprintln!("{workloads} workloads written to {}", arguments.output.display());
    }
    Ok(())
}
