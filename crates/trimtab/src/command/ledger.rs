//! `trimtab ledger`: what was promised, beside what was measured.

use advise::verify::{Verified, verify};
use clap::Args;
use control::Rule;
use fleet::recommendation::Recommendation;
use fleet::time::Timestamp;
use replay::history::History;
use replay::scenario::{Change, Scenario};
use serde_json::Value;

use super::apply::rules;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;
use crate::table::{Align, Table};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let mut lines: Vec<Value> = client.get("consents")?;
    let mut notes = Vec::new();
    if lines.is_empty() {
        notes
            .push("nothing was applied yet: `trimtab optimize` says what could be, `trimtab apply` does it".to_owned());
    } else {
        let history = crate::opened::glance(&arguments.installation, global)?;
        for line in &mut lines {
            match verified(&history, line)? {
                Verified::Known(effect) => {
                    let effect = serde_json::to_value(effect).expect("it is plain data");
                    let _done: Value = client.put(&format!("consents/{}/measured", line["consent"]), &effect)?;
                    line["measured"] = effect;
                }
                Verified::NotYet(why) => notes.push(format!("consent {}: not yet known: {why}", line["consent"])),
            }
        }
    }
    if arguments.format == Format::Json {
        return print(&format!("{}\n", Value::Array(lines)));
    }
    let mut table = Table::new([
        ("consent", Align::Right),
        ("agreed", Align::Right),
        ("by", Align::Left),
        ("what", Align::Left),
        ("mean wait, promised", Align::Right),
        ("measured", Align::Right),
        ("undone", Align::Right),
    ]);
    for line in &lines {
        let wait = |effect: &Value| effect["wait_s"]["value"].as_f64().map(advise::ground::signed);
        table.row([
            line["consent"].to_string(),
            shown::ago(&line["at_ms"]),
            shown::text(&line["by"]),
            shown::text(&line["recommendation"]["title"]),
            wait(&line["recommendation"]["effect"]).unwrap_or_else(|| "none".into()),
            wait(&line["measured"]).unwrap_or_else(|| "not yet known".into()),
            shown::ago(&line["undone_ms"]),
        ]);
    }
    if !table.is_empty() {
        print(&table.without_empty_columns().within(crate::wrap::width()))?;
    }
    notes.iter().for_each(|note| eprintln!("{note}"));
    Ok(())
}

/// What a consent has brought so far: what was recorded since, against the same history lived with what its undo sets.
fn verified(history: &History, line: &Value) -> Outcome<Verified> {
    let recommendation: Recommendation = serde_json::from_value(line["recommendation"].clone())
        .map_err(|error| Failure::outside(format!("what was agreed to is not understood: {error}")))?;
    let mut without = Scenario::recorded();
    for rule in rules(&recommendation.undo)? {
        without = without.with(match rule {
            Rule::Queue(rules) => Change::Queue { rules: *rules },
            Rule::Policy(policy) => Change::Policy { policy },
            Rule::Drained(_) | Rule::Usable(_) => {
                let why = "it took a node out of use that failed its self-test, which promises nothing of waits";
                return Ok(Verified::NotYet(why.into()));
            }
        });
    }
    let at = |value: &Value| value.as_i64().map(Timestamp);
    let (from, until) =
        (at(&line["at_ms"]).unwrap_or(Timestamp::MAX), at(&line["undone_ms"]).unwrap_or(Timestamp::MAX));
    verify(history, &without, from, until, recommendation.proof.seed)
        .map_err(|unfit| Failure::outside(format!("what was recorded cannot be replayed: {unfit}")))
}
