//! `trimtab job`: a workload and all that became of it.

use serde_json::Value;

use super::findings;
use crate::client::Client;
use crate::failure::Outcome;
use crate::format::Format;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;
use crate::table::plain;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// Its id
    id: u32,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let id = arguments.id;
    let workload: Value = client.get(&format!("workloads/{id}"))?;
    if arguments.format == Format::Json {
        return print(&format!("{workload}\n"));
    }
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("{name:>12}  {value}\n"));
        }
    };
    let words: Vec<String> = serde_json::from_value(workload["command"].clone()).unwrap_or_default();
    line("workload", id.to_string());
    line("name", plain(&shown::text(&workload["name"])));
    line("state", shown::state(&workload["state"]));
    line("reason", plain(&shown::text(&workload["reason"])));
    line("command", plain(&words.join(" ")));
    line("folder", plain(&shown::text(&workload["directory"])));
    line("queue", plain(&shown::text(&workload["queue"])));
    line("user", plain(&shown::text(&workload["user"])));
    line("asks for", shown::amount(&workload["request"]));
    line("time limit", workload["time_limit_ms"].as_i64().map(shown::seconds).unwrap_or_default());
    line("handed in", shown::ago(&workload["submitted_ms"]));
    if workload["state"] == "waiting" || workload["state"] == "held" {
        let why: Value = client.get(&format!("workloads/{id}/why"))?;
        line("waits", shown::text(&why["summary"]));
    }
    for finding in findings::open_of(&client, id)? {
        line("finding", finding);
    }
    for (number, run) in workload["runs"].as_array().into_iter().flatten().enumerate() {
        let devices: Vec<String> = run["devices"].as_array().into_iter().flatten().map(ToString::to_string).collect();
        let devices = if devices.is_empty() { String::new() } else { format!(", on device {}", devices.join(", ")) };
        let ran =
            run["ran_ms"].as_i64().map_or_else(|| "goes on".into(), |ran| format!("{:.1} s", ran as f64 / 1_000.0));
        let ended = run["ended"].as_str().map(|ended| format!(", {ended}")).unwrap_or_default();
        let cpu =
            run["cpu_ms"].as_i64().map(|cpu| format!(", {:.1} s of a core", cpu as f64 / 1_000.0)).unwrap_or_default();
        let peak = run["memory_peak_bytes"]
            .as_u64()
            .map(|peak| format!(", {:.1} MiB at most", peak as f64 / f64::from(1 << 20)));
        line(&format!("run {}", number + 1), format!("{ran}{ended}{devices}{cpu}{}", peak.unwrap_or_default()));
    }
    print(&text)
}
