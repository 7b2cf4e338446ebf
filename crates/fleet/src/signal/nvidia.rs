//! NVIDIA's devices, through the library that comes with their driver (NVML).

use super::Unit::{Bytes, Celsius, Count, Flag, Hertz, Joules, Ratio, Watts};
use super::{Signal, Source};

/// NVML.
pub static NVML: Source = Source {
    name: "NVML (libnvidia-ml.so.1)",
    of: "each NVIDIA device",
    unknown: "the call says that this device or driver does not support it",
    cost: "a call each, tens of microseconds to milliseconds, without root",
    signals: &[
        &PRESENT,
        &BUSY,
        &MEMORY_USED,
        &MEMORY_TOTAL,
        &MEMORY_ACCESSED,
        &POWER,
        &POWER_LIMIT,
        &ENERGY,
        &TEMPERATURE,
        &SM_CLOCK,
        &SM_CLOCK_MAX,
        &THROTTLE_POWER,
        &THROTTLE_THERMAL,
        &THROTTLE_HARDWARE,
        &ECC_UNCORRECTED,
        &ECC_CORRECTED,
        &PCIE_GENERATION,
        &PCIE_GENERATION_MAX,
        &PCIE_WIDTH,
        &PCIE_WIDTH_MAX,
        &PCIE_REPLAYS,
        &PCIE_RECEIVED,
        &PCIE_SENT,
        &PROCESSES,
        &NVLINKS_ACTIVE,
        &NVLINK_ERRORS,
    ],
};

/// GPM.
pub static GPM: Source = Source {
    name: "NVML, performance monitoring (GPM)",
    of: "each NVIDIA device",
    unknown: "the device is older than Hopper, is split (MIG), or the driver does not let this user",
    cost: "one call, of the time since the one before",
    signals: &[&SM_ACTIVE, &SM_OCCUPANCY, &TENSOR_ACTIVE, &MEMORY_ACTIVE, &FP32_ACTIVE, &NVLINK_RECEIVED, &NVLINK_SENT],
};

/// Whether the device answers.
pub static PRESENT: Signal =
    Signal::gauge("device_present", Flag, "whether the device answers; one that fell off the bus does not");

/// Whether anything ran; it says nothing of how much of the device did.
pub static BUSY: Signal = Signal::gauge(
    "device_busy_ratio",
    Ratio,
    "part of the last moment in which anything ran on the device, however little of it: not how hard it works",
);
/// Memory in use.
pub static MEMORY_USED: Signal =
    Signal::gauge("device_memory_used_bytes", Bytes, "memory of the device that is given out");
/// All memory.
pub static MEMORY_TOTAL: Signal = Signal::gauge("device_memory_total_bytes", Bytes, "memory of the device");
/// Whether memory was read or written.
pub static MEMORY_ACCESSED: Signal = Signal::gauge(
    "device_memory_accessed_ratio",
    Ratio,
    "part of the last moment in which device memory was read or written",
);
/// Power drawn.
pub static POWER: Signal = Signal::gauge("device_power_watts", Watts, "power that the device draws");
/// Power allowed.
pub static POWER_LIMIT: Signal = Signal::gauge("device_power_limit_watts", Watts, "power that the device may draw");
/// Energy used.
pub static ENERGY: Signal =
    Signal::counter("device_energy_joules_total", Joules, "energy that the device used since its driver was loaded");
/// Temperature.
pub static TEMPERATURE: Signal = Signal::gauge("device_temperature_celsius", Celsius, "temperature of the device");
/// Clock of the multiprocessors.
pub static SM_CLOCK: Signal = Signal::gauge("device_clock_hertz", Hertz, "clock of the multiprocessors");
/// The highest clock.
pub static SM_CLOCK_MAX: Signal =
    Signal::gauge("device_clock_max_hertz", Hertz, "highest clock of the multiprocessors");
/// Slowed down for power.
pub static THROTTLE_POWER: Signal =
    Signal::gauge("device_throttled_by_power", Flag, "whether clocks are held down by the power limit");
/// Slowed down for heat.
pub static THROTTLE_THERMAL: Signal =
    Signal::gauge("device_throttled_by_heat", Flag, "whether clocks are held down by heat");
/// Slowed down from outside.
pub static THROTTLE_HARDWARE: Signal = Signal::gauge(
    "device_throttled_by_hardware",
    Flag,
    "whether clocks are held down by a signal from outside: power brake, supply",
);
/// Errors of memory that could not be corrected.
pub static ECC_UNCORRECTED: Signal = Signal::counter(
    "device_memory_errors_uncorrected_total",
    Count,
    "errors of memory that could not be corrected, since the driver was loaded",
);
/// Errors of memory that were corrected.
pub static ECC_CORRECTED: Signal = Signal::counter(
    "device_memory_errors_corrected_total",
    Count,
    "errors of memory that were corrected, since the driver was loaded",
);
/// Generation of the link.
pub static PCIE_GENERATION: Signal = Signal::gauge(
    "device_pcie_generation",
    Count,
    "generation at which the PCIe link runs; it may fall while the device rests",
);
/// Highest generation of the link.
pub static PCIE_GENERATION_MAX: Signal =
    Signal::gauge("device_pcie_generation_max", Count, "highest generation that device and slot have in common");
/// Lanes of the link.
pub static PCIE_WIDTH: Signal = Signal::gauge("device_pcie_lanes", Count, "lanes that the PCIe link uses");
/// Most lanes of the link.
pub static PCIE_WIDTH_MAX: Signal =
    Signal::gauge("device_pcie_lanes_max", Count, "lanes that device and slot have in common");
/// Packets sent again.
pub static PCIE_REPLAYS: Signal =
    Signal::counter("device_pcie_replays_total", Count, "packets that had to be sent again on the PCIe link");
/// Bytes a second to the device.
pub static PCIE_RECEIVED: Signal = Signal::gauge(
    "device_pcie_received_per_second_bytes",
    Bytes,
    "bytes a second over PCIe to the device, of the last 20 ms",
);
/// Bytes a second from the device.
pub static PCIE_SENT: Signal = Signal::gauge(
    "device_pcie_sent_per_second_bytes",
    Bytes,
    "bytes a second over PCIe from the device, of the last 20 ms",
);
/// Processes on the device.
pub static PROCESSES: Signal = Signal::gauge("device_processes", Count, "processes that compute on the device");
/// Links of NVLink that are up.
pub static NVLINKS_ACTIVE: Signal = Signal::gauge("device_nvlinks_active", Count, "links of NVLink that are up");
/// Errors of NVLink.
pub static NVLINK_ERRORS: Signal = Signal::counter(
    "device_nvlink_errors_total",
    Count,
    "times that a link of NVLink sent something again or recovered, added up over links",
);

/// How much of the multiprocessors worked.
pub static SM_ACTIVE: Signal = Signal::gauge(
    "device_working_ratio",
    Ratio,
    "part of the time in which multiprocessors had work, mean over multiprocessors: how much of the device works",
);
/// How full the multiprocessors were.
pub static SM_OCCUPANCY: Signal = Signal::gauge(
    "device_occupancy_ratio",
    Ratio,
    "warps that were active over those that could be, mean over multiprocessors",
);
/// How much tensor cores worked.
pub static TENSOR_ACTIVE: Signal =
    Signal::gauge("device_tensor_ratio", Ratio, "part of the time in which tensor cores worked");
/// How much of the memory's bandwidth was used.
pub static MEMORY_ACTIVE: Signal =
    Signal::gauge("device_memory_bandwidth_ratio", Ratio, "part of the bandwidth of device memory that was used");
/// How much single precision was computed.
pub static FP32_ACTIVE: Signal =
    Signal::gauge("device_fp32_ratio", Ratio, "part of the time in which multiprocessors computed in single precision");
/// Bytes a second over NVLink to the device.
pub static NVLINK_RECEIVED: Signal =
    Signal::gauge("device_nvlink_received_per_second_bytes", Bytes, "bytes a second over NVLink to the device");
/// Bytes a second over NVLink from the device.
pub static NVLINK_SENT: Signal =
    Signal::gauge("device_nvlink_sent_per_second_bytes", Bytes, "bytes a second over NVLink from the device");
