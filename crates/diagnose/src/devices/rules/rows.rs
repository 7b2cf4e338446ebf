//! Rows of memory that wait to be replaced, or cannot be.

use fleet::finding::{Confidence, Evidence};

use super::{Found, Rule};
use crate::devices::Device;

pub(super) const RULE: Rule = Rule {
    name: "remapped-rows",
    about: "a row of memory waits to be replaced, or there is none left to replace it by",
    source: "NVIDIA's guide to GPU memory error management: pending remappings want a reset, failed ones a replacement of the board",
    validated: false,
    check,
};

fn check(device: &Device) -> Option<Found> {
    let evidence = device.rows.remapped.map(|count| Evidence::new("rows replaced so far", count as f64, ""));
    let (verdict, advice) = match (device.rows.failed, device.rows.pending) {
        (Some(true), _) => (
            "has a row of memory that could not be replaced",
            "Drain the node, and have the board replaced: it has no spare rows left there.",
        ),
        (_, Some(true)) => (
            "has a row of memory that waits to be replaced",
            "Drain the node and reset the device: the row is replaced then.",
        ),
        _ => return None,
    };
    Some(Found {
        verdict: verdict.to_owned(),
        confidence: Confidence::Certain,
        evidence: evidence.into_iter().collect(),
        advice,
    })
}
