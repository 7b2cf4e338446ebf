//! Copies between host and device.

use fleet::finding::{Confidence, Evidence};
use fleet::signal::nvidia;

use super::{Found, Rule, Use, UseRule, WORKING, percent};

pub(super) static RULE: UseRule = UseRule {
    rule: Rule {
        name: "copy-bound",
        about: "a device works little while its PCIe link is busy: it waits for copies (unvalidated)",
        signals: &[
            &nvidia::SM_ACTIVE,
            &nvidia::PCIE_RECEIVED,
            &nvidia::PCIE_SENT,
            &nvidia::PCIE_GENERATION,
            &nvidia::PCIE_WIDTH,
        ],
        threshold: "for a minute: half of what the link carries (PCI Express Base Specification) is used in one direction, and multiprocessors are active less than half of the time (NVIDIA, DCGM profiling metrics); the half of the link is ours",
    },
    check,
};

/// The part of the link's speed.
const LINK: f64 = 0.5;

fn check(device: &Use<'_>) -> Option<Found> {
    let working = device.mean(&nvidia::SM_ACTIVE).filter(|working| *working < WORKING)?;
    let link = device.link_share().filter(|share| *share >= LINK)?;
    Some(Found {
        verdict: format!(
            "works {:.0} % of the time, and its PCIe link is {:.0} % full: it waits for copies",
            100.0 * working,
            100.0 * link
        ),
        confidence: Confidence::Likely,
        evidence: vec![
            Evidence::new("of the PCIe link's speed is used", 100.0 * link, "%"),
            percent("multiprocessors are active", working),
        ],
        advice: "Copy less and beside computing: pinned memory and non_blocking=True, the next batch ahead of its step, smaller types on the way, and nothing to the host (.item(), .cpu()) within a step.",
    })
}
