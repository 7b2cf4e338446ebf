//! `trimtab diagnose`: files that a workload or its machine left, and what they show.

mod compare;
mod page;
mod perfetto;
mod profile;
mod ranks;
mod read;
mod scratch;
mod words;

use std::io::Write;
use std::path::{Path, PathBuf};

use ::diagnose::devices::Device;
use ::diagnose::hang::Hang;
use ::diagnose::kineto::{Breakdown, Exposed, Ranks, Step};
use ::diagnose::pipeline::{Chosen, Trace, WhatIf};
use ::diagnose::recognise::FileKind;
use ::diagnose::steps::{Episode, Steps};
use ::diagnose::xid::Log;
use clap::Args;
use connect::file::Output;
use fleet::finding::Finding;
use fleet::problem::{Problem, Problems};
use serde::Serialize;

use self::page::Picture;
use self::perfetto::Perfetto;
use self::read::Asked;
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::printed::print;
use crate::wrap;

pub(crate) use words::{finding, realised, worth};

/// Say what a workload waits for, and what fixing that is worth, from the profiles, traces and logs that it left
///
/// What a file is, its content tells; plain, gzip and Zstandard are read.
#[derive(Debug, Args)]
#[command(after_help = examples())]
pub(crate) struct Arguments {
    /// The files, or folders of them; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write what each worker of a pipeline did when, as recorded and without stragglers, for Perfetto (ui.perfetto.dev)
    #[arg(long, value_name = "FILE")]
    perfetto: Option<PathBuf>,
    /// Write what was found as a page, too, with timelines that can be zoomed; it opens without a network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Say what takes longer, or less long, than in this record of the same work before, and how much of the difference each part is
    #[arg(long, value_name = "BEFORE", conflicts_with_all = ["perfetto", "html", "step"])]
    against: Option<PathBuf>,
    /// The step that is looked at closely: of a profile, that of the critical path, by the number in its name (`ProfilerStep#5`), else
    /// the first; of a pipeline, that which is drawn, else the one that stands for all, and for Perfetto all if they are not too many
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
  trimtab diagnose operations.csv.gz --perfetto timeline.json.gz
  trimtab diagnose after.json.gz --against before.json.gz
  trimtab diagnose operations.csv.gz rank0.json.gz --html report.html
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
    /// What is drawn on the page, where one was asked for.
    #[serde(skip)]
    picture: Option<Picture>,
    /// What is held against another record, where that was asked for.
    #[serde(skip)]
    record: Option<Record>,
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

/// What figures leave out of a record, and a comparison needs.
#[derive(Debug)]
enum Record {
    Kineto(Vec<Exposed>),
    Pipeline(Box<Trace>),
    Steps(Steps),
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
    if let Some(before) = &arguments.against {
        return compare::run(before, &arguments.files, arguments.format, global);
    }
    let chosen = arguments.step.map_or(Chosen::Default, Chosen::Step);
    let perfetto = arguments.perfetto.as_deref().map(|path| Perfetto::create(path, chosen)).transpose()?;
    // Where the page cannot be written, that is told before the work and not after it.
    let page = arguments.html.as_deref().map(|path| create(path).map(|output| (path, output))).transpose()?;
    let step = arguments.step.map_or(Step::First, Step::Number);
    let asked = Asked { perfetto, pictures: page.is_some().then_some(chosen), step, ..Asked::default() };
    let mut read = read::read(&arguments.files, asked, global);
    if let Some((path, output)) = page.filter(|_| !read.diagnosed.is_empty()) {
        write_page(path, output, &page::render(&read.diagnosed))?;
        if !global.quiet {
            anstream::eprintln!("wrote {}", path.display());
        }
    }
    if let Some(perfetto) = read.asked.perfetto.take().filter(|_| read.failures.is_empty()) {
        match perfetto.finish() {
            Ok(_) if global.quiet => {}
            Ok(words) => anstream::eprintln!("{words}"),
            Err(failure) => read.failures.push(failure),
        }
    }
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

fn create(path: &Path) -> Outcome<Output> {
    Output::create(path).map_err(|error| Failure::writing(path.display(), &error))
}

/// Writes a page, whole or not at all.
fn write_page(path: &Path, mut output: Output, page: &str) -> Outcome {
    let written = output.write_all(page.as_bytes()).and_then(|()| output.finish());
    written.map_err(|error| Failure::writing(path.display(), &error))
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
