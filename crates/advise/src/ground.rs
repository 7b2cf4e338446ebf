//! What every rule of recommendation stands on: the history, how it replays as it was, and what the reader asked for.

use fleet::quantity::Millis;
use fleet::recommendation::{Proof, Step};
use replay::fidelity::{Fidelity, Verdict};
use replay::history::History;
use replay::measure::Waits;
use replay::outcome::Outcome;
use replay::scenario::Scenario;
use replay::setup::Setup;

use crate::question::Replayer;

/// What the reader asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The wait that 95 of a hundred workloads may not pass, for the smallest fleet.
    pub p95_wait: Millis,
    /// Queues that may not wait longer, besides those the history protects.
    pub protected: Vec<String>,
    /// The seed of everything drawn.
    pub seed: u64,
    /// What is different from the record in the baseline itself.
    pub baseline: Scenario,
    /// How the history is named in commands: the file, and the fleet file if one was given.
    pub name: String,
    /// The hash of the history.
    pub hash: String,
}

/// What every rule stands on.
pub struct Ground<'a> {
    /// The record.
    pub history: &'a History,
    /// What the reader asked for.
    pub options: &'a Options,
    /// The baseline, applied.
    pub setup: &'a Setup<'a>,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// Its waits.
    pub waits: &'a Waits,
    /// How far it can be trusted.
    pub fidelity: &'a Fidelity,
    /// Who answers what comes of other scenarios.
    pub replayer: &'a dyn Replayer,
}

impl Ground<'_> {
    /// Whether a queue may not wait longer.
    #[must_use]
    pub fn protects(&self, queue: &str) -> bool {
        self.options.protected.iter().any(|name| name == queue)
            || self.setup.queues.iter().any(|rules| rules.name == queue && rules.protected)
    }

    /// Why waits may not be promised, if they may not.
    #[must_use]
    pub fn waits_unsure(&self) -> Option<String> {
        let all = &self.fidelity.all;
        (all.verdict == Verdict::NotReproduced).then(|| {
            format!(
                "it hangs on waits that the baseline replay does not reproduce (recorded mean wait {}, replayed {})",
                seconds(all.recorded_wait_s),
                seconds(all.replayed_wait_s),
            )
        })
    }

    /// The proof of a candidate.
    #[must_use]
    pub fn proof(&self, candidate: &Scenario) -> Proof {
        let baseline = &self.options.baseline;
        Proof {
            history: self.options.hash.clone(),
            command: format!(
                "trimtab replay {} --baseline {} --scenario {} --seed {}",
                self.options.name,
                quoted(baseline),
                quoted(candidate),
                self.options.seed
            ),
            baseline: baseline.id(),
            candidate: candidate.id(),
            seed: self.options.seed,
            engine: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The same step in the words of the system that ran this fleet: Slurm's command where that was Slurm, else the fleet
    /// file's line.
    #[must_use]
    pub fn step(&self, slurm: Option<(&str, String)>, fleet_file: String) -> Step {
        match slurm.filter(|_| self.history.header.source == "slurm") {
            Some((system, text)) => Step { system: system.to_owned(), text },
            None => Step { system: "fleet file".to_owned(), text: fleet_file },
        }
    }
}

/// A scenario as one word of a shell's command line.
fn quoted(scenario: &Scenario) -> String {
    format!("'{}'", scenario.to_json().replace('\'', r"'\''"))
}

/// Seconds as people say them.
#[must_use]
pub fn seconds(value: f64) -> String {
    Millis((value * 1_000.0).round() as i64).to_string()
}
