//! Devices as they were in the last seconds, in the form in which rules over lists of devices read them.

use fleet::finding::Finding;
use fleet::series::Thing;
use fleet::signal::{exporter, nvidia};
use fleet::time::Timestamp;

use super::super::signals::Signals;
use super::{Node, called, last, place};
use crate::devices::{Device, HeldDown, findings};

/// What is so must have been so for this long, in the mean: clocks and power rise and fall with every kernel.
const SECONDS: i64 = 15;
/// How well a device is used is judged beside other causes, over longer; and what is nearly full is told live where it fills up.
const ASKED_ELSEWHERE: &[&str] = &["busy-not-working", "near-full"];

/// What is wrong with devices, whatever runs on them.
pub(super) fn find(node: &Node<'_>) -> Vec<Finding> {
    let of_one = |of: &Thing| of_device(node.signals, of, SECONDS, node.now);
    let mut found: Vec<Finding> = lately(node.signals, SECONDS, node.now).flat_map(of_one).collect();
    found.retain(|finding| !ASKED_ELSEWHERE.contains(&finding.rule.as_str()));
    found
}

/// Devices that have told for so long; one that has told for a moment only says nothing of a time.
pub(super) fn lately(signals: &Signals, seconds: i64, now: Timestamp) -> impl Iterator<Item = &Thing> {
    let enough = usize::try_from(seconds / 2).unwrap_or(usize::MAX);
    let told = move |of: &&Thing| signals.count(&nvidia::PRESENT, of, last(seconds, now)) >= enough;
    signals.things(&nvidia::PRESENT).filter(told)
}

/// What rules over lists of devices say of one.
pub(super) fn of_device(signals: &Signals, of: &Thing, seconds: i64, now: Timestamp) -> Vec<Finding> {
    let mut found = findings(&[device(signals, of, seconds, now)]);
    if matches!(of, Thing::Accelerator(_)) {
        for finding in &mut found {
            finding.verdict = finding.verdict.replacen(&format!("GPU {of}"), &called(of), 1);
            finding.places = vec![place(of)];
        }
    }
    found
}

fn device(signals: &Signals, of: &Thing, seconds: i64, now: Timestamp) -> Device {
    let mean = |signal| signals.mean(signal, of, last(seconds, now));
    let flag = |signal| mean(signal).map(|share| share > 0.5);
    let whole = |signal| mean(signal).map(|value| value.round() as u64);
    Device {
        name: of.to_string(),
        busy_percent: mean(&nvidia::BUSY).map(|ratio| 100.0 * ratio),
        working_percent: mean(&nvidia::SM_ACTIVE).map(|ratio| 100.0 * ratio),
        memory_bytes: mean(&nvidia::MEMORY_TOTAL),
        memory_used_bytes: mean(&nvidia::MEMORY_USED),
        processes: whole(&nvidia::PROCESSES),
        power_watts: mean(&nvidia::POWER),
        power_limit_watts: mean(&nvidia::POWER_LIMIT),
        temperature_c: mean(&nvidia::TEMPERATURE),
        clock_mhz: mean(&nvidia::SM_CLOCK).map(|hertz| hertz / 1e6),
        clock_max_mhz: mean(&nvidia::SM_CLOCK_MAX).map(|hertz| hertz / 1e6),
        held_down: HeldDown {
            power_cap: flag(&nvidia::THROTTLE_POWER),
            power_brake: flag(&nvidia::THROTTLE_HARDWARE),
            thermal: flag(&nvidia::THROTTLE_THERMAL),
            hardware: None,
        },
        link_width: whole(&nvidia::PCIE_WIDTH),
        link_width_max: whole(&nvidia::PCIE_WIDTH_MAX),
        link_generation: whole(&nvidia::PCIE_GENERATION),
        link_generation_max: whole(&nvidia::PCIE_GENERATION_MAX),
        replays: whole(&nvidia::PCIE_REPLAYS),
        uncorrected: whole(&nvidia::ECC_UNCORRECTED),
        corrected: whole(&nvidia::ECC_CORRECTED),
        rows: crate::devices::Rows {
            remapped: whole(&exporter::ROWS_REMAPPED),
            pending: flag(&exporter::ROWS_PENDING),
            failed: flag(&exporter::ROWS_FAILED),
        },
        ..Device::default()
    }
}
