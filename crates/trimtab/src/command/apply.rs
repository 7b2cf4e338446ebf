//! `trimtab apply`, `undo` and `ledger`: a recommendation is done here, taken back, and held against what came of it.
//!
//! What is done are commands of this program, the ones that the recommendation shows, and nothing else; the consent is stored
//! before the first of them.

use std::io::{IsTerminal, Write};

use advise::verify::{Verified, verify};
use clap::{Args, Parser};
use fleet::recommendation::{Recommendation, Step};
use fleet::time::Timestamp;
use replay::history::History;
use replay::scenario::Scenario;
use serde_json::{Value, json};

use super::jobs::Format;
use crate::cli;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::installation::{self, Installation};
use crate::printed::print;
use crate::shown;
use crate::table::{Align, Table};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Apply {
    #[command(flatten)]
    installation: Installation,
    /// The recommendation, as the last `trimtab optimize` here named it
    id: String,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(short, long, conflicts_with = "dry_run")]
    yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    #[command(flatten)]
    installation: Installation,
    /// The consent, as `trimtab ledger` numbers it
    consent: i64,
}

#[derive(Debug, Args)]
pub(crate) struct Ledger {
    #[command(flatten)]
    installation: Installation,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  trimtab optimize                            what to do here, and under which id
  trimtab apply policy-1a2b3c --dry-run       what that would change
  trimtab apply policy-1a2b3c                 asks, records that you agree, and does it
  trimtab undo 1
  trimtab ledger                              what was promised, beside what was measured";

pub(crate) fn apply(arguments: &Apply, global: Global) -> Outcome {
    let folder = arguments.installation.folder()?;
    let all = installation::recommendations(&folder)?;
    let Some(recommendation) = all.iter().find(|found| found.id == arguments.id) else {
        let ids: Vec<&str> = all.iter().map(|found| found.id.as_str()).collect();
        let known = if ids.is_empty() { "none was made".to_owned() } else { format!("there are: {}", ids.join(", ")) };
        return Err(Failure::input(format!("no recommendation `{}`; {known}", arguments.id)));
    };
    print(&shown_as(recommendation))?;
    let (change, _) = (commands(&recommendation.change)?, commands(&recommendation.undo)?);
    if arguments.dry_run {
        return Ok(());
    }
    if !arguments.yes && !agreed()? {
        return Err(Failure::input("nothing was done"));
    }
    let client = Client::of(&arguments.installation)?;
    let consent: Value = client.post("consents", &serde_json::to_value(recommendation).expect("it is plain data"))?;
    run(&change, &folder, global)?;
    if !global.quiet {
        eprintln!("done; `trimtab undo {}` takes it back", consent["consent"]);
    }
    Ok(())
}

pub(crate) fn undo(arguments: &Undo, global: Global) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let lines: Value = client.get("consents")?;
    let line = lines.as_array().into_iter().flatten().find(|line| line["consent"] == json!(arguments.consent));
    let Some(line) = line else {
        return Err(Failure::input(format!("there is no consent {}; `trimtab ledger` lists them", arguments.consent)));
    };
    if !line["undone_ms"].is_null() {
        return Err(Failure::input("it was taken back before"));
    }
    let recommendation: Recommendation = serde_json::from_value(line["recommendation"].clone())
        .map_err(|error| Failure::outside(format!("what was agreed to is not understood: {error}")))?;
    run(&commands(&recommendation.undo)?, &arguments.installation.folder()?, global)?;
    let _done: Value = client.post(&format!("consents/{}/undo", arguments.consent), &json!({}))?;
    if !global.quiet {
        eprintln!("taken back");
    }
    Ok(())
}

pub(crate) fn ledger(arguments: &Ledger) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let mut lines: Vec<Value> = client.get("consents")?;
    if lines.is_empty() {
        eprintln!("nothing was applied yet: `trimtab optimize` says what could be, `trimtab apply` does it");
    }
    let history = installation::history(&arguments.installation.folder()?)?;
    let mut notes = Vec::new();
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
    for words in commands(&recommendation.undo)? {
        let change = parsed(&words)?.as_change()?;
        let change = change.ok_or_else(|| Failure::outside(format!("`{}` cannot be replayed", words.join(" "))))?;
        without = without.with(change);
    }
    let at = |value: &Value| value.as_i64().map(Timestamp);
    let (from, until) =
        (at(&line["at_ms"]).unwrap_or(Timestamp::MAX), at(&line["undone_ms"]).unwrap_or(Timestamp::MAX));
    verify(history, &without, from, until, recommendation.proof.seed)
        .map_err(|unfit| Failure::outside(format!("what was recorded cannot be replayed: {unfit}")))
}

/// What is shown before anybody agrees.
fn shown_as(recommendation: &Recommendation) -> String {
    let mut text = format!("{}\n", recommendation.title);
    if let Some(wait) = &recommendation.effect.wait_s {
        let signed = advise::ground::signed;
        text.push_str(&format!(
            "  mean wait {} (90 % interval {} to {})\n",
            signed(wait.value),
            signed(wait.low),
            signed(wait.high)
        ));
    }
    for worse in &recommendation.worse_for {
        text.push_str(&format!("  worse: {worse}\n"));
    }
    let mut list = |title: &str, steps: &[Step]| {
        text.push_str(&format!("  {title}\n"));
        for step in steps {
            text.push_str(&format!("    {}\n", step.text.replace('\n', "\n    ")));
        }
    };
    list("to be done:", &recommendation.change);
    list("undone by:", &recommendation.undo);
    text.push_str(&format!("  proof: {}\n", recommendation.proof.command));
    text
}

/// The steps as words of this program's own commands.
fn commands(steps: &[Step]) -> Outcome<Vec<Vec<String>>> {
    let parse = |step: &Step| {
        if step.system != Step::TRIMTAB {
            let text = format!("this is done to {}, which Trimtab does not steer: do it there, as shown", step.system);
            return Err(Failure::input(text));
        }
        shlex::split(&step.text).ok_or_else(|| Failure::input(format!("`{}` is no command", step.text)))
    };
    steps.iter().map(parse).collect()
}

/// Runs commands of this program, as if they had been typed.
fn run(commands: &[Vec<String>], folder: &std::path::Path, global: Global) -> Outcome {
    for words in commands {
        let folder = ["--folder".to_owned(), folder.display().to_string()];
        parsed(&[words.as_slice(), &folder].concat())?.run_with(global)?;
    }
    Ok(())
}

fn parsed(words: &[String]) -> Outcome<cli::Arguments> {
    cli::Arguments::try_parse_from(words).map_err(|error| Failure::input(format!("`{}`: {error}", words.join(" "))))
}

fn agreed() -> Outcome<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::input("nobody is there to be asked: say --yes to agree, or --dry-run to look only"));
    }
    eprint!("Do it? [y/N] ");
    let _shown = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| Failure::opening("the answer", &error))?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
