//! Memory errors that could not be corrected.

use fleet::finding::{Confidence, Evidence};

use super::{Found, Rule};
use crate::devices::Device;

pub(super) const RULE: Rule = Rule {
    name: "memory-errors",
    about: "memory had errors that could not be corrected",
    source: "NVML: volatile uncorrected ECC errors; NVIDIA's guide to GPU memory error management has each of them act",
    validated: false,
    check,
};

fn check(device: &Device) -> Option<Found> {
    let uncorrected = device.uncorrected.filter(|count| *count > 0)?;
    let mut evidence =
        vec![Evidence::new("errors that could not be corrected since the driver was loaded", uncorrected as f64, "")];
    evidence.extend(device.corrected.map(|count| Evidence::new("errors that were corrected", count as f64, "")));
    evidence.extend(
        device.rows.remapped.map(|count| Evidence::new("rows that were replaced for such errors", count as f64, "")),
    );
    Some(Found {
        verdict: "had memory errors that could not be corrected".to_owned(),
        confidence: Confidence::Certain,
        evidence,
        advice: "Drain the node and reset the device, so that the rows are replaced; if errors come again, run NVIDIA's field diagnostic.",
    })
}
