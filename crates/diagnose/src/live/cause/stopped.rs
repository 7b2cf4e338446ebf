//! Processes that are stopped again and again: by a signal, a debugger, a freezer.

use fleet::finding::{Confidence, Evidence};
use fleet::signal::process;

use super::{Case, Cause, Found, Rule};

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "stopped",
        about: "a process is stopped by a signal or a debugger, again and again",
        signals: &[&process::STOPPED],
        threshold: "stopped in a twentieth of looks or more; ours: a process that runs is never found stopped",
    },
    find,
};

/// The part of looks from which it counts.
const STOPPED: f64 = 0.05;

fn find(case: &Case<'_>) -> Option<Found> {
    let stopped = |rank| case.mean(&process::STOPPED, rank).unwrap_or(0.0);
    let ranks = case.those(|rank| stopped(rank) >= STOPPED);
    let most = ranks.iter().map(|&rank| stopped(rank)).fold(0.0, f64::max);
    (!ranks.is_empty()).then(|| Found {
        explains_us: case.lost_us(&ranks),
        verdict: format!("{} is stopped {:.0} % of the time", case.who(&ranks), 100.0 * most),
        confidence: Confidence::Certain,
        evidence: ranks
            .iter()
            .map(|&rank| Evidence::new(format!("rank {} was found stopped", case.numbers[rank]), 100.0 * stopped(rank), "% of looks"))
            .collect(),
        advice: vec![
            "Find who sends SIGSTOP: a debugger or profiler that attaches, a batch system that suspends, a frozen control group.".to_owned(),
        ],
        ranks,
    })
}
