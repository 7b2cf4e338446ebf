//! `trimtab health`: whether this machine is fit to run anything.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use connect::file::Output;
use connect::machine::Nvml;
use connect::machine::health::{Better, Found, kernel_log, probe};
use fleet::finding::Finding;
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
/// It takes some seconds. What is wrong by itself is told; what is only slower than it was shows beside what the same machine measured when
/// it was well: keep that once, and hold it against that before a job or after one died.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab health                            # what is wrong, and what was measured
  trimtab health --keep well.json           # while the machine is well
  trimtab health --against well.json        # and whenever it is in doubt
  trimtab health --quiet --against /etc/trimtab/well.json || exit 1     # in a prolog of Slurm, or as its HealthCheckProgram

Exit code 3: something is wrong.")]
pub(crate) struct Arguments {
    /// Hold it against what this file kept, and tell of what is worse by more than 30 %
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Keep what is measured in this file
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// A folder on the disk that is to be measured; 64 MiB are written there, and removed
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is this much of what it was is worse. Ours: shared disks and memory vary by a tenth or two from minute to minute.
const WORSE: f64 = 0.7;

/// What is kept, and what is printed as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    measured: Vec<Measured>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Measured {
    probe: String,
    what: String,
    value: Option<f64>,
    unit: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    version: u32,
    healthy: bool,
    problems: &'a [String],
    measured: Vec<Measured>,
    kernel_log: &'a [Finding],
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let before = arguments.against.as_deref().map(kept).transpose()?;
    let folder = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let found = probe(Path::new("/"), &folder, &Nvml::open(), &mut |what| {
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
    let mut problems: Vec<String> = found.iter().filter_map(|found| found.wrong.clone()).collect();
    problems.extend(before.iter().flat_map(|before| worse(&found, before)));
    problems.extend(told.iter().map(|finding| finding.verdict.clone()));
    if let Some(path) = &arguments.keep {
        keep(path, &found)?;
    }
    print(&match arguments.format {
        Format::Text => text(&found, before.as_ref(), &problems, &told),
        Format::Json => {
            let measured = found.iter().map(measured).collect();
            let healthy = problems.is_empty();
            let answer = Answer { version: 1, healthy, problems: &problems, measured, kernel_log: &told };
            serde_json::to_string_pretty(&answer).expect("measurements are plain data") + "\n"
        }
    })?;
    match problems.len() {
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

fn measured(found: &Found) -> Measured {
    let Found { probe, what, value, unit, .. } = found;
    Measured { probe: (*probe).to_owned(), what: what.clone(), value: *value, unit: (*unit).to_owned() }
}

fn kept(path: &Path) -> Outcome<Kept> {
    let text = fs::read_to_string(path).map_err(|error| Failure::opening(path.display(), &error))?;
    let kept: Kept = serde_json::from_str(&text).map_err(|error| {
        Failure::input(format!("{}: {error}; `trimtab health --keep` writes such a file", path.display()))
    })?;
    if kept.version != 1 {
        return Err(Failure::input(format!("{}: version {}, and this is version 1", path.display(), kept.version)));
    }
    Ok(kept)
}

fn keep(path: &Path, found: &[Found]) -> Outcome {
    let kept = Kept { version: 1, measured: found.iter().map(measured).collect() };
    let text = serde_json::to_string_pretty(&kept).expect("measurements are plain data") + "\n";
    let written = Output::create(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.finish()
    });
    written.map_err(|error| Failure::writing(path.display(), &error))
}

/// What is worse than it was, in sentences; what was there and is not is worse, too.
fn worse(found: &[Found], before: &Kept) -> Vec<String> {
    let mut problems = Vec::new();
    for was in &before.measured {
        let Some(then) = was.value else { continue };
        let now = found.iter().find(|found| found.probe == was.probe && found.what == was.what);
        let Some((now, value)) = now.and_then(|now| Some((now, now.value?))) else {
            problems.push(format!("{}: {} {} before, and it is not there now", was.what, figure(then), was.unit));
            continue;
        };
        let is_worse = match now.better {
            Some(Better::Higher) => value < WORSE * then,
            Some(Better::Lower) => value * WORSE > then,
            None => false,
        };
        if is_worse {
            problems.push(format!("{}: {} {}, and {} before", was.what, figure(value), was.unit, figure(then)));
        }
    }
    problems
}

fn text(found: &[Found], before: Option<&Kept>, problems: &[String], told: &[Finding]) -> String {
    let width = wrap::width();
    let mut text = String::new();
    if problems.is_empty() {
        paragraph(&mut text, width, "", "Nothing is wrong that this test would show.");
    }
    for problem in problems {
        paragraph(&mut text, width, "", &format!("- {problem}"));
    }
    for finding in told {
        diagnose::finding(finding, width, &mut text);
    }
    section(&mut text, "What was measured");
    let mut table =
        Table::new([("", Align::Left), ("now", Align::Right), ("before", Align::Right), ("unit", Align::Left)]);
    let known = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), figure);
    for found in found {
        let was =
            before.map(|before| before.measured.iter().find(|was| was.what == found.what).and_then(|was| was.value));
        let was = was.map_or_else(String::new, known);
        table.row([found.what.clone(), known(found.value), was, found.unit.to_owned()]);
    }
    let table = table.without_empty_columns();
    let _ = write!(text, "{table}");
    text
}

fn figure(value: f64) -> String {
    let decimals = if value.fract() == 0.0 || value >= 100.0 { 0 } else { 1 };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(what: &str, value: Option<f64>, better: Option<Better>) -> Found {
        Found { probe: "disk", what: what.to_owned(), value, unit: "MB/s", better, wrong: None }
    }

    #[test]
    fn what_is_much_slower_or_gone_is_worse_and_what_varies_is_not() {
        let all = [
            found("read", Some(60.0), Some(Better::Higher)),
            found("errors", Some(2.0), Some(Better::Lower)),
            found("lines", Some(1.0), None),
        ];
        let kept = |values: &[(&str, f64)]| Kept {
            version: 1,
            measured: values.iter().map(|&(what, value)| measured(&found(what, Some(value), None))).collect(),
        };
        assert_eq!(worse(&all, &kept(&[("read", 80.0), ("errors", 2.0), ("lines", 900.0)])), Vec::<String>::new());
        let problems = worse(&all, &kept(&[("read", 90.0), ("errors", 0.0), ("write", 5.0)]));
        assert_eq!(
            problems,
            [
                "read: 60 MB/s, and 90 before",
                "errors: 2 MB/s, and 0 before",
                "write: 5 MB/s before, and it is not there now"
            ]
        );
    }
}
