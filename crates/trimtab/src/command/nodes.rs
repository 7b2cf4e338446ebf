//! `trimtab nodes`: nodes, and what is given out there.

use serde_json::Value;

use crate::client::Client;
use crate::failure::Outcome;
use crate::format::Format;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;
use crate::table::{Align, Table};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let nodes: Value = client.get("nodes")?;
    if arguments.format == Format::Json {
        return print(&format!("{nodes}\n"));
    }
    let mut table = Table::new([
        ("node", Align::Left),
        ("state", Align::Left),
        ("cores", Align::Right),
        ("memory", Align::Right),
        ("devices", Align::Right),
        ("model", Align::Left),
        ("workloads", Align::Right),
    ]);
    for node in nodes.as_array().into_iter().flatten() {
        let pair = |name: &str, unit: f64, digits: usize| {
            let of = |amount: &Value| amount[name].as_f64().unwrap_or(0.0) / unit;
            format!("{:.digits$} of {:.digits$}", of(&node["given"]), of(&node["has"]))
        };
        table.row([
            shown::text(&node["name"]),
            shown::state(&node["standing"]),
            pair("cpu_milli", 1_000.0, 0),
            pair("memory_bytes", f64::from(1 << 30), 1) + " GiB",
            pair("devices_milli", 1_000.0, 0),
            shown::text(&node["model"]),
            node["workloads"].as_array().map_or(0, Vec::len).to_string(),
        ]);
    }
    print(&table.without_empty_columns().within(crate::wrap::width()))
}
