//! Memory of the node that is nearly used up, and processes that were killed for it.

use fleet::finding::{Confidence, Evidence, Finding};
use fleet::series::Thing;
use fleet::signal::{host, memory};

use super::super::kernel::Victim;
use super::super::rule::Rule;
use super::{Node, NodeRule, last};

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "out-of-memory",
        about: "the node's memory is nearly used up, or the kernel kills processes for want of it",
        signals: &[&memory::AVAILABLE, &memory::TOTAL, &memory::OUT_OF_MEMORY, &host::MEMORY_SOME],
        threshold: "a process was killed for it in the last minute; or 3 % of memory is available and something waits for memory a tenth of the time, for ten seconds; ours",
    },
    find,
};

/// So many of those that were killed are named.
const VICTIMS_SHOWN: usize = 8;
/// So little is nearly nothing.
const AVAILABLE: f64 = 0.03;
/// So much of the time something waits for memory.
const WAITS: f64 = 0.1;

fn find(node: &Node<'_>) -> Vec<Finding> {
    let (signals, now) = (node.signals, node.now);
    let of = &Thing::Node;
    let (minute, lately) = (last(60, now), last(10, now));
    let victims: Vec<&Victim> = node.kernel.victims(minute.from).collect();
    let killed = signals.grown(&memory::OUT_OF_MEMORY, of, minute).unwrap_or(0.0).max(victims.len() as f64);
    let part = signals
        .mean(&memory::AVAILABLE, of, lately)
        .zip(signals.mean(&memory::TOTAL, of, lately))
        .map(|(available, total)| available / total);
    let waits = signals.rate(&host::MEMORY_SOME, of, lately).unwrap_or(0.0);
    let short = part.is_some_and(|part| part < AVAILABLE) && waits >= WAITS;
    if killed < 1.0 && !short {
        return Vec::new();
    }
    let verdict = if let [one] = &victims[..] {
        format!("The kernel killed {} for want of memory", one.process)
    } else if killed >= 1.0 {
        format!("The kernel killed {killed:.0} in the last minute for want of memory")
    } else {
        format!("{:.1} % of this machine's memory is available, and programs wait for it", 100.0 * part.unwrap_or(0.0))
    };
    let mut finding = Finding::new(RULE.rule.name, verdict);
    finding.confidence = Confidence::Certain;
    finding.evidence.push(Evidence::new("processes killed in the last minute", killed, ""));
    let resident = |victim: &&Victim| {
        let what = format!("{} had in memory, when it was killed", victim.process);
        Some(Evidence::new(what, victim.resident_bytes? / f64::from(1 << 30), "GiB"))
    };
    finding.evidence.extend(victims.iter().take(VICTIMS_SHOWN).filter_map(resident));
    finding.evidence.extend(part.map(|part| Evidence::new("memory that is available", 100.0 * part, "%")));
    finding.evidence.push(Evidence::new("something waits for memory", 100.0 * waits, "% of the time"));
    finding.advice = vec![
        "See who has it (ps aux --sort -rss): loader workers each keep a copy of what they touch, and pinned batches count twice.".to_owned(),
        "Give jobs limits of their own, so that one that grows does not take others with it.".to_owned(),
    ];
    vec![finding]
}
