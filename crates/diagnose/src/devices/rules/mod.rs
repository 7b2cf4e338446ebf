//! What can be wrong with a device, a file each.

mod link;
mod memory_errors;
mod near_full;
mod not_working;
mod power;
mod recovery;
mod rows;
mod thermal;

use fleet::finding::{Confidence, Evidence, Finding, Place};

use super::device::Device;

/// A rule over one device at one moment.
pub struct Rule {
    /// A short name that stays the same.
    pub name: &'static str,
    /// What it finds.
    pub about: &'static str,
    /// Where its threshold is from.
    pub source: &'static str,
    /// Whether it was seen to be right on hardware; findings of others say so.
    pub validated: bool,
    check: fn(&Device) -> Option<Found>,
}

/// What is said with what such a rule finds.
pub(crate) const UNVALIDATED: &str = "This rule is unvalidated: it was not yet seen to be right on such hardware.";

/// What a rule found.
struct Found {
    /// What is wrong, after the device's name: `is held down by heat`.
    verdict: String,
    confidence: Confidence,
    evidence: Vec<Evidence>,
    advice: &'static str,
}

/// All of them, what is most pressing first.
pub const ALL: &[Rule] = &[
    recovery::RULE,
    rows::RULE,
    memory_errors::RULE,
    thermal::RULE,
    power::RULE,
    link::RULE,
    not_working::RULE,
    near_full::RULE,
];

/// What is wrong with devices.
#[must_use]
pub fn findings(devices: &[Device]) -> Vec<Finding> {
    let of_rule = |rule: &'static Rule| devices.iter().filter_map(move |device| rule.finding(device));
    ALL.iter().flat_map(of_rule).collect()
}

impl Rule {
    fn finding(&self, device: &Device) -> Option<Finding> {
        let Found { verdict, confidence, evidence, advice } = (self.check)(device)?;
        let mut advice = vec![advice.to_owned()];
        if !self.validated {
            advice.push(UNVALIDATED.to_owned());
        }
        Some(Finding {
            rule: self.name.to_owned(),
            verdict: format!("GPU {} {verdict}", device.name),
            places: vec![Place::new("gpu", &device.name)],
            since: None,
            confidence,
            evidence,
            advice,
            speedup: None,
            realised: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::{HeldDown, Recovery, Rows};
    use super::*;

    /// A device that is well, changed.
    fn check(change: impl Fn(&mut Device), expected: &[&str]) {
        let mut device = Device {
            name: "0000:01:00".to_owned(),
            busy_percent: Some(95.0),
            memory_bytes: Some(80e9),
            memory_used_bytes: Some(40e9),
            power_watts: Some(300.0),
            power_limit_watts: Some(500.0),
            power_default_limit_watts: Some(500.0),
            temperature_c: Some(60.0),
            slowdown_c: Some(89.0),
            clock_mhz: Some(1_400.0),
            clock_max_mhz: Some(1_410.0),
            held_down: HeldDown {
                power_cap: Some(false),
                power_brake: Some(false),
                thermal: Some(false),
                hardware: Some(false),
            },
            link_width: Some(16),
            link_width_max: Some(16),
            link_generation: Some(4),
            link_generation_max: Some(4),
            replays: Some(0),
            uncorrected: Some(0),
            corrected: Some(3),
            rows: Rows { remapped: Some(1), pending: Some(false), failed: Some(false) },
            recovery: Some(Recovery::Nothing),
            ..Device::default()
        };
        change(&mut device);
        let found: Vec<String> = findings(&[device]).into_iter().map(|finding| finding.rule).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_wrong_is_found_and_what_is_well_is_not() {
        check(|_| {}, &[]);
        check(|device| *device = Device { name: device.name.clone(), ..Device::default() }, &[]);
        check(|device| device.held_down.thermal = Some(true), &["thermal-throttle"]);
        check(|device| device.temperature_c = Some(90.0), &["thermal-throttle"]);
        check(|device| device.held_down.power_brake = Some(true), &["power-throttle"]);
        check(
            |device| (device.held_down.power_cap, device.clock_mhz) = (Some(true), Some(1_100.0)),
            &["power-throttle"],
        );
        // At the limit that it comes with, and hardly slower for it, a device does what it was bought for.
        check(|device| (device.held_down.power_cap, device.clock_mhz) = (Some(true), Some(1_390.0)), &[]);
        check(|device| device.link_width = Some(8), &["degraded-link"]);
        check(|device| device.link_generation = Some(1), &["degraded-link"]);
        // An idle device lets its link sleep.
        check(|device| (device.link_generation, device.busy_percent) = (Some(1), Some(0.0)), &[]);
        check(|device| device.uncorrected = Some(2), &["memory-errors"]);
        check(|device| device.rows.pending = Some(true), &["remapped-rows"]);
        check(|device| device.rows.failed = Some(true), &["remapped-rows"]);
        check(|device| device.recovery = Some(Recovery::DrainAndReset), &["recovery"]);
        check(|device| device.memory_used_bytes = Some(79e9), &["near-full"]);
        check(|device| device.working_percent = Some(33.0), &["busy-not-working"]);
        check(|device| device.working_percent = Some(80.0), &[]);
    }

    #[test]
    fn rules_have_names_of_their_own() {
        let mut names: Vec<&str> = ALL.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
