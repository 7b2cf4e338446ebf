//! Devices that somebody has and nobody uses.

use fleet::finding::{Confidence, Evidence, Finding, Place};
use fleet::signal::nvidia;
use fleet::time::Timestamp;

use super::super::rule::Rule;
use super::super::signals::Signals;
use super::{NodeRule, last};
use crate::devices::UNVALIDATED;

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "idle-allocation",
        about: "a process has a device open, and nothing runs on it (unvalidated)",
        signals: &[&nvidia::PROCESSES, &nvidia::BUSY, &nvidia::POWER],
        threshold: "nothing ran for three minutes, in no look; ours: no step of training or loading of a model leaves a device alone for as long",
    },
    find,
};

/// So long nothing must have run.
const SECONDS: i64 = 180;

fn find(signals: &Signals, now: Timestamp) -> Vec<Finding> {
    let span = last(SECONDS, now);
    let idle = |of: &&fleet::series::Thing| {
        let known = signals.count(&nvidia::BUSY, of, span) >= SECONDS as usize * 9 / 10;
        let open = signals.mean(&nvidia::PROCESSES, of, span).is_some_and(|processes| processes >= 0.99);
        known && open && signals.mean(&nvidia::BUSY, of, span) == Some(0.0)
    };
    signals
        .things(&nvidia::BUSY)
        .filter(idle)
        .map(|of| {
            let mut finding = Finding::new(RULE.rule.name, format!("GPU {of} is held by a process, and nothing has run on it for three minutes"));
            finding.places.push(Place::new("gpu", of));
            finding.confidence = Confidence::Likely;
            let processes = signals.mean(&nvidia::PROCESSES, of, span).unwrap_or(1.0);
            finding.evidence.push(Evidence::new("processes that have it open", processes, ""));
            finding.evidence.push(Evidence::new("something ran on it", 0.0, "% of the time"));
            finding.evidence.extend(signals.mean(&nvidia::POWER, of, span).map(|watts| Evidence::new("power all the same", watts, "W")));
            finding.advice = vec![
                "See whose it is (nvidia-smi): a notebook that was left open, a process that outlived its job, a job that waits for something else.".to_owned(),
                UNVALIDATED.to_owned(),
            ];
            finding
        })
        .collect()
}
