//! Ports of RDMA adapters that went down, fell back to a lower speed, or fail again and again.

use fleet::finding::{Confidence, Evidence, Finding, Place};
use fleet::series::Thing;
use fleet::signal::network;

use super::super::rule::Rule;
use super::{Node, NodeRule, last};
use crate::devices::UNVALIDATED;

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "degraded-network-link",
        about: "a port of an RDMA adapter went down, is slower than it was, or lost its link again and again (unvalidated)",
        signals: &[
            &network::RDMA_UP,
            &network::RDMA_RATE,
            &network::RDMA_RECOVERED,
            &network::RDMA_DOWNED,
            &network::RDMA_SYMBOL_ERRORS,
        ],
        threshold: "beside its own last four minutes: down or slower for ten seconds, or the link was lost or recovered in the last minute; ours",
    },
    find,
};

/// So long it must be so.
const SECONDS: i64 = 10;
/// Failures of the link are counted over so long.
const COUNTED_SECONDS: i64 = 60;
/// What it was before is looked for in so long.
const BEFORE_SECONDS: i64 = 240;

fn find(node: &Node<'_>) -> Vec<Finding> {
    node.signals.things(&network::RDMA_UP).filter_map(|of| of_port(node, of)).collect()
}

fn of_port(node: &Node<'_>, of: &Thing) -> Option<Finding> {
    let (lately, before, counted) =
        (last(SECONDS, node.now), last(BEFORE_SECONDS, node.now), last(COUNTED_SECONDS, node.now));
    // What it was at best in the time; what has told for a moment only is not known.
    let now = |signal| {
        let known = node.signals.count(signal, of, lately) >= SECONDS as usize * 9 / 10;
        node.signals.highest(signal, of, lately).filter(|_| known)
    };
    let was = |signal| node.signals.highest(signal, of, before);
    let fallen = |signal| now(signal).zip(was(signal)).filter(|(now, was)| now < was);
    let grown = |signal| node.signals.grown(signal, of, counted).unwrap_or(0.0);
    let (down, slower) = (fallen(&network::RDMA_UP), fallen(&network::RDMA_RATE));
    let failures = grown(&network::RDMA_DOWNED) + grown(&network::RDMA_RECOVERED);
    let what = match (down, slower) {
        (Some(_), _) => "is down, and was up minutes ago".to_owned(),
        (None, Some((now, was))) => format!("runs at {now:.0} Gbit/s, and did at {was:.0} minutes ago"),
        (None, None) if failures > 0.0 => "lost its link, or had to recover it, in the last minute".to_owned(),
        (None, None) => return None,
    };
    let mut finding = Finding::new(RULE.rule.name, format!("The port {of} {what}"));
    finding.places.push(Place::new("port", of));
    finding.confidence = Confidence::Certain;
    finding.evidence.extend(
        slower.map(|(now, was)| Evidence::new("speed of the link", now, "Gbit/s").beside("at best before", was)),
    );
    finding.evidence.push(Evidence::new("failures of the link in the last minute", failures, ""));
    finding.evidence.push(Evidence::new(
        "faults on the wire in the last minute",
        grown(&network::RDMA_SYMBOL_ERRORS),
        "",
    ));
    finding.advice = vec![
        "Look at the cable and its ends (ibstat, ibdiagnet, ethtool -m), and at the switch's side of it; until then keep jobs of several nodes away.".to_owned(),
        UNVALIDATED.to_owned(),
    ];
    Some(finding)
}
