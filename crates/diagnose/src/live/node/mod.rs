//! What is wrong with the node itself, whatever runs on it: its devices, its memory.

mod devices;
mod idle;
mod lost;
mod memory;

use fleet::finding::Finding;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use super::rule::Rule;
use super::signals::{Signals, Span};

/// A rule over the signals of a node.
#[derive(Debug)]
pub(super) struct NodeRule {
    pub(super) rule: Rule,
    find: fn(&Signals, Timestamp) -> Vec<Finding>,
}

/// Every rule, what is most pressing first. Those of lists of devices are asked beside them.
pub(super) static ALL: &[&NodeRule] = &[&lost::RULE, &memory::RULE, &idle::RULE];

/// What is wrong with the node now.
pub(super) fn find(signals: &Signals, now: Timestamp) -> Vec<Finding> {
    let mut found: Vec<Finding> = ALL.iter().flat_map(|rule| (rule.find)(signals, now)).collect();
    found.extend(crate::devices::findings(&devices::lately(signals, now)));
    found
}

/// The last seconds.
fn last(seconds: i64, now: Timestamp) -> Span {
    Span { from: now - Millis(seconds * 1_000), until: now }
}
