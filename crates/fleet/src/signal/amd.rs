//! AMD's devices, as the driver amdgpu tells of them in `/sys`. Their signals have the names that devices of others have.

use super::{Source, nvidia};

/// `/sys/class/drm/card*/device` (kernel documentation, amdgpu: sysfs interfaces).
pub static SYSFS: Source = Source {
    name: "/sys/class/drm/card*/device",
    of: "each AMD device (unvalidated: not yet read beside one)",
    unknown: "the file is absent: older devices and virtual ones have few",
    cost: "some fifteen short reads a device, without root",
    signals: &[
        &nvidia::PRESENT,
        &nvidia::BUSY,
        &nvidia::MEMORY_USED,
        &nvidia::MEMORY_TOTAL,
        &nvidia::MEMORY_ACCESSED,
        &nvidia::POWER,
        &nvidia::POWER_LIMIT,
        &nvidia::ENERGY,
        &nvidia::TEMPERATURE,
        &nvidia::SM_CLOCK,
        &nvidia::SM_CLOCK_MAX,
        &nvidia::ECC_UNCORRECTED,
        &nvidia::ECC_CORRECTED,
        &nvidia::PCIE_GENERATION,
        &nvidia::PCIE_GENERATION_MAX,
        &nvidia::PCIE_WIDTH,
        &nvidia::PCIE_WIDTH_MAX,
        &nvidia::PCIE_REPLAYS,
    ],
};
