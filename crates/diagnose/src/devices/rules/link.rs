//! A PCIe link with fewer lanes, or slower, than it could be.

use fleet::finding::{Confidence, Evidence};

use super::{Found, Rule};
use crate::devices::Device;

pub(super) const RULE: Rule = Rule {
    name: "degraded-link",
    about: "a PCIe link has fewer lanes than it could have, or is slower while the device works",
    source: "NVML: current and maximum link width and generation; the generation falls on purpose while a device is idle",
    validated: false,
    check,
};

fn check(device: &Device) -> Option<Found> {
    let narrow = device.link_width.zip(device.link_width_max).filter(|(now, most)| now < most);
    let works = device.busy_percent.is_some_and(|busy| busy > 0.0);
    let slow = device.link_generation.zip(device.link_generation_max).filter(|(now, most)| works && now < most);
    let mut evidence = Vec::new();
    if let Some((now, most)) = narrow {
        evidence.push(Evidence::new("lanes of the link", now as f64, "").beside("at most", most as f64));
    }
    if let Some((now, most)) = slow {
        evidence.push(Evidence::new("generation of the link", now as f64, "").beside("at most", most as f64));
    }
    if evidence.is_empty() {
        return None;
    }
    if let Some(replays) = device.replays.filter(|replays| *replays > 0) {
        evidence.push(Evidence::new("packets sent again", replays as f64, ""));
    }
    let lanes = narrow.map_or(1.0, |(now, most)| now as f64 / most as f64);
    let speed = slow.map_or(1.0, |(now, most)| 0.5_f64.powi(i32::try_from(most - now).unwrap_or(0)));
    Some(Found {
        verdict: format!("has a PCIe link of {:.0} % of the speed it could have", 100.0 * lanes * speed),
        // Some machines are wired with fewer lanes on purpose: those of AWS with A10G and T4 are.
        confidence: Confidence::Possible,
        evidence,
        advice: "Copies to and from the device take longer. Some machines, cloud instances among them, are wired with fewer lanes on purpose; where \
                 others of the same kind have more, seat the card or its riser again, and check the slot in the firmware.",
    })
}
