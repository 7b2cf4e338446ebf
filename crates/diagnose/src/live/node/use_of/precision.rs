//! Tensor cores that nobody uses.

use fleet::finding::Confidence;
use fleet::signal::nvidia;

use super::{Found, Rule, Use, UseRule, WORKING, percent};

pub(super) static RULE: UseRule = UseRule {
    rule: Rule {
        name: "precision-unused",
        about: "a device computes in single precision, and its tensor cores rest (unvalidated)",
        signals: &[&nvidia::SM_ACTIVE, &nvidia::FP32_ACTIVE, &nvidia::TENSOR_ACTIVE],
        threshold: "for a minute: multiprocessors active half of the time or more, single precision computed 20 % of the time, tensor cores less than 1 %; ours: one matrix product a step on tensor cores shows",
    },
    check,
};

/// Single precision.
const FP32: f64 = 0.2;
/// Tensor cores.
const TENSOR: f64 = 0.01;

fn check(device: &Use<'_>) -> Option<Found> {
    let working = device.mean(&nvidia::SM_ACTIVE).filter(|working| *working >= WORKING)?;
    let fp32 = device.mean(&nvidia::FP32_ACTIVE).filter(|share| *share >= FP32)?;
    let tensor = device.mean(&nvidia::TENSOR_ACTIVE).filter(|share| *share < TENSOR)?;
    Some(Found {
        verdict: format!("computes in single precision {:.0} % of the time, and its tensor cores rest", 100.0 * fp32),
        confidence: Confidence::Likely,
        evidence: vec![
            percent("single precision is computed", fp32),
            percent("tensor cores work", tensor),
            percent("multiprocessors are active", working),
        ],
        advice: "Let matrix products use tensor cores: torch.autocast with bfloat16, or torch.set_float32_matmul_precision(\"high\") where 32 bits must stay.",
    })
}
