//! Errors of the machine's own memory, as the kernel tells of them.

use fleet::finding::{Confidence, Evidence, Finding, Place, Since};

use super::super::kernel::COUNTED_OVER;
use super::super::rule::Rule;
use super::{Node, NodeRule};

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "host-memory-errors",
        about: "the machine's memory had errors that could not be corrected, or many that were (unvalidated)",
        signals: &[],
        threshold: "by the kernel log (EDAC): 1 that could not be corrected, or 100 that were, within 24 hours behind one controller; the thresholds of mcelog's mcelog.conf for a DIMM",
    },
    find,
};

/// Errors that were corrected, within a day.
const CORRECTED: u64 = 100;
/// And that were not.
const UNCORRECTED: u64 = 1;

fn find(node: &Node<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (controller, errors) in node.kernel.controllers(node.now - COUNTED_OVER) {
        if errors.corrected < CORRECTED && errors.uncorrected < UNCORRECTED {
            continue;
        }
        let (what, confidence) = if errors.uncorrected > 0 {
            ("had errors that could not be corrected", Confidence::Certain)
        } else {
            ("has more errors than memory that is well, all of them corrected so far", Confidence::Likely)
        };
        let mut finding = Finding::new(RULE.rule.name, format!("The machine's memory behind {controller} {what}"));
        finding.places.push(Place::new("memory controller", controller));
        finding.since = Some(Since::Time(errors.first));
        finding.confidence = confidence;
        finding.evidence.push(Evidence::new("errors that could not be corrected", errors.uncorrected as f64, ""));
        finding.evidence.push(Evidence::new("errors that were corrected", errors.corrected as f64, ""));
        finding.advice = vec![
            "Drain the machine, and have the DIMM replaced that the kernel log names (dmesg | grep EDAC); until then checkpoint often.".to_owned(),
            crate::devices::UNVALIDATED.to_owned(),
        ];
        found.push(finding);
    }
    found
}
