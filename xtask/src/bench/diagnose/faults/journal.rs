//! What came of runs, kept from one start of the bench to the next for as long as what is measured is the same: the sources as committed.
//! Programs say which commit they are of, so that one about words alone would make them others.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::process::Command;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::workspace;
use train_rig::trial::{Case, Outcome};

/// The file, and what it holds of these sources.
pub(super) struct Journal {
    sources: u64,
    file: File,
    outcomes: Vec<Outcome>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    sources: u64,
    outcome: Outcome,
}

impl Journal {
    pub(super) fn open() -> anyhow::Result<Self> {
        let mut hasher = DefaultHasher::new();
        for arguments in [
            &["rev-parse", "HEAD:crates", "HEAD:Cargo.lock", "HEAD:xtask/src/bench/diagnose/faults"][..],
            &["diff", "HEAD", "--", "crates", "Cargo.lock"],
        ] {
            let output = Command::new("git").current_dir(workspace::root()).args(arguments).output();
            let output = output.context("git did not start: it tells which sources are measured")?;
            ensure!(
                output.status.success(),
                "git {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
            hasher.write(&output.stdout);
        }
        let sources = hasher.finish();
        let folder = workspace::root().join("target/xtask");
        fs::create_dir_all(&folder)?;
        let path = folder.join("faults.jsonl");
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        let lines = BufReader::new(File::open(&path)?).lines().map_while(Result::ok);
        // A line that was cut off by an end in the middle is no outcome.
        let read = lines.filter_map(|line| serde_json::from_str::<Line>(&line).ok());
        let outcomes = read.filter(|line| line.sources == sources).map(|line| line.outcome).collect();
        Ok(Self { sources, file, outcomes })
    }

    pub(super) fn found(&self, case: &Case) -> Option<Outcome> {
        self.outcomes.iter().find(|outcome| outcome.case == *case).cloned()
    }

    pub(super) fn add(&mut self, outcome: &Outcome) -> anyhow::Result<()> {
        let line = serde_json::to_string(&Line { sources: self.sources, outcome: outcome.clone() })?;
        writeln!(self.file, "{line}").context("the journal cannot be written")
    }
}
