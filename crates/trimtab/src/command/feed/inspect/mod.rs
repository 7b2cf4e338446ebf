//! `trimtab feed inspect`.

mod words;

use std::sync::Arc;

use ::feed::inspect::{Depth, Ended, Inspection, inspect};
use ::feed::progress::Progress;
use clap::Args;

use super::data::{self, Reading, count};
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::interrupt;
use crate::printed::print;
use crate::wrap;

/// Say what training data hold, how even their shards are and, with --check, what is wrong with them
///
/// Names and sizes are looked at, which for tar files and MDS reads little. With --check everything is read: images are decoded, JSON
/// and text are parsed, samples that lack fields and names that come twice are found. Nothing is changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab feed inspect 'train-{0000..0127}.tar'
  trimtab feed inspect images/ --check
  trimtab feed inspect corpus.bin --tokens 2048 --token-type int32
  trimtab feed inspect packed/ --check --format json | jq '.problems.first[].file'

Where something is wrong, the exit code is 3. Ctrl-C shows what was found until then.")]
pub(super) struct Arguments {
    /// Files, folders, or names with `*`, `?` and `{000..127}`, of any format that is read (docs/FEED.md)
    #[arg(required = true, value_name = "DATA")]
    data: Vec<String>,
    /// Read everything, and tell what is wrong
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    reading: Reading,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let files = data::find(&arguments.data)?;
    let progress = Arc::new(Progress::default());
    let stopped = Arc::clone(&progress);
    interrupt::at_first(move || stopped.stop());
    let line = data::line(&progress, global);
    let depth = if arguments.check { Depth::Check } else { Depth::Survey };
    let found = inspect(&files, arguments.reading.format(), depth, &progress);
    drop(line);
    let found = found.map_err(|error| data::unusable(&error))?;
    print(&match arguments.format {
        Format::Text => words::report(&found, wrap::width()),
        Format::Json => {
            serde_json::to_string_pretty(&found).expect("what was found has nothing that JSON lacks") + "\n"
        }
    })?;
    verdict(&found)
}

/// The exit code and the last word.
fn verdict(found: &Inspection) -> Outcome {
    let problems = match found.problems.count {
        0 => String::new(),
        1 => "1 problem was found".to_owned(),
        problems => format!("{} problems were found", count(problems)),
    };
    match found.ended {
        Ended::Interrupted if problems.is_empty() => Err(Failure::interrupted("not everything was looked at")),
        Ended::Interrupted => Err(Failure::interrupted(format!("{problems} until then"))),
        Ended::Complete if problems.is_empty() => Ok(()),
        Ended::Complete => Err(Failure::problems(problems)),
    }
}
