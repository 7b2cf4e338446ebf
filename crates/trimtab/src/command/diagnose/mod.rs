//! `trimtab diagnose`: files that a workload or its machine left, and what they show.

mod profile;
mod ranks;
mod read;
mod scratch;
mod words;

use std::path::PathBuf;

use ::diagnose::devices::Device;
use ::diagnose::hang::Hang;
use ::diagnose::kineto::{Breakdown, Ranks, Step};
use ::diagnose::pipeline::WhatIf;
use ::diagnose::recognise::FileKind;
use ::diagnose::steps::Episode;
use ::diagnose::xid::Log;
use clap::Args;
use fleet::finding::Finding;
use fleet::problem::{Problem, Problems};
use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::printed::print;
use crate::wrap;

pub(crate) use words::{finding, worth};

/// Say what a workload waits for, and what fixing that is worth, from the profiles, traces and logs that it left
///
/// What a file is, its content tells; plain, gzip and Zstandard are read.
#[derive(Debug, Args)]
#[command(after_help = examples())]
pub(crate) struct Arguments {
    /// The files, or folders of them; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Of profiles, the step whose critical path is worked out: the number in its name (`ProfilerStep#5`); the first, where none is given
    #[arg(long, value_name = "NUMBER")]
    step: Option<u64>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

fn examples() -> String {
    let kinds: Vec<String> = FileKind::ALL.iter().map(|kind| format!("  {}", kind.about())).collect();
    format!(
        "\
Examples:
  trimtab diagnose rank0.json.gz           # where a GPU's time went: PyTorch's profiler
  trimtab diagnose profiles/               # which rank the others wait for, beside what is said of each
  trimtab diagnose operations.csv.gz       # which rank or stage holds a pipeline up, and why
  trimtab diagnose dumps/                  # which ranks a hang begins with
  nvidia-smi -q -x | trimtab diagnose -    # what holds GPUs down, and which are damaged
  dmesg | trimtab diagnose -               # Xid errors, and what to do about each
  trimtab diagnose dumps/ --format json | jq '.files[].findings'

What is read:
{}

docs/DIAGNOSE.md tells what each verdict rests on.",
        kinds.join("\n")
    )
}

/// A file, and what it shows.
#[derive(Debug, Serialize)]
struct Diagnosed {
    file: String,
    kind: &'static str,
    /// What the file holds, in a sentence.
    about: String,
    findings: Vec<Finding>,
    /// What could not be read, and was left out.
    left_out: LeftOut,
    figures: Figures,
}

/// What could not be read: how much, and the first of it.
#[derive(Debug, Serialize)]
struct LeftOut {
    count: u64,
    first: Vec<Problem>,
}

/// All that was worked out, as JSON has it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Figures {
    Kineto(Box<Breakdown>),
    Ranks(Ranks),
    Pipeline(Box<WhatIf>),
    Steps(Vec<Episode>),
    Hang(Hang),
    Devices(Vec<Device>),
    KernelLog(Log),
}

/// All files, as JSON has them.
#[derive(Serialize)]
struct Answer {
    version: u32,
    files: Vec<Diagnosed>,
}

impl From<&Problems> for LeftOut {
    fn from(problems: &Problems) -> Self {
        Self { count: problems.count(), first: problems.kept().to_vec() }
    }
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let read = read::read(&arguments.files, arguments.step.map_or(Step::First, Step::Number), global);
    for path in &read.passed {
        anstream::eprintln!("passed over: {}, which is of no kind that is read", path.display());
    }
    for file in &read.diagnosed {
        told(&file.left_out);
    }
    if !read.diagnosed.is_empty() {
        print(&match arguments.format {
            Format::Json => {
                let answer = Answer { version: 1, files: read.diagnosed };
                serde_json::to_string_pretty(&answer).expect("a diagnosis is plain data") + "\n"
            }
            Format::Text => {
                let texts = read.diagnosed.iter().map(|file| words::diagnosed(file, wrap::width()));
                texts.collect::<Vec<_>>().join("\n\n")
            }
        })?;
    } else if read.failures.is_empty() {
        return Err(Failure::input("there is no file there that is read; `trimtab diagnose --help` lists the kinds"));
    }
    let mut failures = read.failures.into_iter();
    match (failures.next(), failures.len()) {
        (None, _) => Ok(()),
        (Some(only), 0) => Err(only),
        (Some(first), _) => {
            let all = std::iter::once(first).chain(failures).map(|failure| failure.to_string());
            Err(Failure::input(all.collect::<Vec<_>>().join("\n")))
        }
    }
}

/// Says on standard error what was left out.
fn told(problems: &LeftOut) {
    const TOLD: usize = 5;
    for problem in problems.first.iter().take(TOLD) {
        anstream::eprintln!("left out: {problem}");
    }
    let more = problems.count.saturating_sub(TOLD as u64);
    if more > 0 {
        anstream::eprintln!("left out: {more} more");
    }
}
