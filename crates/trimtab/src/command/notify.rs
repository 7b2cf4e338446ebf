//! `trimtab notify`: a notice to each who is to be told of findings, to see whether they come.

use std::path::{Path, PathBuf};

use clap::Args;
use connect::notice::send::deliver;
use fleet::finding::Finding;
use fleet::ids::FindingId;
use fleet::kept_finding::KeptFinding;
use fleet::notice::{News, Turn};
use fleet::time::Timestamp;

use crate::failure::{Failure, Outcome};
use crate::{notices, shown};

/// Send each destination of a file a notice that says it is a test, and say who took it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file that says who is told, as `trimtab up --notify` takes it (docs/LIVE.md)
    file: PathBuf,
    /// Only this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  trimtab notify notify.toml
  trimtab notify notify.toml --destination chat
  trimtab up --notify notify.toml               tells of what is found from then on";

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut all = notices::read(&arguments.file)?;
    if let Some(name) = &arguments.destination {
        all.retain(|destination| destination.name == *name);
        if all.is_empty() {
            return Err(Failure::input(format!("{} has no destination `{name}`", arguments.file.display())));
        }
    }
    let from = connect::machine::host_name(Path::new("/"));
    let mut failed = 0;
    for destination in &all {
        match deliver(destination, &from, &[test()]) {
            Ok(()) => anstream::println!("{}: delivered", destination.name),
            Err(what) => {
                failed += 1;
                anstream::println!("{}: not delivered: {what}", destination.name);
            }
        }
    }
    if failed > 0 {
        return Err(Failure::outside(format!(
            "{failed} of {} did not take it",
            shown::count(all.len(), "destination")
        )));
    }
    Ok(())
}

fn test() -> News {
    let now = Timestamp(shown::now_ms());
    let mut finding = Finding::new("test", "This is a test: nothing is wrong");
    finding.advice = vec!["There is nothing to do.".into()];
    let kept = KeptFinding {
        id: FindingId(0),
        finding,
        workload: None,
        opened: now,
        seen: now,
        closed: None,
        returns: 0,
        mute: None,
    };
    News { turn: Turn::Opened, kept, device_hours_a_day: None, cost_a_day: None }
}
