//! `trimtab cancel`: stop workloads, waiting or running.

use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::installation::Installation;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// Their ids
    #[arg(required = true)]
    ids: Vec<u32>,
    /// Let them run again later: what runs is asked to stop, and waits again
    #[arg(long)]
    requeue: bool,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let verb = if arguments.requeue { "preempt" } else { "cancel" };
    let mut failed: Option<Failure> = None;
    for id in &arguments.ids {
        match client.post::<Value>(&format!("workloads/{id}/{verb}"), &json!({})) {
            Ok(_) if global.quiet => {}
            Ok(done) if done["changed"] == json!(false) => eprintln!("workload {id}: it was asked to stop before"),
            Ok(_) => eprintln!("workload {id}: it stops"),
            // The others are not left alone for the sake of one.
            Err(failure) => drop(failed.get_or_insert(failure)),
        }
    }
    failed.map_or(Ok(()), Err)
}
