//! Devices that do not answer any more.

use fleet::finding::{Confidence, Evidence, Finding};
use fleet::signal::nvidia;

use super::super::rule::Rule;
use super::{Node, NodeRule, called, last, place};
use crate::devices::UNVALIDATED;

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "device-lost",
        about: "a device that was there does not answer any more (unvalidated)",
        signals: &[&nvidia::PRESENT],
        threshold: "it has not answered for five seconds",
    },
    find,
};

const SECONDS: i64 = 5;

fn find(node: &Node<'_>) -> Vec<Finding> {
    let (signals, now) = (node.signals, node.now);
    let span = last(SECONDS, now);
    let lost = |of: &&fleet::series::Thing| {
        signals.count(&nvidia::PRESENT, of, span) >= 4 && signals.mean(&nvidia::PRESENT, of, span) == Some(0.0)
    };
    signals
        .things(&nvidia::PRESENT)
        .filter(lost)
        .map(|of| {
            let mut finding = Finding::new(RULE.rule.name, format!("{} does not answer any more", called(of)));
            finding.places.push(place(of));
            finding.confidence = Confidence::Certain;
            finding.evidence.push(Evidence::new("it has not answered for", SECONDS as f64, "s or more"));
            finding.advice = vec![
                "Look in the kernel log (dmesg | trimtab diagnose -): an Xid 79 says that it fell off the bus. Drain the machine and restart it.".to_owned(),
                UNVALIDATED.to_owned(),
            ];
            finding
        })
        .collect()
}
