//! `trimtab apply`: what was recommended is done here.
//!
//! What is done are commands of this program, the ones that the recommendation shows, and nothing else; the consent is stored
//! before the first of them.

use std::io::{IsTerminal, Write};

use clap::{Args, Parser};
use fleet::recommendation::{Recommendation, Step};
use serde_json::Value;

use crate::cli;
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::installation::{self, Installation};
use crate::printed::print;

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
    let all = installation::recommendations(&folder)?;
    let Some(recommendation) = all.iter().find(|found| found.id == arguments.id) else {
        let ids: Vec<&str> = all.iter().map(|found| found.id.as_str()).collect();
        let known = if ids.is_empty() { "none was made".to_owned() } else { format!("there are: {}", ids.join(", ")) };
        return Err(Failure::input(format!("no recommendation `{}`; {known}", arguments.id)));
    };
    print(&shown_as(recommendation))?;
    let change = commands(&recommendation.change)?;
    // What cannot be taken back here is not done here.
    commands(&recommendation.undo)?;
    if arguments.dry_run {
        return Ok(());
    }
    if !arguments.yes && !agreed()? {
        return Err(Failure::input("nothing was done"));
    }
    let client = Client::of(&arguments.installation)?;
    let consent: Value = client.post("consents", &serde_json::to_value(recommendation).expect("it is plain data"))?;
    carry_out(&change, &folder, global)?;
    if !global.quiet {
        eprintln!("done; `trimtab undo {}` takes it back", consent["consent"]);
    }
    Ok(())
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
pub(super) fn commands(steps: &[Step]) -> Outcome<Vec<Vec<String>>> {
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
pub(super) fn carry_out(commands: &[Vec<String>], folder: &std::path::Path, global: Global) -> Outcome {
    for words in commands {
        let folder = ["--folder".to_owned(), folder.display().to_string()];
        parsed(&[words.as_slice(), &folder].concat())?.run_with(global)?;
    }
    Ok(())
}

pub(super) fn parsed(words: &[String]) -> Outcome<cli::Arguments> {
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
