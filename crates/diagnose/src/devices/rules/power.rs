//! Held down by power.

use fleet::finding::{Confidence, Evidence};

use super::{Found, Rule};
use crate::devices::Device;

pub(super) const RULE: Rule = Rule {
    name: "power-throttle",
    about: "a device is slowed down by a power limit, or by a signal from outside",
    source: "NVML: clocks event reasons SW power cap and HW power brake; of the cap only where it costs a tenth of the clock or more",
    validated: false,
    check,
};

/// The share of its highest clock below which a power cap costs something.
const CLOCK_SHARE: f64 = 0.9;

fn check(device: &Device) -> Option<Found> {
    let brake = device.held_down.power_brake == Some(true);
    let share = device.clock_mhz.zip(device.clock_max_mhz).map(|(now, most)| now / most);
    let capped = device.held_down.power_cap == Some(true) && share.is_none_or(|share| share < CLOCK_SHARE);
    if !brake && !capped {
        return None;
    }
    let mut evidence = Vec::new();
    if let Some((now, limit)) = device.power_watts.zip(device.power_limit_watts) {
        evidence.push(Evidence::new("power", now, "W").beside("the limit that is set", limit));
    }
    let lowered = device.power_limit_watts.zip(device.power_default_limit_watts).filter(|(set, default)| set < default);
    if let Some((set, default)) = lowered {
        evidence.push(Evidence::new("the limit that is set", set, "W").beside("it comes with", default));
    }
    if let Some((now, most)) = device.clock_mhz.zip(device.clock_max_mhz) {
        evidence.push(Evidence::new("clock", now, "MHz").beside("at most", most));
    }
    let (verdict, advice) = if brake {
        (
            "is slowed down by a power brake from outside",
            "Look at the power supplies of the machine: one may have failed, or be overloaded.",
        )
    } else if lowered.is_some() {
        (
            "is held down by a power limit that was lowered",
            "Raise the limit again if it was not lowered on purpose: `nvidia-smi -i GPU -pl WATTS`.",
        )
    } else {
        (
            "is held down by its power limit",
            "Nothing is broken: the work asks for more power than the device may take. Lower clocks of memory-bound work cost little.",
        )
    };
    Some(Found { verdict: verdict.to_owned(), confidence: Confidence::Certain, evidence, advice })
}
