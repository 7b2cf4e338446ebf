//! `trimtab store`: check and copy what an installation keeps.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use store::Existing;

use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::installation::{self, Installation};
use crate::printed::print;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read all of a store, and add its log up again
    Check(Check),
    /// Copy a store, also while `trimtab up` writes to it
    Backup(Backup),
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    installation: Installation,
    /// The file; the installation's, if absent
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Backup {
    #[command(flatten)]
    installation: Installation,
    /// The copy to make
    to: PathBuf,
    /// Replace the copy if it is there
    #[arg(long)]
    replace: bool,
}

const EXAMPLES: &str = "\
Examples:
  trimtab store check
  trimtab store check copy.sqlite
  trimtab store backup copy.sqlite";

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    match &arguments.what {
        What::Check(check) => {
            let file = match &check.file {
                Some(file) => file.clone(),
                None => installation::store(&check.installation.folder()?),
            };
            let report = store::check(file).map_err(|error| Failure::outside(error.to_string()))?;
            print(&format!("{report}\n"))?;
            if report.is_sound() { Ok(()) } else { Err(Failure::outside("the store is damaged: go back to a backup")) }
        }
        What::Backup(backup) => {
            let from = installation::store(&backup.installation.folder()?);
            let existing = if backup.replace { Existing::Replace } else { Existing::Keep };
            store::backup(from, &backup.to, existing).map_err(|error| Failure::outside(error.to_string()))?;
            if !global.quiet {
                eprintln!("copied to {}", backup.to.display());
            }
            Ok(())
        }
    }
}
