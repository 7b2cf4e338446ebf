//! `trimtab why` of a workload that was handed in here.

use serde_json::Value;

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;

pub(super) fn run(installation: &Installation, id: &str, format: Format) -> Outcome {
    let id: u32 = id.parse().map_err(|_| {
        Failure::input(format!("`{id}` is no id of a workload here; for one of a history, name the history too"))
    })?;
    let client = Client::of(installation)?;
    let why: Value = client.get(&format!("workloads/{id}/why"))?;
    if format == Format::Json {
        return print(&format!("{why}\n"));
    }
    let mut text = format!("Workload {id}: {}.\n", shown::text(&why["summary"]));
    for needed in why["needed"].as_array().into_iter().flatten() {
        text.push_str(&format!("  It starts when {}.\n", shown::text(needed)));
    }
    let from_now = |at: &Value| at.as_i64().map(|at| shown::seconds(at - shown::now_ms()));
    let start = &why["expected_start"];
    if let Some(median) = from_now(&start["median_ms"]) {
        let low = from_now(&start["low_ms"]).unwrap_or_default();
        let high = from_now(&start["high_ms"]).unwrap_or_else(|| "later than can be foreseen".into());
        text.push_str(&format!("  Expected to start in {median}; in 4 of 5 ways things may go, in {low} to {high}.\n"));
    } else if start["unknown"].is_string() {
        text.push_str(&format!("  When it starts cannot be told: {}.\n", shown::text(&start["unknown"])));
    }
    print(&text)
}
