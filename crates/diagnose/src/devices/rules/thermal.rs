//! Held down by heat.

use fleet::finding::{Confidence, Evidence};

use super::{Found, Rule};
use crate::devices::Device;

pub(super) const RULE: Rule = Rule {
    name: "thermal-throttle",
    about: "a device is so hot that it slows down",
    source: "NVML: clocks event reasons HW and SW thermal slowdown; the slowdown threshold that the device tells",
    validated: false,
    check,
};

fn check(device: &Device) -> Option<Found> {
    let told = device.held_down.thermal == Some(true);
    let hot = device.temperature_c.zip(device.slowdown_c).is_some_and(|(now, from)| now >= from);
    if !told && !hot {
        return None;
    }
    let mut evidence = Vec::new();
    if let Some(now) = device.temperature_c {
        let now = Evidence::new("temperature", now, "°C");
        evidence.push(device.slowdown_c.map_or(now.clone(), |from| now.beside("it slows down from", from)));
    }
    if let Some((now, most)) = device.clock_mhz.zip(device.clock_max_mhz) {
        evidence.push(Evidence::new("clock", now, "MHz").beside("at most", most));
    }
    Some(Found {
        verdict: "is held down by heat".to_owned(),
        confidence: if told { Confidence::Certain } else { Confidence::Likely },
        evidence,
        advice: "Look at fans, air flow and the temperature of the room; until then let other devices do the work.",
    })
}
