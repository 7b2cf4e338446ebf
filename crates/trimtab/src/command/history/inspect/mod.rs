//! `trimtab history inspect`.

mod quantile;
mod survey;
#[cfg(test)]
mod tests;
mod words;

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fleet::history::{Reader, Record};
use fleet::problem::Problem;

use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::history_file;
use crate::progress;

use survey::{Survey, Surveyor};

/// Say what a history holds, what it covers and what it lacks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab history inspect jobs.zst
  trimtab history inspect jobs.zst --format json | jq '.queues[0]'
  trimtab history example -o - | trimtab history inspect -")]
pub(crate) struct Arguments {
    /// A history made by `trimtab import`; `-` is standard input
    history: PathBuf,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables, for people
    Table,
    /// One JSON object, for programs
    Json,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let (reader, progress) = history_file::open(&arguments.history)?;
    let name = arguments.history.display().to_string();
    let line = progress::Line::reading(&name, progress, global);
    let survey = survey(reader, &name)?;
    drop(line);
    let mut text = match arguments.format {
        Format::Table => words::report(&survey),
        Format::Json => serde_json::to_string_pretty(&survey).expect("a survey has nothing that JSON lacks"),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::writing("standard output", &error))
}

/// Reads a history to its end and counts.
fn survey<R: BufRead>(mut reader: Reader<R>, name: &str) -> Result<Survey, Problem> {
    let mut surveyor = Surveyor::begin(name, reader.header());
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Node(node) => surveyor.node(node),
            Record::Queue(queue) => surveyor.queue(queue),
            Record::Policy(policy) => surveyor.policy(&policy),
            Record::NodeEvent(event) => surveyor.node_event(&event),
            Record::Workload(workload) => surveyor.workload(&workload),
            // The reader hands out neither.
            Record::Header(_) | Record::End(_) => {}
        }
    }
    Ok(surveyor.finish(reader.end()))
}
