//! Bar 9: whether a loader finds good numbers by itself, says what holds it back, and what it would be without that; where something is
//! slow on purpose: a network, a disk, decoding, a function of Python, the consumer.

mod load;
mod predictions;
mod search;
mod trials;

use std::fs;

use anyhow::Context;
use object_rig::{Behaviour, Behind, Server};

use super::super::session::Session;
use super::peers::Own;
use super::photographs;
use crate::workspace;
use load::Bench;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(images) = session.data(9, "images") else { return Ok(()) };
    let photographs = photographs::make(&images)?.join("shards");
    let tokens = workspace::target_folder().join("bench/feed/tokens-small.bin");
    fs::write(&tokens, vec![0; TOKENS_BYTES]).with_context(|| format!("cannot write {}", tokens.display()))?;
    let own = Own::install()?;
    let server = Server::start(Behind::Folder(photographs.clone()), Behaviour::default())?;
    let bench = Bench::new(&own, &server, &photographs, &tokens)?;
    predictions::run(session, &bench)?;
    trials::run(session, &bench)?;
    search::run(session, &bench)
}

/// Some ten thousand samples, which cost next to nothing.
const TOKENS_BYTES: usize = 2 << 20;
