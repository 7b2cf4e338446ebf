//! Errors of GPUs that the kernel told of (Xid), or an exporter where the kernel log is not read.

use fleet::finding::{Confidence, Evidence, Finding, Since};
use fleet::series::Thing;
use fleet::signal::exporter;

use super::super::kernel::Seen;
use super::super::rule::Rule;
use super::{Node, NodeRule, called, last, place};
use crate::xid::{self, Event};

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: xid::RULE,
        about: "the driver told of an error of a GPU (Xid) for which NVIDIA's catalogue has something to be done",
        signals: &[&exporter::LAST_XID],
        threshold: "one line of the kernel log, as it comes; NVIDIA's Xid catalogue. It is news for ten minutes after the last",
    },
    find,
};

/// It is news for so long after the last.
const NEWS_SECONDS: i64 = 600;

fn find(node: &Node<'_>) -> Vec<Finding> {
    let since = last(NEWS_SECONDS, node.now).from;
    let told: Vec<&Seen> = node.kernel.events(since).filter(|seen| xid::is_told(&seen.event)).collect();
    let mut found: Vec<Finding> = told.iter().map(|seen| by_kernel(seen)).collect();
    for of in node.signals.things(&exporter::LAST_XID) {
        let Some((at, code)) = node.signals.changed(&exporter::LAST_XID, of, last(NEWS_SECONDS, node.now)) else {
            continue;
        };
        let code = code as u32;
        // The kernel said it, with the place on the bus and the process: that is the same error.
        if code == 0 || told.iter().any(|seen| seen.event.code == Some(code)) {
            continue;
        }
        found.extend(by_exporter(of, code).map(|finding| Finding { since: Some(Since::Time(at)), ..finding }));
    }
    found
}

fn by_kernel(seen: &Seen) -> Finding {
    let mut finding = xid::finding(&seen.event);
    finding.since = Some(Since::Time(seen.first));
    finding.evidence.push(Evidence::new("lines of the kernel log that say so", seen.count as f64, ""));
    finding
}

fn by_exporter(of: &Thing, code: u32) -> Option<Finding> {
    let entry = xid::entry(code);
    let event = Event {
        gpu: of.to_string(),
        code: Some(code),
        what: entry.map_or("not in the catalogue", |entry| entry.what).to_owned(),
        action: entry.and_then(|entry| entry.action),
        then: None,
        process: None,
        link: None,
    };
    let mut finding = xid::is_told(&event).then(|| xid::finding(&event))?;
    finding.verdict = format!("{}: Xid {code}, {}", called(of), event.what);
    finding.places = vec![place(of)];
    // It tells the last one only, and not which process it was.
    finding.confidence = Confidence::Likely;
    finding.evidence.push(Evidence::new("the last Xid that its exporter tells", f64::from(code), ""));
    Some(finding)
}
