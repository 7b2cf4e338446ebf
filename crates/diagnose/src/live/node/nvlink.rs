//! Links between devices that are down, or that send again and again.

use fleet::finding::{Confidence, Evidence, Finding};
use fleet::series::Thing;
use fleet::signal::nvidia;

use super::super::rule::Rule;
use super::{Node, NodeRule, called, last, place};
use crate::devices::UNVALIDATED;

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "degraded-nvlink",
        about: "a device has fewer links of NVLink up than another of its node, or they send again and again (unvalidated)",
        signals: &[&nvidia::NVLINKS_ACTIVE, &nvidia::NVLINK_ERRORS],
        threshold: "fewer for 30 s; or ten replays and recoveries within two minutes; ours: links that are well have none",
    },
    find,
};

/// So long it must be so.
const SECONDS: i64 = 30;
/// Errors are counted over so long.
const COUNTED_SECONDS: i64 = 120;
/// And are too many from here on.
const ERRORS: f64 = 10.0;

fn find(node: &Node<'_>) -> Vec<Finding> {
    let (signals, span) = (node.signals, last(SECONDS, node.now));
    // The highest of the time: a moment in which a driver was asked at a bad time is no lost link.
    let links = |of: &Thing| signals.highest(&nvidia::NVLINKS_ACTIVE, of, span);
    let known = |of: &&Thing| signals.count(&nvidia::NVLINKS_ACTIVE, of, span) >= SECONDS as usize * 9 / 10;
    let all: Vec<&Thing> = signals.things(&nvidia::NVLINKS_ACTIVE).filter(known).collect();
    let most = all.iter().filter_map(|of| links(of)).fold(0.0, f64::max);
    let mut found = Vec::new();
    for of in signals.things(&nvidia::PRESENT) {
        let fewer = links(of).filter(|links| all.contains(&of) && *links < most);
        let errors =
            signals.grown(&nvidia::NVLINK_ERRORS, of, last(COUNTED_SECONDS, node.now)).filter(|grown| *grown >= ERRORS);
        let (what, confidence) = match (fewer, errors) {
            (Some(links), _) => {
                (format!("has {links:.0} links of NVLink up, and another device here {most:.0}"), Confidence::Likely)
            }
            (None, Some(_)) => ("has links of NVLink that send again and again".to_owned(), Confidence::Likely),
            (None, None) => continue,
        };
        let mut finding = Finding::new(RULE.rule.name, format!("{} {what}", called(of)));
        finding.places.push(place(of));
        finding.confidence = confidence;
        finding
            .evidence
            .extend(fewer.map(|links| Evidence::new("links that are up", links, "").beside("most of this node", most)));
        finding.evidence.extend(errors.map(|grown| Evidence::new("replays and recoveries in two minutes", grown, "")));
        finding.advice = vec![
            "Look at `nvidia-smi nvlink -s` and `-e`: drain the node and reset its GPUs together with the switches; if it stays, the link's board or cable is worn.".to_owned(),
            UNVALIDATED.to_owned(),
        ];
        found.push(finding);
    }
    found
}
