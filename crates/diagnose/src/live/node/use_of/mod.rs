//! How well a device is used: a file for each thing that it may wait for, and one verdict a device.
//!
//! They are asked in order, what is plainest first; the first that holds is named, so that no hour of a device is explained twice. Where none
//! holds and a device is busy without working, that is said and no more. What is told is how much would fit beside it at most, and no
//! speed-up: how much of it a change brings back nobody measured.

mod copy;
mod filled;
mod launch;
mod memory;
mod precision;

use fleet::finding::{Confidence, Evidence, Finding};
use fleet::quantity::Millis;
use fleet::series::Thing;
use fleet::signal::{Signal, nvidia, process};
use fleet::time::Timestamp;

use super::super::rule::Rule;
use super::{Node, called, devices, last, place};
use crate::devices::UNVALIDATED;

/// It must have been so for this long: in the mean of each of its parts, so that what comes and goes, such as evaluations, is nothing.
const SECONDS: i64 = 60;
/// Parts of that time.
const PARTS: i64 = 3;
/// NVIDIA: multiprocessors that are active less than half of the time "likely" mean that a device is not used well (DCGM, profiling metrics).
const WORKING: f64 = 0.5;
/// The part of time from which on something runs all the time.
const BUSY: f64 = 0.9;

/// A rule over how a device is used.
#[derive(Debug)]
struct UseRule {
    rule: Rule,
    check: fn(&Use<'_>) -> Option<Found>,
}

static ALL: &[&UseRule] = &[&copy::RULE, &memory::RULE, &launch::RULE, &precision::RULE, &filled::RULE];

pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    ALL.iter().map(|rule| &rule.rule)
}

/// A device in a span of time.
#[derive(Debug)]
struct Use<'a> {
    node: &'a Node<'a>,
    of: &'a Thing,
    seconds: i64,
    until: Timestamp,
}

struct Found {
    /// What it does, after its name.
    verdict: String,
    confidence: Confidence,
    evidence: Vec<Evidence>,
    advice: &'static str,
}

impl Use<'_> {
    /// The mean of a gauge; nothing where it was not known most of the time.
    fn mean(&self, signal: &'static Signal) -> Option<f64> {
        let span = last(self.seconds, self.until);
        let known = self.node.signals.count(signal, self.of, span) >= self.seconds as usize * 9 / 10;
        self.node.signals.mean(signal, self.of, span).filter(|_| known)
    }

    /// What is said where it is busy without working, and nothing says why.
    fn not_working(&self) -> Option<Finding> {
        let _known = self.mean(&nvidia::SM_ACTIVE).zip(self.mean(&nvidia::BUSY))?;
        let all = devices::of_device(self.node.signals, self.of, self.seconds, self.until);
        all.into_iter().find(|finding| finding.rule == "busy-not-working")
    }

    /// The part of the PCIe link's speed that is used, in the direction that is used more.
    fn link_share(&self) -> Option<f64> {
        let (generation, lanes) = (self.mean(&nvidia::PCIE_GENERATION)?, self.mean(&nvidia::PCIE_WIDTH)?);
        let used = self.mean(&nvidia::PCIE_RECEIVED)?.max(self.mean(&nvidia::PCIE_SENT)?);
        let capacity = lane_bytes(generation)? * lanes;
        (capacity > 0.0).then(|| used / capacity)
    }

    /// Of the processes that tell their steps, how much of a processor the one takes that takes least; nothing where nobody tells.
    fn host_threads(&self) -> Option<f64> {
        let span = last(self.seconds, self.until);
        let of = |pid: &u32| self.node.signals.rate(&process::OWN_CPU_USED, &Thing::Process(*pid), span);
        let each: Vec<f64> = self.node.processes.iter().map(of).collect::<Option<_>>()?;
        each.into_iter().reduce(f64::min)
    }
}

/// What a lane of PCIe carries in a second after its encoding, in bytes (PCI Express Base Specification).
fn lane_bytes(generation: f64) -> Option<f64> {
    let of = [250e6, 500e6, 985e6, 1_969e6, 3_938e6, 7_563e6];
    let index = (generation.round() as usize).checked_sub(1)?;
    of.get(index).copied()
}

pub(super) fn find(node: &Node<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for of in devices::lately(node.signals, SECONDS, node.now) {
        let whole = Use { node, of, seconds: SECONDS, until: node.now };
        // Without this nothing is known of how it is used.
        if whole.mean(&nvidia::SM_ACTIVE).is_none() {
            continue;
        }
        let part = |index: i64| {
            let seconds = SECONDS / PARTS;
            Use { node, of, seconds, until: node.now - Millis(index * seconds * 1_000) }
        };
        let holds = |rule: &&&UseRule| (0..PARTS).all(|index| (rule.check)(&part(index)).is_some());
        let first = ALL.iter().filter(holds).find_map(|rule| Some((rule, (rule.check)(&whole)?)));
        match first {
            Some((rule, first)) => found.push(finding(&rule.rule, of, first)),
            None => found
                .extend(whole.not_working().filter(|_| (0..PARTS).all(|index| part(index).not_working().is_some()))),
        }
    }
    found
}

fn finding(rule: &Rule, of: &Thing, found: Found) -> Finding {
    let mut finding = Finding::new(rule.name, format!("{} {}", called(of), found.verdict));
    finding.places.push(place(of));
    finding.confidence = found.confidence;
    finding.evidence = found.evidence;
    finding.advice = vec![found.advice.to_owned(), UNVALIDATED.to_owned()];
    finding
}

/// A share, as evidence.
fn percent(what: &str, share: f64) -> Evidence {
    Evidence::new(what, 100.0 * share, "% of the time")
}
