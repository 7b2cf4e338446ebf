//! Time limits that were asked for and not used: a scheduler that plans by limits keeps what they ask for from others.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::{History, Recorded};
use replay::measure::Spread;
use serde::Serialize;

use super::evidence::{Evidence, Known, Top};
use super::nodes::Resource;
use crate::hours::Hours;
use crate::window::Window;

/// How limits compare with runs, for some workloads that ran. Whole runs count, also where the window cuts them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Of how many workloads the limit is known.
    pub asked: Known,
    /// Limit ÷ longest run, over workloads with a limit that ended; runs shorter than a second count as a second. `null` without
    /// any.
    pub ratio: Option<Spread>,
    /// Workloads that ran to their limit or past it.
    pub reached: u64,
    /// The mean of limit − longest run, over the same; a limit that was passed counts as nothing unused.
    pub unused_mean_ms: Option<Millis>,
    /// Σ (limit − longest run) × what the workload holds.
    pub unused_hours: Hours,
    /// The workloads with the most of it.
    pub evidence: Vec<Evidence>,
}

/// Collects the limits of some workloads.
#[derive(Clone, Debug, Default)]
pub(super) struct Collecting {
    asked: Known,
    ratios: Vec<f64>,
    reached: u64,
    unused_ms: i128,
    unused: Hours,
    top: Top,
}

/// Looks at all workloads that ran in the window.
pub(super) fn limits(history: &History, window: Window, resource: Resource) -> Limits {
    let mut all = Collecting::default();
    history
        .workloads
        .iter()
        .filter(|recorded| ran_in(recorded, window))
        .for_each(|recorded| all.add(recorded, resource));
    all.finish(history)
}

/// Whether a workload belongs to the window: it ran, and was eligible before the window ended and still there when it began.
pub(super) fn ran_in(recorded: &Recorded, window: Window) -> bool {
    let last: Option<Timestamp> = recorded.end();
    !recorded.attempts.is_empty() && recorded.eligible <= window.until && last.is_none_or(|end| end >= window.from)
}

impl Collecting {
    pub(super) fn add(&mut self, recorded: &Recorded, resource: Resource) {
        let run = recorded.attempts.iter().map(|run| run.length).max().unwrap_or_default();
        let ended = recorded.attempts.last().is_some_and(|run| !run.cut_off);
        // A run that goes on tells only a lower bound of what it uses of its limit.
        let limit = recorded.workload.time_limit.filter(|_| ended);
        self.asked.count(recorded.workload.time_limit.map(|_| ()));
        let Some(limit) = limit else { return };
        let unused = limit.saturating_sub(run);
        let hours = Hours::held(resource.of(recorded.workload.total()), unused);
        self.reached += u64::from(run >= limit);
        self.unused_ms += i128::from(unused.0);
        self.unused += hours;
        self.top.offer(hours, recorded.workload.id);
        self.ratios.push(limit.0 as f64 / run.0.max(1_000) as f64);
    }

    pub(super) fn finish(self, history: &History) -> Limits {
        let counted = self.ratios.len() as i128;
        Limits {
            asked: self.asked,
            ratio: Spread::of(self.ratios),
            reached: self.reached,
            unused_mean_ms: self.unused_ms.checked_div(counted).map(|mean| Millis(mean as i64)),
            unused_hours: self.unused,
            evidence: self.top.name(history),
        }
    }
}
