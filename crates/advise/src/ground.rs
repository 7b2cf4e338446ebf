//! What every rule of recommendation stands on: the history, how it replays as it was, and what the reader asked for.

use fleet::quantity::{MilliDevice, Millis};
use fleet::recommendation::Proof;
use replay::fidelity::{Fidelity, Verdict};
use replay::history::History;
use replay::measure::{Difference, Waits};
use replay::outcome::Outcome;
use replay::scenario::{Change, Scenario};
use replay::setup::Setup;

use crate::question::Replayer;
use crate::slow::Slow;

/// A queue fares worse if its mean wait grows by this many seconds: a minute is below what people plan by.
pub const WORSE_S: f64 = 60.0;

/// What the reader asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The wait that 95 of a hundred workloads may not pass, for the smallest fleet.
    pub p95_wait: Millis,
    /// Queues that may not wait longer, besides those the history protects.
    pub protected: Vec<String>,
    /// The seed of everything drawn.
    pub seed: u64,
    /// What was found of work that ran: that it was slower than it could be.
    pub slow: Vec<Slow>,
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

    /// What a change breaks that may not be broken: a protected queue waits longer, or a queue waits longer than was promised.
    #[must_use]
    pub fn broken(&self, queues: &[Difference], after: &Waits) -> Option<String> {
        let longer = queues.iter().find(|queue| queue.wait_s.value >= WORSE_S && self.protects(&queue.name));
        if let Some(queue) = longer {
            return Some(format!(
                "the protected queue `{}` would wait {} longer",
                queue.name,
                seconds(queue.wait_s.value)
            ));
        }
        after.queues.iter().find_map(|queue| {
            let rules = self.setup.queues.iter().find(|rules| rules.name == queue.name)?;
            let promised = rules.wait_p95_max_ms?.as_seconds();
            let before = self.waits.queues.iter().find(|before| before.name == queue.name)?.wait_s.p95;
            (queue.wait_s.p95 > promised && queue.wait_s.p95 > before).then(|| {
                format!(
                    "of queue `{}` 95 of 100 were promised to wait at most {}, and would wait up to {} (today {})",
                    queue.name,
                    seconds(promised),
                    seconds(queue.wait_s.p95),
                    seconds(before)
                )
            })
        })
    }

    /// Whether another fleet keeps what was signed for: all nodes under contract, and room for what queues were promised.
    #[must_use]
    pub fn keeps_contracts(&self, fleet: &Setup) -> bool {
        let kept = |node: usize| fleet.specs.get(node).is_some_and(Option::is_some);
        let nodes = || self.setup.nodes.iter().enumerate().filter(|(node, _)| self.setup.specs[*node].is_some());
        let committed = nodes().filter(|(_, record)| record.committed).all(|(node, _)| kept(node));
        committed && fleet.capacity() >= self.guaranteed().min(self.setup.capacity())
    }

    /// What queues were promised in sum before they borrow: no fleet is smaller. Quotas that are made from the fleet's size
    /// promise nothing.
    fn guaranteed(&self) -> MilliDevice {
        if self.options.baseline.changes.contains(&Change::QuotaByUse) {
            return MilliDevice::ZERO;
        }
        self.setup.queues.iter().filter_map(|queue| queue.quota_milli).sum()
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

/// A change in seconds, with its sign.
#[must_use]
pub fn signed(value: f64) -> String {
    let text = seconds(value);
    if value > 0.0 { format!("+{text}") } else { text }
}
