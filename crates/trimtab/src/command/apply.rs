//! `trimtab apply`: what was recommended is done here.
//!
//! It shows what would be done, and asks; the server does it, and records the consent with it.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::path::Path;

use clap::Args;
use control::{Rule, drain_of};
use fleet::health::NODE_UNFIT;
use fleet::kept_finding::FindingState;
use fleet::recommendation::{Recommendation, Step};
use serde_json::{Value, json};
use store::{FindingQuery, NodeStanding, Reader};

use crate::client::{Client, part};
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::installation::{self, Installation};
use crate::plane::Clock;
use crate::printed::print;
use crate::rule_of::rule_of;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
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

const EXAMPLES: &str = "\
Examples:
  trimtab optimize                            what to do here, and under which id
  trimtab apply policy-1a2b3c --dry-run       what that would change
  trimtab apply policy-1a2b3c                 asks, records that you agree, and does it
  trimtab undo 1
  trimtab ledger                              what was promised, beside what was measured";

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let folder = arguments.installation.folder()?;
    let all = recommended(&folder)?;
    let Some(recommendation) = all.iter().find(|found| found.id == arguments.id) else {
        let ids: Vec<&str> = all.iter().map(|found| found.id.as_str()).collect();
        let known = if ids.is_empty() { "none was made".to_owned() } else { format!("there are: {}", ids.join(", ")) };
        return Err(Failure::input(format!("no recommendation `{}`; {known}", arguments.id)));
    };
    print(&shown_as(recommendation))?;
    let change = rules(&recommendation.change)?;
    // What cannot be taken back here is not done here.
    rules(&recommendation.undo)?;
    print(&would_change(&folder, &change)?)?;
    if arguments.dry_run {
        return Ok(());
    }
    if !arguments.yes && !agreed()? {
        return Err(Failure::input("nothing was done"));
    }
    let client = Client::of(&arguments.installation)?;
    let done: Value = client.post(&format!("recommendations/{}/apply", part(&recommendation.id)), &json!({}))?;
    if !global.quiet {
        eprintln!("done; `trimtab undo {}` takes it back", done["consent"]);
    }
    Ok(())
}

/// What is recommended here: nodes to be drained that fail their self-test, and what `trimtab optimize` made.
fn recommended(folder: &Path) -> Outcome<Vec<Recommendation>> {
    let unfit = match installation::store(folder) {
        path if path.exists() => {
            let now = Clock::starting_at(None).now();
            let found =
                Reader::open(path).and_then(|reader| reader.findings(&FindingQuery::of(FindingState::Open, now)));
            found.map_err(|error| Failure::outside(error.to_string()))?
        }
        _ => Vec::new(),
    };
    let mut all: Vec<Recommendation> = unfit.iter().filter_map(|kept| drain_of(&kept.finding)).collect();
    match installation::recommendations(folder) {
        Ok(made) => all.extend(made),
        // That none was made is worth a word only where there is no other.
        Err(none) if all.is_empty() => return Err(none),
        Err(_) => {}
    }
    Ok(all)
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
    if recommendation.rule == NODE_UNFIT {
        recommendation.because.iter().for_each(|reason| text.push_str(&format!("  {reason}\n")));
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

/// What is set now, and what would be, by what is stored here.
fn would_change(folder: &Path, change: &[Rule]) -> Outcome<String> {
    let failure = |error: store::StoreError| Failure::outside(error.to_string());
    let reader = Reader::open(installation::store(folder)).map_err(failure)?;
    let policy = reader.policy().map_err(failure)?.unwrap_or_default();
    let drained = reader.nodes().map_err(failure)?.into_iter().filter(|node| node.standing == NodeStanding::Drained);
    let drained: BTreeSet<String> = drained.map(|node| node.facts.name).collect();
    let differences = server::dry_run(change, &reader.queues().map_err(failure)?, &policy, &drained).concat();
    if differences.is_empty() {
        return Ok("  that changes nothing: it is set so already\n".into());
    }
    let lines: Vec<String> = differences.iter().map(|difference| format!("    {difference}\n")).collect();
    Ok(format!("  that changes:\n{}", lines.concat()))
}

/// What these steps set here.
pub(super) fn rules(steps: &[Step]) -> Outcome<Vec<Rule>> {
    steps.iter().map(|step| rule_of(step).map_err(Failure::input)).collect()
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
