//! Busy, but not working.

use fleet::finding::{Confidence, Evidence};

use super::{Found, Rule};
use crate::devices::Device;

pub(super) const RULE: Rule = Rule {
    name: "busy-not-working",
    about: "something runs on a device all the time, and most of its multiprocessors do nothing",
    source: "ours: active less than half at 90 % utilisation or more; utilisation says that something runs, not how much of the device",
    validated: false,
    check,
};

/// Busy from here on, and not working below that, in percent.
const BUSY: f64 = 90.0;
const WORKING: f64 = 50.0;

fn check(device: &Device) -> Option<Found> {
    let (busy, working) = device.busy_percent.zip(device.working_percent)?;
    if busy < BUSY || working >= WORKING {
        return None;
    }
    Some(Found {
        verdict: format!("is busy {busy:.0} % of the time, and works {working:.0} %"),
        confidence: Confidence::Likely,
        evidence: vec![
            Evidence::new("something runs on it (utilisation)", busy, "% of the time"),
            Evidence::new("multiprocessors are active", working, "% of the time").beside("little below", WORKING),
        ],
        advice: "Kernels are small, wait for memory, or for other devices: record a trace with PyTorch's profiler, and give it to `trimtab diagnose`.",
    })
}
