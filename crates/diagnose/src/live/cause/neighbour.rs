//! Other work on the same processors.

use fleet::finding::{Confidence, Evidence};
use fleet::series::Thing;
use fleet::signal::{host, process};

use super::{Case, Cause, Found, Rate, Rule};

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "noisy-neighbour",
        about: "other work takes the processors that a job's processes could use",
        signals: &[&process::RUN_DELAY, &process::CPU_USED, &host::CPU_USER, &host::CPU_SYSTEM, &host::CPU_STEAL],
        threshold: "processes wait for a processor 10 % of the time more than usual, while work outside the job takes a quarter of a processor more than usual; ours",
    },
    find,
};

/// How much more of the time a process waits for a processor.
const WAITS: f64 = 0.1;
/// Processors that others take more than usual.
const OTHERS: f64 = 0.25;

fn find(case: &Case<'_>) -> Option<Found> {
    let others = others(case)?;
    let waits = |rank| case.rate(&process::RUN_DELAY, rank);
    if others.risen() < OTHERS {
        return None;
    }
    let ranks = case.those(|rank| waits(rank).is_some_and(|rate| rate.risen() >= WAITS));
    if ranks.is_empty() {
        return None;
    }
    let mut evidence: Vec<Evidence> = ranks
        .iter()
        .filter_map(|&rank| {
            let what = format!("threads of rank {} wait for a processor", case.numbers[rank]);
            Some(waits(rank)?.evidence(what, 1.0, "s a second"))
        })
        .collect();
    evidence.insert(0, others.evidence("processors that other work takes", 1.0, ""));
    Some(Found {
        explains_us: case.lost_us(&ranks),
        verdict: format!("{} waits for processors that other work takes", case.who(&ranks)),
        confidence: Confidence::Likely,
        evidence,
        advice: vec![
            "See what else runs here (top), and move it, or give the job processors of its own (a cpuset; the static CPU policy of Kubernetes; --exclusive in Slurm).".to_owned(),
        ],
        ranks,
    })
}

/// Processors that work outside the job takes, what a machine below gives to others among it.
fn others(case: &Case<'_>) -> Option<Rate> {
    let node = |signal| case.rate_of(signal, &Thing::Node);
    let (user, system) = (node(&host::CPU_USER)?, node(&host::CPU_SYSTEM)?);
    let stolen = node(&host::CPU_STEAL);
    let own: Vec<Rate> = case.all().into_iter().filter_map(|rank| case.rate(&process::CPU_USED, rank)).collect();
    let sum = |of: &dyn Fn(Rate) -> Option<f64>| {
        let all = of(user)? + of(system)? + stolen.and_then(of).unwrap_or(0.0);
        let own: Option<f64> = own.iter().map(|rate| of(*rate)).sum();
        Some((all - own?).max(0.0))
    };
    Some(Rate { now: sum(&|rate| Some(rate.now))?, before: sum(&|rate| rate.before) })
}
