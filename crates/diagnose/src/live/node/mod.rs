//! What is wrong with the node itself, whatever runs on it: its devices, its links, its memory, and what its kernel says.

mod devices;
mod filling;
mod idle;
mod lost;
mod memory;
mod memory_errors;
mod network_link;
mod nvlink;
mod stranded;
mod use_of;
mod xid;

use fleet::finding::{Finding, Place};
use fleet::quantity::Millis;
use fleet::series::Thing;
use fleet::time::Timestamp;

use super::kernel::Kernel;
use super::rule::Rule;
use super::signals::{Signals, Span};

/// What is known of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) signals: &'a Signals,
    pub(super) kernel: &'a Kernel,
    /// The processes that tell their steps.
    pub(super) processes: &'a [u32],
    /// The part of their steps in which ranks compute, of the one that does least; nothing where nobody tells steps.
    pub(super) computing: Option<f64>,
    pub(super) now: Timestamp,
}

/// A rule over a node.
#[derive(Debug)]
pub(super) struct NodeRule {
    pub(super) rule: Rule,
    find: fn(&Node<'_>) -> Vec<Finding>,
}

/// Every rule, what is most pressing first. Those of lists of devices are asked beside them.
static ALL: &[&NodeRule] = &[
    &lost::RULE,
    &xid::RULE,
    &memory::RULE,
    &memory_errors::RULE,
    &nvlink::RULE,
    &network_link::RULE,
    &filling::RULE,
    &idle::RULE,
    &stranded::RULE,
];

/// Every rule of nodes, for tables.
pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    ALL.iter().map(|rule| &rule.rule).chain(use_of::rules())
}

/// What is wrong with the node now.
pub(super) fn find(node: &Node<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = ALL.iter().flat_map(|rule| (rule.find)(node)).collect();
    found.extend(devices::find(node));
    found.extend(use_of::find(node));
    found
}

/// The last seconds.
fn last(seconds: i64, now: Timestamp) -> Span {
    Span { from: now - Millis(seconds * 1_000), until: now }
}

/// What a device is called: `GPU 3`, or the name that it has.
fn called(of: &Thing) -> String {
    match of {
        Thing::Device(index) => format!("GPU {index}"),
        named => named.to_string(),
    }
}

/// A device, as a place.
fn place(of: &Thing) -> Place {
    Place::new(if matches!(of, Thing::Device(_)) { "gpu" } else { "device" }, of)
}
