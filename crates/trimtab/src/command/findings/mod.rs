//! `trimtab findings`: what is wrong, and was; and what nobody wants to hear of.

mod words;

use clap::{Args, Subcommand};
use fleet::finding::Finding;
use fleet::quantity::Millis;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::installation::Installation;
use crate::printed::print;
use crate::{shown, wrap};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// One of them, with its evidence and what to do
    id: Option<u64>,
    /// Those too that are muted, or over
    #[arg(long)]
    all: bool,
    /// Those about a workload
    #[arg(long, value_name = "ID")]
    workload: Option<u32>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Do not show a finding for a while, also if it is over and comes again
    Mute(Mute),
    /// Show it again
    Unmute(Unmute),
}

#[derive(Debug, Args)]
struct Mute {
    #[command(flatten)]
    installation: Installation,
    /// Its id
    id: u64,
    /// For how long: 90s, 10m, 2h, 2d
    #[arg(long = "for", value_name = "LENGTH", value_parser = crate::length::parse)]
    length: Millis,
    /// Why nobody needs to hear of it
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
struct Unmute {
    #[command(flatten)]
    installation: Installation,
    /// Its id
    id: u64,
}

const EXAMPLES: &str = "\
Examples:
  trimtab findings                          what is wrong now
  trimtab findings 12                       the evidence, and what to do
  trimtab findings --all --workload 17      all that was ever wrong with a workload
  trimtab findings mute 12 --for 2d --reason 'the disk is being replaced'
  trimtab findings unmute 12";

/// A finding, as the server tells of it.
#[derive(Debug, Deserialize)]
struct Told {
    id: u64,
    state: String,
    node: Option<String>,
    unheard_since_ms: Option<i64>,
    workload: Option<u32>,
    since_ms: i64,
    closed_ms: Option<i64>,
    returns: u32,
    device_hours_a_day: Option<f64>,
    cost_a_day: Option<String>,
    finding: Finding,
    mute: Option<Muted>,
}

/// Who does not want to hear of it.
#[derive(Debug, Deserialize)]
struct Muted {
    reason: String,
    until_ms: i64,
    by: String,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    match (&arguments.change, arguments.id) {
        (Some(Change::Mute(mute)), _) => muted(mute, global),
        (Some(Change::Unmute(unmute)), _) => unmuted(unmute, global),
        (None, Some(id)) => one(arguments, id),
        (None, None) => list(arguments, global),
    }
}

fn one(arguments: &Arguments, id: u64) -> Outcome {
    let found: Value = Client::of(&arguments.installation)?.get(&format!("findings/{id}"))?;
    print(&match arguments.format {
        Format::Json => format!("{found}\n"),
        Format::Text => words::one(&told(found)?, shown::now_ms(), wrap::width()),
    })
}

fn list(arguments: &Arguments, global: Global) -> Outcome {
    let mut path = format!("findings?limit=1000&state={}", if arguments.all { "all" } else { "open" });
    if let Some(workload) = arguments.workload {
        path.push_str(&format!("&workload={workload}"));
    }
    let found: Value = Client::of(&arguments.installation)?.get(&path)?;
    if arguments.format == Format::Json {
        return print(&format!("{found}\n"));
    }
    let all: Vec<Told> = told(found["findings"].clone())?;
    if all.is_empty() && !global.quiet {
        eprintln!("{}", if arguments.all { "nothing was found wrong yet" } else { "nothing is wrong that is known" });
    }
    print(&words::list(&all, shown::now_ms(), wrap::width()))
}

/// What is wrong with a workload now, a line each.
pub(crate) fn open_of(client: &Client, workload: u32) -> Outcome<Vec<String>> {
    let found: Value = client.get(&format!("findings?workload={workload}"))?;
    let all: Vec<Told> = told(found["findings"].clone())?;
    Ok(all.iter().map(words::line).collect())
}

fn told<T: serde::de::DeserializeOwned>(found: Value) -> Outcome<T> {
    serde_json::from_value(found)
        .map_err(|error| Failure::outside(format!("what the server tells of findings is not understood: {error}")))
}

fn muted(mute: &Mute, global: Global) -> Outcome {
    let until = shown::now_ms().saturating_add(mute.length.0);
    let body = json!({ "reason": mute.reason, "until_ms": until });
    let _done: Value = Client::of(&mute.installation)?.post(&format!("findings/{}/mute", mute.id), &body)?;
    if !global.quiet {
        eprintln!("finding {} is not shown for {}; `trimtab findings unmute {0}` shows it again", mute.id, mute.length);
    }
    Ok(())
}

fn unmuted(unmute: &Unmute, global: Global) -> Outcome {
    let done: Value = Client::of(&unmute.installation)?.post(&format!("findings/{}/unmute", unmute.id), &json!({}))?;
    if !global.quiet {
        let text = if done["changed"] == json!(true) { "is shown again" } else { "was not muted" };
        eprintln!("finding {} {text}", unmute.id);
    }
    Ok(())
}
