//! Bar 5: a thousand million samples: how long the first batch takes, from the start and from far on, and in how much memory.

use std::ffi::OsString;
use std::fs::{self, File};

use anyhow::Context;
use serde::Deserialize;

use super::super::row::{Row, Target};
use super::super::session::Session;
use super::peers::{Home, Peers, ROUNDS, median};
use crate::workspace;

/// Samples, each of eight tokens of 16 bits.
const SAMPLES: u64 = 1_000_000_000;

/// What the program printed.
#[derive(Debug, Deserialize)]
struct Started {
    first_ms: f64,
    resumed_ms: f64,
    rss_mb: f64,
}

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let folder = workspace::target_folder().join("bench/feed/start");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("tokens.bin");
    // A file without any blocks: what is read of it is zeros.
    let file = File::create(&path).and_then(|file| file.set_len(16 * SAMPLES));
    file.with_context(|| format!("cannot make {}", path.display()))?;
    let peers = Peers::install()?;
    let path: OsString = path.into();
    let mut runs = Vec::new();
    for _ in 0..ROUNDS {
        let printed = peers.run(Home::Torch, "start_trimtab.py", &[&path])?;
        runs.push(serde_json::from_str::<Started>(&printed).with_context(|| printed)?);
    }
    let of = |what: fn(&Started) -> f64| median(runs.iter().map(what).collect());
    session.add(Row::new(5, "first batch of 1e9 samples", of(|run| run.first_ms), Target::AtMost(100.0), "ms"));
    session.add(Row::new(5, "first batch when resumed", of(|run| run.resumed_ms), Target::AtMost(100.0), "ms"));
    let case = "memory of the process, Python and NumPy included";
    session.add(Row::new(5, case, of(|run| run.rss_mb), Target::AtMost(200.0), "MB"));
    Ok(())
}
