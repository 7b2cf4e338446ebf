//! Bar 10: input that is broken, or made to break a reader: what is wrong is named or left out and counted, in the memory that is
//! allowed, and no process crashes or hangs.

use std::fs;

use anyhow::Context;
use object_rig::{Behaviour, Behind, Server};
use serde::Deserialize;

use super::super::row::{Row, Target};
use super::super::session::Session;
use super::peers::Own;
use crate::workspace;

/// What the program printed: names of cases.
#[derive(Debug, Deserialize)]
struct Found {
    cases: u64,
    wrong: Vec<String>,
    beyond: Vec<String>,
    dead: Vec<String>,
}

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let folder = workspace::target_folder().join("bench/feed/bad");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let own = Own::install()?;
    let server = Server::start(Behind::Folder(folder.clone()), Behaviour::default())?;
    let printed = own.run("bad_trimtab.py", &[&folder.display().to_string(), &server.url("")])?;
    let found: Found = serde_json::from_str(&printed).with_context(|| printed)?;
    for (what, cases) in [
        ("neither named nor left out and counted", found.wrong),
        ("took more memory than the limit", found.beyond),
        ("crashed or hung", found.dead),
    ] {
        let names = if cases.is_empty() { String::new() } else { format!(": {}", cases.join(", ")) };
        let case = format!("of {} kinds of bad input, {what}{names}", found.cases);
        session.add(Row::new(10, case, cases.len() as f64, Target::AtMost(0.0), ""));
    }
    Ok(())
}
