//! `trimtab health`: whether this machine is fit to run anything.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::diagnose::fitness::{figure, problems};
use clap::Args;
use connect::file::Output;
use connect::machine::health::{kernel_log, probe};
use fleet::finding::Finding;
use fleet::health::{Depth, Measured, Problem, Report};
use serde::{Deserialize, Serialize};

use crate::command::diagnose;
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::printed::print;
use crate::table::{Align, Table};
use crate::wrap::{self, paragraph, section};

/// Test whether this machine is fit to run anything: devices, links, memory, disk, network, and what the kernel told of GPUs
///
/// It takes some seconds, and with --quick a moment. What is wrong by itself is told; what is only slower than it was shows beside what the
/// same machine measured when it was well: keep that once, and hold it against that before a job or after one died. `trimtab up` does so by
/// itself if it is told to (`trimtab up --help`, --health-before).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab health                            # what is wrong, and what was measured
  trimtab health --keep well.json           # while the machine is well
  trimtab health --against well.json        # and whenever it is in doubt
  trimtab health --quick                    # at once, beside whatever runs: for a prolog
  trimtab --quiet health --quick --against /etc/trimtab/well.json       # as HealthCheckProgram or in a Prolog of Slurm

Exit code 3: something is wrong.")]
pub(crate) struct Arguments {
    /// Measure no speed: it takes well under a second, and disturbs nobody
    #[arg(long)]
    quick: bool,
    /// Hold it against what this file kept, and tell of what is worse by more than 30 %
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Keep what is measured in this file
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    keep: Option<PathBuf>,
    /// A folder on the disk that is to be looked at; 64 MiB are written there (with --quick 4 KiB), and removed
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    measured: Vec<Measured>,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let before = arguments.against.as_deref().map(kept).transpose()?;
    let folder = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let depth = if arguments.quick { Depth::Quick } else { Depth::Full };
    let found = probe(depth, Path::new("/"), &folder, &mut |what| {
        if !global.quiet {
            anstream::eprintln!("looking at: {what}");
        }
    });
    let (told, unread) = match kernel_log(Path::new("/")) {
        Some(lines) => (of_log(&lines)?, false),
        None => (Vec::new(), true),
    };
    if unread && !global.quiet {
        anstream::eprintln!("note: this user may not read the kernel log, which tells of errors of GPUs; root may");
    }
    let problems = problems(depth, &found, before.as_deref().unwrap_or_default(), &told);
    if let Some(path) = &arguments.keep {
        keep(path, &found)?;
    }
    let many = problems.len();
    print(&match arguments.format {
        Format::Text => text(&found, before.as_deref(), &problems, &told),
        Format::Json => {
            let (version, healthy) = (Report::VERSION, problems.is_empty());
            let problems = problems.into_iter().map(|problem| problem.words).collect();
            let report = Report { version, test: depth, healthy, problems, measured: found, kernel_log: told };
            serde_json::to_string_pretty(&report).expect("measurements are plain data") + "\n"
        }
    })?;
    match many {
        0 => Ok(()),
        1 => Err(Failure::problems("this machine has a problem")),
        many => Err(Failure::problems(format!("this machine has {many} problems"))),
    }
}

/// What the kernel told of GPUs that somebody must do something about.
fn of_log(lines: &[String]) -> Outcome<Vec<Finding>> {
    let (log, _) = ::diagnose::xid::read(lines.join("\n").as_bytes(), "the kernel log")?;
    Ok(::diagnose::xid::findings(&log))
}

/// What a machine measured when it was well, as `--keep` wrote it.
pub(crate) fn kept(path: &Path) -> Outcome<Vec<Measured>> {
    let text = fs::read_to_string(path).map_err(|error| Failure::opening(path.display(), &error))?;
    let kept: Kept = serde_json::from_str(&text).map_err(|error| {
        Failure::input(format!("{}: {error}; `trimtab health --keep` writes such a file", path.display()))
    })?;
    if kept.version != 1 {
        return Err(Failure::input(format!("{}: version {}, and this is version 1", path.display(), kept.version)));
    }
    Ok(kept.measured)
}

fn keep(path: &Path, found: &[Measured]) -> Outcome {
    let kept = Kept { version: 1, measured: found.to_vec() };
    let text = serde_json::to_string_pretty(&kept).expect("measurements are plain data") + "\n";
    let written = Output::create(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.finish()
    });
    written.map_err(|error| Failure::writing(path.display(), &error))
}

fn text(found: &[Measured], before: Option<&[Measured]>, problems: &[Problem], told: &[Finding]) -> String {
    let width = wrap::width();
    let mut text = String::new();
    if problems.is_empty() {
        paragraph(&mut text, width, "", "Nothing is wrong that this test would show.");
    }
    for problem in problems {
        paragraph(&mut text, width, "", &format!("- {}", problem.words));
    }
    for finding in told {
        diagnose::finding(finding, width, &mut text);
    }
    section(&mut text, "What was measured");
    let mut table =
        Table::new([("", Align::Left), ("now", Align::Right), ("before", Align::Right), ("unit", Align::Left)]);
    let known = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), figure);
    for found in found {
        let was = before.map(|before| before.iter().find(|was| was.what == found.what).and_then(|was| was.value));
        let was = was.map_or_else(String::new, known);
        table.row([found.what.clone(), known(found.value), was, found.unit.clone()]);
    }
    let table = table.without_empty_columns();
    let _ = write!(text, "{table}");
    text
}
