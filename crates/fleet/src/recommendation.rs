//! A recommendation: a change that can be made, with its effect, its price, its proof, its risk and its undo.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// A value between two bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The value itself.
    pub value: f64,
    /// The upper bound.
    pub high: f64,
}

impl Interval {
    /// Its bounds as `figure` tells them, `1.4 to 1.6`; nothing where both read alike, and the value with them.
    #[must_use]
    pub fn range(&self, figure: impl Fn(f64) -> String) -> Option<String> {
        let [low, high] = [figure(self.low), figure(self.high)];
        (low != high).then(|| format!("{low} to {high}"))
    }
}

/// A change that can be made, proved by replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// A short name that stays the same for the same change of the same history.
    pub id: String,
    /// The rule that proposed it.
    pub rule: String,
    /// What to do, in one sentence.
    pub title: String,
    /// Why, in sentences with numbers.
    pub because: Vec<String>,
    /// What the replay says it brings.
    pub effect: Effect,
    /// What it is worth, under the three names that are never added up.
    pub worth: Worth,
    /// Who fares worse, in sentences; empty: nobody by a minute or more.
    pub worse_for: Vec<String>,
    /// What could be different in life, in sentences.
    pub risks: Vec<String>,
    /// The exact change, for the system that owns the resource.
    pub change: Vec<Step>,
    /// How to take it back.
    pub undo: Vec<Step>,
    /// How to check it.
    pub proof: Proof,
}

/// What a change brings, candidate − baseline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Of the mean wait, in seconds; 90 % interval.
    pub wait_s: Option<Interval>,
    /// Of the mean bounded slowdown; 90 % interval.
    pub slowdown: Option<Interval>,
    /// The 95th percentile of waits, before and after, in seconds.
    pub p95_wait_s: Option<(f64, f64)>,
    /// Workloads that wait a minute or more less, and more.
    pub better: u64,
    /// See `better`.
    pub worse: u64,
    /// The same queue by queue.
    #[serde(default)]
    pub queues: Vec<QueueEffect>,
}

impl Effect {
    /// Whether it is known that nobody waits less or longer: neither on average, nor some for others.
    #[must_use]
    pub fn leaves_waits(&self) -> bool {
        self.wait_s.is_some_and(|wait| wait.low >= 0.0 && wait.high <= 0.0) && self.better == 0 && self.worse == 0
    }
}

/// What a change brings to one queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueEffect {
    /// Which.
    pub name: String,
    /// Of its mean wait, in seconds; 90 % interval.
    pub wait_s: Interval,
    /// Workloads of it that wait a minute or more less.
    pub better: u64,
    /// And more.
    pub worse: u64,
}

/// What a change is worth. These are never added up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// A bill falls by this much in 30 days.
    pub cash_saved_per_month: Option<MoneyInterval>,
    /// Nodes for this much an hour need not be bought: without the change, the same mean wait takes them.
    pub purchase_avoided_per_hour: Option<MoneyInterval>,
    /// Device-hours (core-hours) in 30 days that others could use; worth something only if someone does.
    pub capacity_freed_hours_per_month: Option<Interval>,
}

/// Money between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyInterval {
    /// The lower bound.
    pub low: Money,
    /// The upper bound.
    pub high: Money,
}

impl fmt::Display for MoneyInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high { write!(f, "{}", self.low) } else { write!(f, "{} to {}", self.low, self.high) }
    }
}

/// One thing to do, where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it is done to: `slurm.conf`, `sacctmgr`, `fleet file`, `users`, [`Step::TRIMTAB`].
    pub system: String,
    /// The line or command.
    pub text: String,
}

impl Recommendation {
    /// Whether Trimtab can do all of it itself, and undo it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.change.iter().chain(&self.undo).all(|step| step.system == Step::TRIMTAB)
    }
}

impl Step {
    /// The system of steps that are a command of Trimtab each: those it can do itself.
    pub const TRIMTAB: &'static str = "trimtab";
}

/// How to check a recommendation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The history's hash.
    pub history: String,
    /// The scenario it is compared with.
    pub baseline: String,
    /// The scenario with the change.
    pub candidate: String,
    /// The seed.
    pub seed: u64,
    /// The engine's version.
    pub engine: String,
    /// The command that replays both.
    pub command: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_read_alike_are_no_range() {
        let tenths = |value: f64| format!("{value:.1}");
        let interval = |low, high| Interval { low, value: low, high };
        assert_eq!(interval(1.44, 1.61).range(tenths).as_deref(), Some("1.4 to 1.6"));
        assert_eq!(interval(1.41, 1.44).range(tenths), None);
    }

    #[test]
    fn waits_are_left_only_where_it_is_known_that_nobody_waits_otherwise() {
        let with = |low, high, better, worse| Effect {
            wait_s: Some(Interval { low, value: low, high }),
            better,
            worse,
            ..Effect::default()
        };
        assert!(with(0.0, 0.0, 0, 0).leaves_waits() && with(-0.0, 0.0, 0, 0).leaves_waits());
        // The same on average, one for another.
        assert!(!with(0.0, 0.0, 1, 1).leaves_waits());
        assert!(!with(-1.0, 0.0, 0, 0).leaves_waits() && !with(0.0, 1.0, 0, 0).leaves_waits());
        assert!(!Effect::default().leaves_waits(), "what is unknown is not nothing");
    }
}
