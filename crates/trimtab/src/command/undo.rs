//! `trimtab undo`: what was applied is taken back.

use clap::Args;
use serde_json::{Value, json};

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
    let done: Value = client.post(&format!("consents/{}/undo", arguments.consent), &json!({}))?;
    if done["changed"] != json!(true) {
        return Err(Failure::input("it was taken back before"));
    }
    if !global.quiet {
        eprintln!("taken back");
    }
    Ok(())
}
