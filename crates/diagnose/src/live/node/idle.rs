//! Devices that somebody has and nobody uses.

use fleet::finding::{Confidence, Evidence, Finding};
use fleet::signal::nvidia;

use super::super::rule::Rule;
use super::{Node, NodeRule, called, last, place};
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

fn find(node: &Node<'_>) -> Vec<Finding> {
    let (signals, now) = (node.signals, node.now);
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
            let mut finding = Finding::new(RULE.rule.name, format!("{} is held by a process, and nothing has run on it for three minutes", called(of)));
            finding.places.push(place(of));
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
