//! Devices as they were in the last seconds, in the form in which rules over lists of devices read them.

use fleet::series::Thing;
use fleet::signal::nvidia;
use fleet::time::Timestamp;

use super::super::signals::Signals;
use super::last;
use crate::devices::{Device, HeldDown};

/// What is so must have been so for this long, in the mean: clocks and power rise and fall with every kernel.
const SECONDS: i64 = 15;

/// The devices of the node.
pub(super) fn lately(signals: &Signals, now: Timestamp) -> Vec<Device> {
    let span = last(SECONDS, now);
    // A device that has told for a moment only says nothing of a time.
    let all =
        signals.things(&nvidia::PRESENT).filter(|of| signals.count(&nvidia::PRESENT, of, span) >= SECONDS as usize / 2);
    all.map(|of| device(signals, of, now)).collect()
}

fn device(signals: &Signals, of: &Thing, now: Timestamp) -> Device {
    let mean = |signal| signals.mean(signal, of, last(SECONDS, now));
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
        ..Device::default()
    }
}
