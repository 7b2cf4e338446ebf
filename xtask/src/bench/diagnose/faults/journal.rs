//! What came of runs, kept from one start of the bench to the next for as long as the programs are the same.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::one::{Case, Outcome};
use crate::workspace;

/// The file, and what it holds of these programs.
pub(super) struct Journal {
    programs: u64,
    file: File,
    outcomes: Vec<Outcome>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    programs: u64,
    outcome: Outcome,
}

impl Journal {
    pub(super) fn open(programs: &[&Path]) -> anyhow::Result<Self> {
        let mut hasher = DefaultHasher::new();
        for program in programs {
            hasher.write(&fs::read(program).with_context(|| format!("cannot read {}", program.display()))?);
        }
        let programs = hasher.finish();
        let folder = workspace::root().join("target/xtask");
        fs::create_dir_all(&folder)?;
        let path = folder.join("faults.jsonl");
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        let lines = BufReader::new(File::open(&path)?).lines().map_while(Result::ok);
        // A line that was cut off by an end in the middle is no outcome.
        let read = lines.filter_map(|line| serde_json::from_str::<Line>(&line).ok());
        let outcomes = read.filter(|line| line.programs == programs).map(|line| line.outcome).collect();
        Ok(Self { programs, file, outcomes })
    }

    pub(super) fn found(&self, case: &Case) -> Option<Outcome> {
        self.outcomes.iter().find(|outcome| outcome.case == *case).cloned()
    }

    pub(super) fn add(&mut self, outcome: &Outcome) -> anyhow::Result<()> {
        let line = serde_json::to_string(&Line { programs: self.programs, outcome: outcome.clone() })?;
        writeln!(self.file, "{line}").context("the journal cannot be written")
    }
}
