//! `trimtab import`: makes a history from a job log.

mod report;
mod slurm;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use connect::csv::Mapping;
use connect::file::Input;
use connect::import::{BadRows, Each, Options, Report, Stop, Zone};
use connect::{csv, philly, swf};
use fleet::fleet_file::FleetFile;
use fleet::history::Record;

use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::history_file::HistoryFile;
use crate::progress;

/// Make a history from a job log
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    source: Source,
}

const EXAMPLES: &str = "\
Examples:
  trimtab import slurm jobs.json nodes.json -o slurm.zst
  trimtab import swf UniLu-Gaia-2014-2.swf.gz -o gaia.zst
  trimtab import philly philly.csv --fleet fleet.toml -o philly.zst
  trimtab import csv jobs.csv --mapping jobs.toml -o jobs.zst

Inputs may be plain, gzip or Zstandard, and `-` is standard input. Rows that cannot be read are told, counted and left out.";

#[derive(Debug, Subcommand)]
enum Source {
    /// An export of Slurm: `sacct`, and what `scontrol` and `sacctmgr` tell of the cluster
    Slurm(slurm::Export),
    /// The Standard Workload Format of the Parallel Workloads Archive
    #[command(after_help = "\
Examples:
  trimtab import swf UniLu-Gaia-2014-2.swf.gz -o gaia.zst
  trimtab import swf log.swf --fleet cluster.toml -o log.zst

Without a fleet file the machine is the one of the log's comments, its processors dealt to its nodes evenly.")]
    Swf(Files),
    /// The job list of Microsoft's Philly, as a CSV
    #[command(after_help = "\
Examples:
  trimtab import philly philly.csv --fleet fleet.toml -o philly.zst
  trimtab import philly philly.csv --time-zone America/Los_Angeles -o philly.zst")]
    Philly(Files),
    /// Any table of jobs, by a mapping that says which column is what
    #[command(after_help = "\
Examples:
  trimtab import csv jobs.csv --mapping jobs.toml -o jobs.zst

A mapping:
  version = 1
  [columns]
  id = \"job_id\"
  submit = \"submitted_at\"
  start = { column = \"started\", format = \"epoch_s\" }
  run = { column = \"elapsed\", unit = \"min\" }
  tasks = \"gpus\"
  devices = { value = 1 }
  cause = { column = \"state\", map = { OK = \"completed\" }, other = \"failed\" }

docs/HISTORY.md has all that a mapping can say.")]
    Csv(Table),
}

/// A table and what its columns are.
#[derive(Debug, Args)]
struct Table {
    /// Which column is what, in TOML (docs/HISTORY.md)
    #[arg(short, long, value_name = "FILE")]
    mapping: PathBuf,
    #[command(flatten)]
    files: Files,
}

/// What every source takes.
#[derive(Debug, Args)]
struct Files {
    /// Logs, in any order; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The history to write; compressed if its name ends in .zst, `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// What the log does not say: nodes, prices, queues, policy (docs/FLEET-FILE.md)
    #[arg(long, value_name = "FILE")]
    fleet: Option<PathBuf>,
    /// Stop at the first row that cannot be read, with exit code 2, and write nothing
    #[arg(long)]
    strict: bool,
    /// The zone of times that name none, such as Europe/Paris [default: what the log says, or UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

pub(crate) fn run(arguments: Arguments, global: Global) -> Outcome {
    match arguments.source {
        Source::Slurm(export) => slurm::run(&export, global),
        Source::Swf(files) => {
            import(&files, global, &|input, file, options, each| swf::read(input, file, options, each))
        }
        Source::Philly(files) => {
            import(&files, global, &|input, file, options, each| philly::read(input, file, options, each))
        }
        Source::Csv(Table { mapping, files }) => {
            let mapping = Mapping::parse(&read_small(&mapping)?, &mapping.display().to_string())?;
            import(&files, global, &|input, file, options, each| csv::read(input, file, &mapping, options, each))
        }
    }
}

/// A reader of one source.
type Read<'a> = &'a dyn Fn(Input, &str, &Options, Each<'_>) -> Result<Report, Stop>;

fn import(files: &Files, global: Global, read: Read<'_>) -> Outcome {
    let options = files.options()?;
    let mut history = files.create()?;
    let mut sum = Report::default();
    for (number, path) in files.inputs.iter().enumerate() {
        let input = Input::open(path).map_err(|error| Failure::opening(path.display(), &error))?;
        let name = input.name().to_owned();
        let line = progress::Line::reading(&name, input.progress(), global);
        let options = Options { id_prefix: files.id_prefix(number), ..options.clone() };
        let report = read(input, &name, &options, &mut |record| match record {
            // Fleet and rules stand once, from the first log.
            Record::Workload(_) | Record::NodeEvent(_) => history.take(record),
            _ if number == 0 => history.take(record),
            _ => Ok(()),
        });
        drop(line);
        sum.append(report.map_err(|stop| files.stopped(stop))?);
    }
    files.finish(history, &sum, global)
}

impl Files {
    fn options(&self) -> Outcome<Options> {
        Ok(Options {
            bad_rows: if self.strict { BadRows::Refuse } else { BadRows::LeaveOut },
            time_zone: self.time_zone.as_deref().map(Zone::named).transpose().map_err(Failure::input)?,
            fleet: self.fleet.as_deref().map(read_fleet).transpose()?,
            id_prefix: String::new(),
        })
    }

    /// Begins the history.
    fn create(&self) -> Outcome<HistoryFile> {
        if self.inputs.iter().any(|input| input.as_os_str() != "-" && same_file(input, &self.output)) {
            let output = self.output.display();
            return Err(Failure::input(format!("{output} is both read and written; name another output")));
        }
        HistoryFile::create(&self.output)
    }

    fn stopped(&self, stop: Stop) -> Failure {
        Failure::stopped(stop, self.output.display())
    }

    /// Ends the history, and says what the import came to.
    fn finish(&self, history: HistoryFile, report: &Report, global: Global) -> Outcome {
        history.finish(report.end())?;
        if !global.quiet {
            report::say(report, &self.output);
        }
        Ok(())
    }

    /// Ids of several logs must not meet: from the second on, the log's number stands before them.
    fn id_prefix(&self, number: usize) -> String {
        if number == 0 { String::new() } else { format!("{}/", number + 1) }
    }
}

/// Reads a fleet file.
pub(crate) fn read_fleet(path: &Path) -> Outcome<FleetFile> {
    Ok(FleetFile::parse(&read_small(path)?, &path.display().to_string())?)
}

/// Reads a file that a person has written.
fn read_small(path: &Path) -> Outcome<String> {
    const SMALL_MAX: u64 = 16 << 20;
    let name = path.display();
    let opening = |error: &std::io::Error| Failure::opening(&name, error);
    if fs::metadata(path).map_err(|error| opening(&error))?.len() > SMALL_MAX {
        let reason = format!("{name} is larger than {} MiB; expected a file written by a person", SMALL_MAX >> 20);
        return Err(Failure::input(reason));
    }
    fs::read_to_string(path).map_err(|error| opening(&error))
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b && a.is_file())
}
