//! `trimtab queues`: queues and their rules.

use clap::{Args, Subcommand};
use fleet::history::QueueRecord;
use fleet::quantity::{MilliDevice, Millis};
use serde_json::{Value, json};

use crate::client::{Client, part};
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;
use crate::table::{Align, Table};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Give a queue rules, and make it if it is not there; what is not named is as if never set
    Set(Rules),
}

#[derive(Debug, Args)]
struct Rules {
    #[command(flatten)]
    installation: Installation,
    /// Its name
    name: String,
    /// What it may use before it borrows: devices, or cores where there are no devices
    #[arg(long, value_name = "COUNT")]
    quota: Option<f64>,
    /// What it may never pass
    #[arg(long, value_name = "COUNT")]
    limit: Option<f64>,
    /// What one user may never pass
    #[arg(long, value_name = "COUNT")]
    limit_per_user: Option<f64>,
    /// How many workloads may run at once
    #[arg(long, value_name = "COUNT")]
    limit_running: Option<u32>,
    /// How many workloads of one user may run at once
    #[arg(long, value_name = "COUNT")]
    limit_running_per_user: Option<u32>,
    /// Higher goes first among queues
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// The longest a workload may ask to run
    #[arg(long, value_name = "LENGTH", value_parser = crate::length::parse)]
    time_limit_max: Option<Millis>,
    /// The time limit of a workload that asks for none
    #[arg(long, value_name = "LENGTH", value_parser = crate::length::parse)]
    time_limit_default: Option<Millis>,
}

const EXAMPLES: &str = "\
Examples:
  trimtab queues
  trimtab queues set training --quota 6 --limit 8
  trimtab queues set notebooks --limit-running-per-user 1 --time-limit-default 8h";

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    match &arguments.change {
        Some(Change::Set(rules)) => set(rules, global),
        None => list(arguments),
    }
}

impl Arguments {
    /// The rules that it sets, if it sets any.
    pub(crate) fn rules(&self) -> Outcome<Option<QueueRecord>> {
        let Some(Change::Set(rules)) = &self.change else { return Ok(None) };
        let amount = |what: &str, count| Ok::<_, Failure>(milli(what, count)?.map(MilliDevice));
        Ok(Some(QueueRecord {
            name: rules.name.clone(),
            quota_milli: amount("--quota", rules.quota)?,
            limit_milli: amount("--limit", rules.limit)?,
            limit_per_user_milli: amount("--limit-per-user", rules.limit_per_user)?,
            limit_running: rules.limit_running,
            limit_running_per_user: rules.limit_running_per_user,
            priority: rules.priority,
            time_limit_max_ms: rules.time_limit_max,
            time_limit_default_ms: rules.time_limit_default,
            ..QueueRecord::default()
        }))
    }
}

fn milli(what: &str, count: Option<f64>) -> Outcome<Option<u64>> {
    match count {
        Some(count) if !(0.0..=1e9).contains(&count) => Err(Failure::input(format!("{what} must be 0 or more"))),
        count => Ok(count.map(|count| (count * 1_000.0).round() as u64)),
    }
}

fn list(arguments: &Arguments) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let queues: Value = client.get("queues")?;
    if arguments.format == Format::Json {
        return print(&format!("{queues}\n"));
    }
    let mut table = Table::new([
        ("queue", Align::Left),
        ("running", Align::Right),
        ("waiting", Align::Right),
        ("quota", Align::Right),
        ("limit", Align::Right),
        ("per user", Align::Right),
        ("at once", Align::Right),
        ("of a user", Align::Right),
        ("priority", Align::Right),
        ("longest", Align::Right),
    ]);
    for queue in queues.as_array().into_iter().flatten() {
        let (rules, counts) = (&queue["rules"], &queue["counts"]);
        let count =
            |names: &[&str]| names.iter().map(|name| counts[*name].as_u64().unwrap_or(0)).sum::<u64>().to_string();
        let amount = |name: &str| rules[name].as_f64().map(|milli| (milli / 1_000.0).to_string()).unwrap_or_default();
        table.row([
            shown::text(&queue["name"]),
            count(&["starting", "running"]),
            count(&["waiting", "held", "backing_off"]),
            amount("quota_milli"),
            amount("limit_milli"),
            amount("limit_per_user_milli"),
            rules["limit_running"].as_u64().map(|count| count.to_string()).unwrap_or_default(),
            rules["limit_running_per_user"].as_u64().map(|count| count.to_string()).unwrap_or_default(),
            rules["priority"].to_string(),
            rules["time_limit_max_ms"].as_i64().map(shown::seconds).unwrap_or_default(),
        ]);
    }
    print(&table.without_empty_columns().within(crate::wrap::width()))
}

fn set(rules: &Rules, global: Global) -> Outcome {
    let client = Client::of(&rules.installation)?;
    let body = json!({
        "quota_milli": milli("--quota", rules.quota)?,
        "limit_milli": milli("--limit", rules.limit)?,
        "limit_per_user_milli": milli("--limit-per-user", rules.limit_per_user)?,
        "limit_running": rules.limit_running,
        "limit_running_per_user": rules.limit_running_per_user,
        "priority": rules.priority,
        "time_limit_max_ms": rules.time_limit_max.as_ref().map(|length| length.0),
        "time_limit_default_ms": rules.time_limit_default.as_ref().map(|length| length.0),
    });
    let done: Value = client.put(&format!("queues/{}", part(&rules.name)), &body)?;
    if !global.quiet {
        eprintln!(
            "{}: {}",
            rules.name,
            if done["changed"] == json!(true) { "its rules are set" } else { "these are its rules already" }
        );
    }
    Ok(())
}
