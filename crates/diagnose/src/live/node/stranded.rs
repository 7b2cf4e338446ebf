//! Devices that nobody has, and nobody can have: the rest of the node is used up.

use fleet::finding::{Confidence, Evidence, Finding};
use fleet::series::Thing;
use fleet::signal::{host, memory, nvidia};

use super::super::rule::Rule;
use super::{Node, NodeRule, last, place};
use crate::devices::UNVALIDATED;

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "stranded-devices",
        about: "devices have no process, while others of the node work and its processors or its memory are used up (unvalidated)",
        signals: &[&nvidia::PROCESSES, &nvidia::BUSY, &host::CPU_IDLE, &host::CPUS, &memory::AVAILABLE, &memory::TOTAL],
        threshold: "for three minutes: no process and nothing ran, and less than 5 % of processors idle or of memory available; ours",
    },
    find,
};

/// So long it must be so.
const SECONDS: i64 = 180;
/// So much of the node is nothing.
const LEFT: f64 = 0.05;

fn find(node: &Node<'_>) -> Vec<Finding> {
    let (signals, span) = (node.signals, last(SECONDS, node.now));
    let known = |of: &&Thing| signals.count(&nvidia::PROCESSES, of, span) >= SECONDS as usize * 9 / 10;
    let all: Vec<&Thing> = signals.things(&nvidia::PROCESSES).filter(known).collect();
    let nothing = |signal, of| signals.highest(signal, of, span) == Some(0.0);
    let (free, held): (Vec<&Thing>, Vec<&Thing>) =
        all.into_iter().partition(|of| nothing(&nvidia::PROCESSES, of) && nothing(&nvidia::BUSY, of));
    let works = |of: &&Thing| signals.mean(&nvidia::BUSY, of, span).is_some_and(|busy| busy > 0.0);
    if free.is_empty() || !held.iter().any(works) {
        return Vec::new();
    }
    let of = &Thing::Node;
    let share = |part: Option<f64>, whole: Option<f64>| {
        part.zip(whole).map(|(part, whole)| part / whole).filter(|share| share.is_finite())
    };
    let idle = share(signals.rate(&host::CPU_IDLE, of, span), signals.mean(&host::CPUS, of, span));
    let available = share(signals.mean(&memory::AVAILABLE, of, span), signals.mean(&memory::TOTAL, of, span));
    let used_up = |left: Option<f64>| left.is_some_and(|left| left < LEFT);
    let what = match (used_up(idle), used_up(available)) {
        (true, true) => "processors and memory",
        (true, false) => "processors",
        (false, true) => "memory",
        (false, false) => return Vec::new(),
    };
    let count = free.len();
    let (have, them) =
        if count == 1 { ("1 device of this node has", "it") } else { ("devices of this node have", "them") };
    let many = if count == 1 { String::new() } else { format!("{count} ") };
    let mut finding = Finding::new(
        RULE.rule.name,
        format!(
            "{many}{have} no process, and no job can have {them}: the node's {what} are used up by what runs on the others"
        ),
    );
    finding.places = free.iter().map(|of| place(of)).collect();
    finding.confidence = Confidence::Likely;
    finding.evidence.push(
        Evidence::new("devices that nobody has", count as f64, "").beside("that somebody has", held.len() as f64),
    );
    finding.evidence.extend(idle.map(|idle| Evidence::new("processors that are idle", 100.0 * idle, "%")));
    finding
        .evidence
        .extend(available.map(|available| Evidence::new("memory that is available", 100.0 * available, "%")));
    finding.advice = vec![
        "Give jobs a share of processors and memory for each device that they hold (DefCpuPerGPU and DefMemPerGPU in Slurm), and work without devices another node.".to_owned(),
        UNVALIDATED.to_owned(),
    ];
    vec![finding]
}
