//! Memory of the node that is nearly used up, and processes that were killed for it.

use fleet::finding::{Confidence, Evidence, Finding};
use fleet::series::Thing;
use fleet::signal::{host, memory};
use fleet::time::Timestamp;

use super::super::rule::Rule;
use super::super::signals::Signals;
use super::{NodeRule, last};

pub(super) static RULE: NodeRule = NodeRule {
    rule: Rule {
        name: "out-of-memory",
        about: "the node's memory is nearly used up, or the kernel kills processes for want of it",
        signals: &[&memory::AVAILABLE, &memory::TOTAL, &memory::OUT_OF_MEMORY, &host::MEMORY_SOME],
        threshold: "a process was killed for it in the last minute; or 3 % of memory is available and something waits for memory a tenth of the time, for ten seconds; ours",
    },
    find,
};

/// So little is nearly nothing.
const AVAILABLE: f64 = 0.03;
/// So much of the time something waits for memory.
const WAITS: f64 = 0.1;

fn find(signals: &Signals, now: Timestamp) -> Vec<Finding> {
    let node = &Thing::Node;
    let (minute, lately) = (last(60, now), last(10, now));
    let killed = signals.rate(&memory::OUT_OF_MEMORY, node, minute).map_or(0.0, |rate| (rate * 60.0).round());
    let part = signals
        .mean(&memory::AVAILABLE, node, lately)
        .zip(signals.mean(&memory::TOTAL, node, lately))
        .map(|(available, total)| available / total);
    let waits = signals.rate(&host::MEMORY_SOME, node, lately).unwrap_or(0.0);
    let short = part.is_some_and(|part| part < AVAILABLE) && waits >= WAITS;
    if killed < 1.0 && !short {
        return Vec::new();
    }
    let verdict = if killed >= 1.0 {
        format!("The kernel killed {killed:.0} in the last minute for want of memory")
    } else {
        format!("{:.1} % of this machine's memory is available, and programs wait for it", 100.0 * part.unwrap_or(0.0))
    };
    let mut finding = Finding::new(RULE.rule.name, verdict);
    finding.confidence = Confidence::Certain;
    finding.evidence.push(Evidence::new("processes killed in the last minute", killed, ""));
    finding.evidence.extend(part.map(|part| Evidence::new("memory that is available", 100.0 * part, "%")));
    finding.evidence.push(Evidence::new("something waits for memory", 100.0 * waits, "% of the time"));
    finding.advice = vec![
        "See who has it (ps aux --sort -rss): loader workers each keep a copy of what they touch, and pinned batches count twice.".to_owned(),
        "Give jobs limits of their own, so that one that grows does not take others with it.".to_owned(),
    ];
    vec![finding]
}
