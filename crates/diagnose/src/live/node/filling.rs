//! Devices whose memory fills up: who runs there will soon get no more.

use fleet::finding::{Confidence, Evidence, Finding};
use fleet::quantity::Millis;
use fleet::series::Thing;
use fleet::signal::nvidia;

use super::super::rule::Rule;
use super::super::signals::Span;
use super::{Node, NodeRule, called, place};
use crate::devices::UNVALIDATED;

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "device-memory-filling",
        about: "the memory of a device is nearly full, and fills up further from minute to minute: fragments, or something that is kept (unvalidated)",
        signals: &[&nvidia::MEMORY_USED, &nvidia::MEMORY_TOTAL],
        threshold: "90 % used, more in each of the last three minutes than in the one before, and full within half an hour at that pace; ours: what a framework keeps for itself does not grow",
    },
    find,
};

/// The share of memory from which it is looked at.
const USED: f64 = 0.9;
/// Full within so long at that pace.
const WITHIN_MINUTES: f64 = 30.0;
/// The share of memory by which it must grow in a minute; less is noise.
const GROWS: f64 = 0.001;
/// Minutes that are held against each other.
const MINUTES: i64 = 3;

fn find(node: &Node<'_>) -> Vec<Finding> {
    node.signals.things(&nvidia::MEMORY_USED).filter_map(|of| of_device(node, of)).collect()
}

fn of_device(node: &Node<'_>, of: &Thing) -> Option<Finding> {
    let minute =
        |ago: i64| Span { from: node.now - Millis((ago + 1) * 60_000), until: node.now - Millis(ago * 60_000 + 1) };
    let used = |ago| {
        let known = node.signals.count(&nvidia::MEMORY_USED, of, minute(ago)) >= 54;
        node.signals.mean(&nvidia::MEMORY_USED, of, minute(ago)).filter(|_| known)
    };
    let total = node.signals.mean(&nvidia::MEMORY_TOTAL, of, minute(0)).filter(|total| *total > 0.0)?;
    let minutes: Vec<f64> = (0..MINUTES).rev().map(used).collect::<Option<_>>()?;
    let (first, now) = (minutes.first()?, minutes.last()?);
    let grows = minutes.windows(2).all(|pair| pair[1] - pair[0] >= GROWS * total);
    let pace = (now - first) / (MINUTES - 1) as f64;
    if !grows || *now < USED * total || (total - now) / pace > WITHIN_MINUTES {
        return None;
    }
    let left = (total - now) / pace;
    let mut finding = Finding::new(
        RULE.rule.name,
        format!(
            "{} has {:.0} % of its memory in use and fills up: at this pace it is full in {left:.0} minutes",
            called(of),
            100.0 * now / total
        ),
    );
    finding.places.push(place(of));
    finding.confidence = Confidence::Possible;
    finding.evidence.push(Evidence::new("memory in use", now / 1e9, "GB").beside("of", total / 1e9));
    finding.evidence.push(Evidence::new("it grows by", pace / 1e9, "GB a minute"));
    finding.advice = vec![
        "Look at what is kept from step to step (torch.cuda.memory_summary): losses that are added up with their graphs, caches, outputs of evaluations; where reserved is far above allocated it is fragments, and PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True helps.".to_owned(),
        UNVALIDATED.to_owned(),
    ];
    Some(finding)
}
