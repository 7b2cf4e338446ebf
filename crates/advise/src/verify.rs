//! Verify: what an applied recommendation has brought, held against what it promised.

use fleet::recommendation::Effect;
use fleet::time::Timestamp;
use replay::fidelity::{Verdict, fidelity_of};
use replay::history::{History, Recorded};
use replay::measure::realised;
use replay::scenario::Scenario;
use replay::setup::{Setup, Unfit};

/// So many workloads must have run since, before anything is said.
pub const WORKLOADS_LEAST: u64 = 30;

/// What can be said of an applied recommendation.
#[derive(Clone, Debug, PartialEq)]
pub enum Verified {
    /// What it has brought so far.
    Known(Effect),
    /// Not yet known, and why.
    NotYet(String),
}

/// Holds what was recorded from `applied` to `until` against the same history lived under the rules of before (`without`).
///
/// # Errors
/// If the scenario does not fit the history.
pub fn verify(
    history: &History,
    without: &Scenario,
    applied: Timestamp,
    until: Timestamp,
    seed: u64,
) -> Result<Verified, Unfit> {
    let since = |recorded: &Recorded| recorded.eligible >= applied && recorded.eligible < until;
    let ran = history.workloads.iter().filter(|recorded| since(recorded) && recorded.wait().is_some()).count();
    if (ran as u64) < WORKLOADS_LEAST {
        return Ok(Verified::NotYet(format!("{ran} of {WORKLOADS_LEAST} workloads have run since")));
    }
    // What was recorded since must be what the engine does under the rules of now, or the difference is not the change's.
    let now = replay::run(&Setup::new(history, &Scenario::recorded())?, seed);
    if fidelity_of(history, &now, since).all.verdict != Verdict::Reproduced {
        return Ok(Verified::NotYet("the replay does not reproduce the waits recorded since".into()));
    }
    let before = replay::run(&Setup::new(history, without)?, seed);
    let found = realised(history, &before, since, seed);
    Ok(Verified::Known(Effect {
        wait_s: Some(found.wait_s),
        slowdown: Some(found.slowdown),
        better: found.better,
        worse: found.worse,
        ..Effect::default()
    }))
}
