//! The device's own memory.

use fleet::finding::{Confidence, Evidence};
use fleet::signal::nvidia;

use super::{Found, Rule, Use, UseRule, percent};

pub(super) static RULE: UseRule = UseRule {
    rule: Rule {
        name: "memory-bound",
        about: "a device's memory is as busy as it can be, and its tensor cores are not: it waits for its memory (unvalidated)",
        signals: &[&nvidia::MEMORY_ACTIVE, &nvidia::TENSOR_ACTIVE, &nvidia::SM_ACTIVE],
        threshold: "for a minute: 60 % of the memory's bandwidth, of which 80 % can be reached (NVIDIA, DCGM profiling metrics), and tensor cores less than 20 % of the time; the 60 and 20 are ours",
    },
    check,
};

/// The part of the bandwidth: three quarters of what NVIDIA says can be reached.
const BANDWIDTH: f64 = 0.6;
/// Tensor cores that work less than this do not set the pace.
const TENSOR: f64 = 0.2;

fn check(device: &Use<'_>) -> Option<Found> {
    let bandwidth = device.mean(&nvidia::MEMORY_ACTIVE).filter(|share| *share >= BANDWIDTH)?;
    let tensor = device.mean(&nvidia::TENSOR_ACTIVE).filter(|share| *share < TENSOR)?;
    let mut evidence = vec![
        Evidence::new("of the memory's bandwidth is used", 100.0 * bandwidth, "%")
            .beside("of which can be reached", 80.0),
        percent("tensor cores work", tensor),
    ];
    evidence.extend(device.mean(&nvidia::SM_ACTIVE).map(|working| percent("multiprocessors are active", working)));
    Some(Found {
        verdict: format!(
            "waits for its own memory: {:.0} % of the bandwidth is used, and tensor cores work {:.0} % of the time",
            100.0 * bandwidth,
            100.0 * tensor
        ),
        confidence: Confidence::Likely,
        evidence,
        advice: "Move fewer bytes for the same work: fused kernels (torch.compile, flash attention), 16 bits or fewer, larger batches where weights are read for each; more clock does not help.",
    })
}
