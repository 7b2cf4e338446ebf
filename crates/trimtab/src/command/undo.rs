//! `trimtab undo`: what was applied is taken back.

use clap::Args;
use fleet::recommendation::Recommendation;
use serde_json::{Value, json};

use super::apply::{carry_out, commands};
use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::installation::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// The consent, as `trimtab ledger` numbers it
    consent: i64,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
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
    carry_out(&commands(&recommendation.undo)?, &arguments.installation.folder()?, global)?;
    let _done: Value = client.post(&format!("consents/{}/undo", arguments.consent), &json!({}))?;
    if !global.quiet {
        eprintln!("taken back");
    }
    Ok(())
}
