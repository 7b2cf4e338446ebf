//! Bar 8: how far a process grows with a limit of 256 MB, whatever the consumer does and however large samples are.

use std::path::PathBuf;

use anyhow::Context;
use object_rig::{Behaviour, Behind, Server};
use serde::Deserialize;

use super::super::row::{Row, Target};
use super::super::session::Session;
use super::peers::Own;
use super::photographs;
use super::shards::{self, Shape};
use crate::workspace;

/// Two gigabytes of samples of 100 kB, and of 20 MB.
const SMALL: Shape = Shape { shards: 8, samples: 2500, bytes: 100_000 };
const LARGE: Shape = Shape { shards: 10, samples: 10, bytes: 20_000_000 };

/// What the program printed.
#[derive(Debug, Deserialize)]
struct Grown {
    grown_mb: f64,
    samples: u64,
}

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let home = workspace::target_folder().join("bench/feed");
    let (small, large) = (home.join("small"), home.join("large"));
    shards::write(&small, SMALL)?;
    shards::write(&large, LARGE)?;
    let Some(images) = session.data(8, "images") else { return Ok(()) };
    let photographs = photographs::make(&images)?.join("shards");
    let own = Own::install()?;
    let pictures = home.join("pictures");
    own.run("pictures.py", &[&pictures])?;
    let server = Server::start(Behind::Folder(home), Behaviour::default())?;
    let files = |folder: &PathBuf| folder.join("*.tar").display().to_string();
    let cases = [
        ("samples of 100 kB, stalled consumer", "bytes", "stalled", files(&small), 20_000),
        ("samples of 20 MB, stalled consumer", "bytes", "stalled", files(&large), 100),
        ("pictures of 20 MB, decoded, stalled consumer", "pictures", "stalled", files(&pictures), 40),
        ("photographs, slow consumer", "photographs", "slow", files(&photographs), 2_000),
        ("samples of 100 kB over HTTP, stalled consumer", "bytes", "stalled", server.url("small/*.tar"), 20_000),
        ("samples of 20 MB over HTTP, stalled consumer", "bytes", "stalled", server.url("large/*.tar"), 100),
    ];
    for (case, kind, consumer, data, samples) in cases {
        let printed = own.run("memory_trimtab.py", &[kind, consumer, &data])?;
        let grown: Grown = serde_json::from_str(&printed).with_context(|| printed)?;
        anyhow::ensure!(grown.samples == samples, "{case}: {} samples came, of {samples}", grown.samples);
        session.add(Row::new(8, case, grown.grown_mb, Target::AtMost(268.4), "MB"));
    }
    Ok(())
}
