//! Bars 7 and 8: faults injected into real processes of this machine, and what `trimtab agent` says of each; and runs in which nothing is
//! wrong, of which it must say nothing.
//!
//! A run is a trainer of its own (crates/train-rig) and an agent of its own, which knows only what any agent hears and reads. Half of the
//! seeds, the odd ones, are kept back: nothing was ever tuned on them. What came out of each run is kept in a journal, so that a
//! bench that was ended goes on where it was.

mod journal;
mod score;

use anyhow::Context;
use train_rig::Kind;
use train_rig::trial::{self, Case, Outcome};

use self::journal::Journal;
use crate::bench::program;
use crate::bench::session::Session;
use crate::workspace;

/// Runs with a fault, and without one.
const FAULTY: u64 = 208;
const HEALTHY: u64 = 156;

/// What is tried, in an order in which any beginning holds a bit of everything.
fn cases(wanted: Option<usize>) -> Vec<Case> {
    let kinds = Kind::ALL.len() as u64;
    let mut faulty = (0..FAULTY)
        .map(|number| Case { kind: Kind::ALL.get((number % kinds) as usize).copied(), seed: number / kinds });
    let mut healthy = (0..HEALTHY).map(|seed| Case { kind: None, seed: 1_000 + seed });
    let mut cases = Vec::new();
    // Four with a fault for three without.
    loop {
        let before = cases.len();
        cases.extend(faulty.by_ref().take(4));
        cases.extend(healthy.by_ref().take(3));
        if cases.len() == before || wanted.is_some_and(|wanted| cases.len() >= wanted) {
            cases.truncate(wanted.unwrap_or(usize::MAX));
            return cases;
        }
    }
}

pub(super) fn found(session: &mut Session) -> anyhow::Result<()> {
    let outcomes = outcomes(session, 7)?;
    score::found(session, &outcomes);
    Ok(())
}

pub(super) fn gain(session: &mut Session) -> anyhow::Result<()> {
    let outcomes = outcomes(session, 8)?;
    score::gain(session, &outcomes);
    Ok(())
}

/// What came of every case: out of the journal, or lived now.
fn outcomes(session: &mut Session, bar: u32) -> anyhow::Result<Vec<Outcome>> {
    let trimtab = program::build()?;
    let built = workspace::cargo().args(["build", "--quiet", "--release", "--package", "train-rig"]).status();
    anyhow::ensure!(built.context("cargo did not start")?.success(), "the trainer cannot be built");
    let trainer = train_rig::program().context("the trainer was built, and is not there")?;
    let mut journal = Journal::open()?;
    let cases = cases(session.runs());
    let mut outcomes = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        if let Some(outcome) = journal.found(case) {
            outcomes.push(outcome);
            continue;
        }
        match trial::live(case, &trimtab, &trainer) {
            Ok(outcome) => {
                eprintln!("{}/{}: {}", number + 1, cases.len(), outcome.line());
                journal.add(&outcome)?;
                outcomes.push(outcome);
            }
            Err(error) => session.skip(bar, format!("{}: {error:#}", case.name())),
        }
    }
    Ok(outcomes)
}
