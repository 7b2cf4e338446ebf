//! `trimtab drain`: let nothing new start on a node, or let it again.

use control::Rule;
use serde_json::{Value, json};

use crate::client::{Client, part};
use crate::failure::Outcome;
use crate::global::Global;
use crate::installation::Installation;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// Its name, as `trimtab nodes` shows it
    node: String,
    /// Let it be used again
    #[arg(long)]
    undo: bool,
}

const EXAMPLES: &str = "\
Examples:
  trimtab drain gpu-3           what runs there goes on; nothing new starts
  trimtab drain gpu-3 --undo    it is used again";

impl Arguments {
    /// The rule that it sets.
    pub(crate) fn rule(&self) -> Rule {
        let name = self.node.clone();
        if self.undo { Rule::Usable(name) } else { Rule::Drained(name) }
    }
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let verb = if arguments.undo { "resume" } else { "drain" };
    let done: Value = client.post(&format!("nodes/{}/{verb}", part(&arguments.node)), &json!({}))?;
    if !global.quiet {
        let text = match (done["changed"] == json!(true), arguments.undo) {
            (false, false) => "it was drained before",
            (false, true) => "it was not drained",
            (true, false) => "nothing new starts there; what runs goes on",
            (true, true) => "it is used again",
        };
        eprintln!("{}: {text}", arguments.node);
    }
    Ok(())
}
