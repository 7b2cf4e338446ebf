//! `trimtab agent`: watches, says what is wrong when it begins and when it ends, and reports it to a server.

mod reporting;
mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::diagnose::live::Change;
use clap::Args;
use connect::machine::Nvml;
use connect::steps::{Listener, default_path};
use fleet::time::Timestamp;

use crate::failure::{Failure, Outcome, words as plain};
use crate::format::Format;
use crate::global::Global;
use crate::interrupt;
use crate::printed::print;
use crate::watcher::{Sources, Watcher};
use reporting::Reporting;

/// Watch this machine and the training on it: what holds jobs up, as it begins and as it ends
///
/// It measures the machine once a second (docs/signals.md) and hears the step clocks of training processes (docs/STEPS.md). A job is held
/// against its own past: after some seconds of usual steps, what makes them slower is found, named and priced. It changes nothing.
/// With --report-to a `trimtab up` on another machine keeps and shows what it finds and measures; while that cannot be reached, reports wait
/// on the disk here.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab agent                            # says what it finds, until Ctrl-C
  trimtab agent --format json | jq .       # a line each time something begins, changes or ends
  trimtab agent --steps /tmp/steps.sock    # and TRIMTAB_STEPS=/tmp/steps.sock python3 train.py
  trimtab agent --exporter http://127.0.0.1:9400/metrics    # devices that dcgm-exporter tells of
  trimtab agent --report-to https://gpu1.lab.example:8642 --token-file token --ca-file lab-ca.pem
  trimtab agent --report-to https://gpu1:8642 --token-file token --node gpu7 --spool /var/lib/spool --spool-max 1GiB

In a training loop, one line: `for batch in tt.StepClock().steps(loader): ...`; docs/STEPS.md has others.")]
pub(crate) struct Arguments {
    /// Where step clocks tell; they look at the same variable, and at the same place without it
    #[arg(long, value_name = "SOCKET", env = "TRIMTAB_STEPS")]
    steps: Option<PathBuf>,
    #[command(flatten)]
    sources: Sources,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten, next_help_heading = "Reporting")]
    reporting: Reporting,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let asked = arguments.sources.asked(std::env::var_os("PATH").as_deref())?;
    let path = default_path(arguments.steps.clone(), std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
    let listener = Listener::at(&path).map_err(|error| {
        Failure::outside(format!("cannot listen at {}: {}; --steps names another place", path.display(), plain(&error)))
    })?;
    let mut reporter = arguments.reporting.begin(global.quiet)?;
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    interrupt::at_first(move || stop.store(true, Ordering::Relaxed));
    if !global.quiet {
        anstream::eprintln!("step clocks tell at {}; Ctrl-C ends it", path.display());
    }
    let mut watcher = Watcher::new(Some(listener), Nvml::open(), asked);
    let mut notice = |text: &str| {
        if !global.quiet {
            anstream::eprintln!("note: {text}");
        }
    };
    while !stopped.load(Ordering::Relaxed) {
        if let Some(second) = watcher.turn(&mut notice) {
            second.changes.iter().try_for_each(|change| say(change, arguments.format, second.at))?;
            if let Some(reporter) = &mut reporter {
                reporter.add(second, watcher.told());
            }
        }
    }
    if let Some(reporter) = reporter {
        reporter.end(watcher.told());
    }
    Ok(())
}

fn say(change: &Change, format: Format, at: Timestamp) -> Outcome {
    print(&match format {
        Format::Text => words::change(change, at),
        Format::Json => words::json(change, at),
    })
}
