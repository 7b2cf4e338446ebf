//! `trimtab optimize`: what was wasted, what to change, and the proof.

mod found;
mod page;
#[cfg(test)]
mod tests;
pub(super) mod text;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use advise::ground::Options;
use advise::optimize::optimize;
use clap::Args;
use connect::file::Output;
use fleet::quantity::Millis;
use replay::scenario::Scenario;

use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::opened::Source;
use crate::progress;
use crate::replayer::Threads;

/// Find what a history's fleet wasted, propose changes, and prove each by replaying the history with it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// The wait that 95 of 100 workloads may not pass, when the smallest fleet is sought: 90s, 10m, 2h
    #[arg(long, value_name = "LENGTH", default_value = "10m", value_parser = crate::length::parse)]
    p95_wait: Millis,
    /// A queue that may not wait longer than it did; may be given more than once
    #[arg(long, value_name = "QUEUE")]
    protect: Vec<String>,
    /// What was found of work that ran, as `trimtab findings --all --format json` prints it; of an installation it is known
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    /// What the baseline itself changes about the record: a scenario file, or JSON in braces
    #[arg(long, value_name = "SCENARIO", value_parser = crate::length::scenario)]
    baseline: Option<Scenario>,
    /// The seed of everything drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the report as a page with charts, too; it opens without a network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How to print the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  trimtab optimize --example
  trimtab optimize gaia.zst --html report.html
  trimtab optimize philly.csv --fleet fleet.toml --p95-wait 10m --format json
  trimtab optimize history.zst --findings findings.json    what slow work costs, lived again without its causes

Every recommendation is proved: the history is replayed as it was and with the change, through the engine that runs live.
What its replay does not support is told with the reason, and not recommended.";

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let opened = arguments.source.open(global)?;
    let options = Options {
        p95_wait: arguments.p95_wait,
        protected: arguments.protect.clone(),
        slow: found::slow(arguments.findings.as_deref(), arguments.source.installation())?,
        seed: arguments.seed,
        baseline: arguments.baseline.clone().unwrap_or_default(),
        name: opened.name.clone(),
        hash: opened.hash.clone(),
    };
    for queue in &options.protected {
        if opened.history.names.queues.get(queue).is_none() {
            return Err(Failure::input(format!("--protect: the history has no queue `{queue}`")));
        }
    }
    // Where the page cannot be written, that is told before the work and not after it.
    let page = arguments.html.as_deref().map(|path| create(path).map(|output| (path, output))).transpose()?;
    let done = Arc::new(AtomicUsize::new(0));
    let step = Arc::new(Mutex::new(String::new()));
    let line = {
        let (done, step) = (Arc::clone(&done), Arc::clone(&step));
        progress::Line::show(global, move || {
            let step = step.lock().map(|step| step.clone()).unwrap_or_default();
            format!("{step} ({} replays)", done.load(Ordering::Relaxed))
        })
    };
    let replayer = Threads::new(&opened.history, options.seed, done);
    let found = optimize(&opened.history, &options, &replayer, &mut |what| {
        if let Ok(mut step) = step.lock() {
            what.clone_into(&mut step);
        }
    });
    drop(line);
    let report = found.map_err(|unfit| Failure::input(format!("cannot replay {}: {unfit}", opened.name)))?;
    if let Some((path, output)) = page {
        write_page(path, output, &page::render(&report))?;
        if !global.quiet {
            anstream::eprintln!("wrote {}", path.display());
        }
    }
    if let Some(installation) = arguments.source.installation() {
        crate::installation::keep_recommendations(&installation.folder()?, &report.recommendations)?;
    }
    let text = match arguments.format {
        Format::Text => text::render(&report, &opened.report, crate::wrap::width()),
        Format::Json => {
            let mut json = serde_json::to_string_pretty(&report).expect("a report is plain data");
            json.push('\n');
            json
        }
    };
    crate::printed::print(&text)
}

fn create(path: &Path) -> Outcome<Output> {
    Output::create(path).map_err(|error| Failure::writing(path.display(), &error))
}

/// Writes a page, whole or not at all.
fn write_page(path: &Path, mut output: Output, page: &str) -> Outcome {
    let written = output.write_all(page.as_bytes()).and_then(|()| output.finish());
    written.map_err(|error| Failure::writing(path.display(), &error))
}
