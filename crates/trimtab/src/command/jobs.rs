//! `trimtab jobs`: list workloads.

use serde_json::Value;

use crate::client::{Client, part};
use crate::failure::Outcome;
use crate::format::Format;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;
use crate::table::{Align, Table};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// Only in these states: waiting, running, failed, ...
    #[arg(short, long, value_delimiter = ',')]
    state: Vec<String>,
    /// Only of this queue
    #[arg(short = 'Q', long)]
    queue: Option<String>,
    /// Only of this user
    #[arg(short, long)]
    user: Option<String>,
    /// Only with this in name or command
    text: Option<String>,
    /// How many
    #[arg(short, long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Only those older than this id: the next page
    #[arg(long, value_name = "ID")]
    before: Option<u32>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  trimtab jobs                        the latest, newest first
  trimtab jobs -s waiting,running
  trimtab jobs -s failed train        failed ones with `train` in name or command";

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let mut query = vec![format!("limit={}", arguments.limit)];
    let text = |name: &str, value: &Option<String>| value.as_deref().map(|value| format!("{name}={}", part(value)));
    query.extend(
        (!arguments.state.is_empty()).then(|| format!("state={}", part(&arguments.state.join(",").replace(' ', "_")))),
    );
    query.extend(text("queue", &arguments.queue));
    query.extend(text("user", &arguments.user));
    query.extend(text("text", &arguments.text));
    query.extend(arguments.before.map(|before| format!("before={before}")));
    let page: Value = client.get(&format!("workloads?{}", query.join("&")))?;
    if arguments.format == Format::Json {
        return print(&format!("{page}\n"));
    }
    let rows = page["workloads"].as_array().cloned().unwrap_or_default();
    let mut table = Table::new([
        ("id", Align::Right),
        ("state", Align::Left),
        ("name", Align::Left),
        ("queue", Align::Left),
        ("user", Align::Left),
        ("asks for", Align::Left),
        ("waited", Align::Right),
        ("ran", Align::Right),
    ]);
    for row in &rows {
        let name = row["name"].as_str().or(row["command"].as_str()).unwrap_or_default();
        table.row([
            row["id"].to_string(),
            shown::state(&row["state"]),
            name.to_owned(),
            shown::text(&row["queue"]),
            shown::text(&row["user"]),
            shown::amount(&row["request"]),
            waited(row),
            ran(row),
        ]);
    }
    let counts = page["counts"].as_object().cloned().unwrap_or_default();
    let counts: Vec<String> =
        counts.iter().map(|(state, count)| format!("{count} {}", state.replace('_', " "))).collect();
    if rows.is_empty() {
        let empty = if counts.is_empty() {
            "no workloads yet: hand one in with `trimtab submit -- COMMAND`"
        } else {
            "none of these"
        };
        eprintln!("{empty}");
    } else {
        print(&table.without_empty_columns().within(crate::wrap::width()))?;
    }
    if !counts.is_empty() {
        eprintln!("in all: {}", counts.join(", "));
    }
    if let Some(next) = page["next"].as_u64() {
        eprintln!("older ones: --before {next}");
    }
    Ok(())
}

fn waited(row: &Value) -> String {
    let until = row["started_ms"].as_i64().or(row["finished_ms"].as_i64()).unwrap_or_else(shown::now_ms);
    row["submitted_ms"].as_i64().map(|from| shown::seconds(until - from)).unwrap_or_default()
}

fn ran(row: &Value) -> String {
    let until = row["finished_ms"].as_i64().unwrap_or_else(shown::now_ms);
    row["started_ms"].as_i64().map(|from| shown::seconds(until - from)).unwrap_or_default()
}
