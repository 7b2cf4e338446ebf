//! `trimtab agents`: agents on other machines, who is heard and who is not.

use serde_json::Value;

use crate::client::Client;
use crate::failure::Outcome;
use crate::format::Format;
use crate::global::Global;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;
use crate::table::{Align, Table};

/// What is not older than this when an agent is heard is what it measured last: it reports every ten seconds.
const CAUGHT_UP_MS: i64 = 15_000;
/// A clock that differs by more is told of; reports travel for a while.
const CLOCK_OFF_MS: i64 = 5_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  trimtab agents                   who reports here, when each was last heard, and how far behind it is
  trimtab agents --format json | jq '.agents[] | select(.is_silent) | .node'

An agent is begun on its machine: `trimtab agent --report-to URL --token-file FILE`; docs/LIVE.md says how.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let found: Value = Client::of(&arguments.installation)?.get("agents")?;
    if arguments.format == Format::Json {
        return print(&format!("{found}\n"));
    }
    let mut table = Table::new([
        ("node", Align::Left),
        ("state", Align::Left),
        ("last heard", Align::Right),
        ("behind", Align::Right),
        ("findings", Align::Right),
        ("lost", Align::Right),
        ("clock", Align::Left),
        ("version", Align::Left),
    ]);
    for agent in found["agents"].as_array().into_iter().flatten() {
        table.row([
            shown::text(&agent["node"]),
            state(agent),
            shown::ago(&agent["heard_ms"]),
            behind(&agent["behind_ms"]),
            agent["findings_open"].to_string(),
            lost(agent),
            clock(&agent["clock_ahead_ms"]),
            shown::text(&agent["version"]),
        ]);
    }
    if table.is_empty() {
        if !global.quiet {
            eprintln!("no agent on another machine reports here yet; `trimtab agent --report-to` does");
        }
        return Ok(());
    }
    print(&table.without_empty_columns().within(crate::wrap::width()))
}

fn state(agent: &Value) -> String {
    if agent["is_silent"] == Value::Bool(true) { "silent".into() } else { "heard".into() }
}

/// Nothing where it has caught up.
fn behind(ms: &Value) -> String {
    match ms.as_i64() {
        None => "no report yet".into(),
        Some(ms) if ms <= CAUGHT_UP_MS => String::new(),
        Some(ms) => shown::seconds(ms),
    }
}

/// Reports that never came here, or could not be taken.
fn lost(agent: &Value) -> String {
    let count = |name: &str| agent[name].as_u64().unwrap_or(0);
    match count("reports_lost") + count("reports_refused") {
        0 => String::new(),
        lost => shown::count(lost as usize, "report"),
    }
}

fn clock(ahead_ms: &Value) -> String {
    match ahead_ms.as_i64().unwrap_or(0) {
        ahead if ahead > CLOCK_OFF_MS => format!("{} ahead", shown::seconds(ahead)),
        ahead if ahead < -CLOCK_OFF_MS => format!("{} behind", shown::seconds(-ahead)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_as_it_should_be_is_not_worth_a_word() {
        let check = |behind_ms: Value, clock_ms: i64, lost_: u64, expected: [&str; 3]| {
            let agent = json!({ "behind_ms": behind_ms, "clock_ahead_ms": clock_ms, "reports_lost": lost_, "reports_refused": 0 });
            assert_eq!([behind(&agent["behind_ms"]), clock(&agent["clock_ahead_ms"]), lost(&agent)], expected);
        };
        check(json!(9_000), -300, 0, ["", "", ""]);
        check(json!(3_600_000), 61_500, 2, ["1h", "1m 1s ahead", "2 reports"]);
        check(json!(null), -61_500, 1, ["no report yet", "1m 1s behind", "1 report"]);
    }
}
