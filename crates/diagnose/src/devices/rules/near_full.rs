//! Memory that is nearly full.

use fleet::finding::{Confidence, Evidence};

use super::{Found, Rule};
use crate::devices::Device;

pub(super) const RULE: Rule = Rule {
    name: "near-full",
    about: "the memory of a device is nearly full",
    source: "ours: 97 % used; frameworks keep what they freed, so that this is a hint and no fault",
    validated: true,
    check,
};

/// The share of memory from which a little more is too much.
const FULL: f64 = 0.97;

fn check(device: &Device) -> Option<Found> {
    let (used, all) = device.memory_used_bytes.zip(device.memory_bytes)?;
    if all <= 0.0 || used / all < FULL {
        return None;
    }
    Some(Found {
        verdict: format!("has {:.0} % of its memory in use", 100.0 * used / all),
        confidence: Confidence::Possible,
        evidence: vec![Evidence::new("memory in use", used / 1e9, "GB").beside("of", all / 1e9)],
        advice: "A longer sequence or a larger batch may not fit any more. Frameworks keep memory that they freed: look at what they allocated.",
    })
}
