//! `trimtab policy`: the rules of scheduling here.

use clap::{Args, Subcommand};
use fleet::policy::{Order, Placement, Policy};
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::installation::Installation;
use crate::printed::print;
use crate::shown;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(subcommand)]
    change: Option<Change>,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Follow other rules from now on
    Set(Rules),
}

#[derive(Debug, Args)]
struct Rules {
    #[command(flatten)]
    installation: Installation,
    /// In which order workloads start: fifo, backfill, trimtab
    order: String,
    /// Which of the nodes that would do is taken: best_fit, neighbours, least_stranded
    #[arg(long)]
    placement: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  trimtab policy
  trimtab policy set backfill";

impl Arguments {
    /// The rules that it sets, if it sets any.
    pub(crate) fn rules(&self) -> Outcome<Option<Policy>> {
        let Some(Change::Set(rules)) = &self.change else { return Ok(None) };
        let order = named("order", &rules.order, &Order::ALL.map(|order| (order.name(), order)))?;
        let placements = Placement::ALL.map(|placement| (placement.name(), placement));
        let placement = rules.placement.as_deref().map(|name| named("placement", name, &placements)).transpose()?;
        Ok(Some(Policy { placement: placement.unwrap_or_default(), ..Policy::new(order) }))
    }
}

fn named<T: Copy>(what: &str, name: &str, known: &[(&str, T)]) -> Outcome<T> {
    let found = known.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Failure::input(format!("there is no {what} `{name}`; there are: {}", names.join(", ")))
    })
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    if let Some(Change::Set(rules)) = &arguments.change {
        let client = Client::of(&rules.installation)?;
        let body = json!({ "order": rules.order, "placement": rules.placement });
        let done: Value = client.put("policy", &body)?;
        if !global.quiet {
            eprintln!("{}", if done["changed"] == json!(true) { "from now on" } else { "these are the rules already" });
        }
        return Ok(());
    }
    let policy: Value = Client::of(&arguments.installation)?.get("policy")?;
    print(&match arguments.format {
        Format::Json => format!("{policy}\n"),
        Format::Text => {
            format!("{} (placement {})\n", shown::text(&policy["order"]), shown::text(&policy["placement"]))
        }
    })
}
