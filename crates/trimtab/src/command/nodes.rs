//! `trimtab nodes`: nodes, what is given out there, and how busy they are.

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
        ("cores busy", Align::Right),
        ("memory used", Align::Right),
        ("devices busy", Align::Right),
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
            cores_busy(&node["busy"]),
            memory_used(&node["busy"]),
            devices_busy(&node["busy"]),
            shown::text(&node["model"]),
            node["workloads"].as_array().map_or(0, Vec::len).to_string(),
        ]);
    }
    print(&table.without_empty_columns().within(crate::wrap::width()))
}

fn cores_busy(busy: &Value) -> String {
    known(&busy["cpu_busy_cores"], |cores| format!("{cores:.1}"))
}

fn memory_used(busy: &Value) -> String {
    known(&busy["memory_used_bytes"], |bytes| format!("{:.1} GiB", bytes / f64::from(1 << 30)))
}

/// The mean; nothing for a node without devices.
fn devices_busy(busy: &Value) -> String {
    if busy["devices"].as_array().is_none_or(Vec::is_empty) {
        return String::new();
    }
    known(&busy["device_busy_ratio"], |ratio| format!("{:.0} %", ratio * 100.0))
}

/// What was not measured lately is told as that: it is not zero.
fn known(value: &Value, words: impl FnOnce(f64) -> String) -> String {
    value.as_f64().map_or_else(|| "unknown".into(), words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_unknown_is_not_zero() {
        let check = |busy: &Value, expected: [&str; 3]| {
            assert_eq!([cores_busy(busy), memory_used(busy), devices_busy(busy)], expected, "{busy}");
        };
        let devices = json!([{ "device": 0 }]);
        let measured = json!({ "cpu_busy_cores": 3.25, "memory_used_bytes": 3_u64 << 29, "device_busy_ratio": 0.375, "devices": devices });
        check(&measured, ["3.2", "1.5 GiB", "38 %"]);
        let idle =
            json!({ "cpu_busy_cores": 0.0, "memory_used_bytes": 0, "device_busy_ratio": 0.0, "devices": devices });
        check(&idle, ["0.0", "0.0 GiB", "0 %"]);
        let null =
            json!({ "cpu_busy_cores": null, "memory_used_bytes": null, "device_busy_ratio": null, "devices": devices });
        check(&null, ["unknown", "unknown", "unknown"]);
        check(&json!({ "devices": [] }), ["unknown", "unknown", ""]);
    }
}
