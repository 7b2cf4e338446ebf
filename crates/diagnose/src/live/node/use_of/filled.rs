//! Devices that could do more at once.

use fleet::finding::{Confidence, Evidence};
use fleet::signal::nvidia;

use super::{BUSY, Found, Rule, Use, UseRule, WORKING, percent};

pub(super) static RULE: UseRule = UseRule {
    rule: Rule {
        name: "under-filled",
        about: "kernels run on a device all the time and fill little of it, and half of its memory is free: more would fit at once (unvalidated)",
        signals: &[
            &nvidia::BUSY,
            &nvidia::SM_ACTIVE,
            &nvidia::SM_OCCUPANCY,
            &nvidia::MEMORY_ACTIVE,
            &nvidia::MEMORY_USED,
            &nvidia::MEMORY_TOTAL,
        ],
        threshold: "for a minute: busy 90 % of the time, multiprocessors active less than half of it (NVIDIA, DCGM profiling metrics), half of the memory free, less than 30 % of its bandwidth used, and 70 % of steps spent computing where they are told; the rest is ours",
    },
    check,
};

/// The part of memory that is in use.
const MEMORY: f64 = 0.5;
/// The part of its bandwidth: above that, memory has a share in it.
const BANDWIDTH: f64 = 0.3;
/// The part of the PCIe link's speed.
const LINK: f64 = 0.2;
/// Ranks that compute less of their steps wait for others, and kernels of an exchange fill little of a device.
const COMPUTING: f64 = 0.7;

fn check(device: &Use<'_>) -> Option<Found> {
    let busy = device.mean(&nvidia::BUSY).filter(|busy| *busy >= BUSY)?;
    let working = device.mean(&nvidia::SM_ACTIVE).filter(|working| (0.02..WORKING).contains(working))?;
    let (used, total) = device.mean(&nvidia::MEMORY_USED).zip(device.mean(&nvidia::MEMORY_TOTAL))?;
    let bandwidth = device.mean(&nvidia::MEMORY_ACTIVE).filter(|share| *share < BANDWIDTH)?;
    let computing = device.node.computing;
    if used >= MEMORY * total
        || device.link_share().is_some_and(|share| share >= LINK)
        || computing.is_some_and(|share| share < COMPUTING)
    {
        return None;
    }
    let mut evidence = vec![
        percent("something runs on it", busy),
        percent("multiprocessors are active", working),
        Evidence::new("memory in use", used / 1e9, "GB").beside("of", total / 1e9),
        Evidence::new("of the memory's bandwidth is used", 100.0 * bandwidth, "%"),
        Evidence::new("at most, so many times as much fits in the same time", 1.0 / working, ""),
    ];
    evidence.extend(
        device
            .mean(&nvidia::SM_OCCUPANCY)
            .map(|share| Evidence::new("warps that are active", 100.0 * share, "% of those that could be")),
    );
    Some(Found {
        verdict: format!(
            "is busy {:.0} % of the time, with kernels that fill {:.0} % of it, and has {:.0} % of its memory free",
            100.0 * busy,
            100.0 * working,
            100.0 * (1.0 - used / total)
        ),
        // Without steps nobody knows whether it computes, or waits for other devices in an exchange.
        confidence: if computing.is_some() { Confidence::Likely } else { Confidence::Possible },
        evidence,
        advice: "Give it more at once: a larger batch, several requests together, two jobs on one device (MPS, MIG), or a smaller device.",
    })
}
