//! Which metric of which exporter is which signal: one table, with where each name is published. Nothing here is a guess; what is published
//! without a unit, or as something else than our signal, is not here.

use fleet::signal::{Signal, exporter, nvidia};

/// An exporter's metrics of one kind of thing.
#[derive(Debug)]
pub struct Vendor {
    /// What it is called.
    pub name: &'static str,
    /// Where its names are published.
    pub source: &'static str,
    /// How its samples name what they are of.
    pub named: Named,
    /// Its metrics.
    pub entries: &'static [Entry],
}

/// How a sample names what it is of: by the first of these labels that it has.
#[derive(Debug)]
pub enum Named {
    /// By the index of a device, which NVML or the driver counts alike.
    Index(&'static [&'static str]),
    /// By a name of its own, behind this word. Of names with a dash the last part counts.
    Word(&'static str, &'static [&'static str]),
}

/// A metric, and the signal that it is.
#[derive(Debug)]
pub struct Entry {
    /// The metric; case is not looked at, since AMD's exporter has written its names both ways.
    pub metric: &'static str,
    /// Only samples with this value of this label.
    pub only: Option<(&'static str, &'static str)>,
    /// The signal.
    pub signal: &'static Signal,
    /// What makes its value ours.
    pub worth: Worth,
    /// Where there are several of one thing.
    pub many: Many,
}

/// What makes a value ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Worth {
    /// So many times.
    Times(f64),
    /// Whether any of these bits is set.
    AnyBit(u64),
    /// Whether it is more than nothing.
    More,
}

/// What several samples of one thing come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Many {
    /// The last counts.
    Last,
    /// Their sum.
    Sum,
    /// The highest.
    Highest,
}

impl Entry {
    const fn new(metric: &'static str, signal: &'static Signal, worth: Worth) -> Self {
        Self { metric, only: None, signal, worth, many: Many::Last }
    }

    const fn only(self, label: &'static str, value: &'static str) -> Self {
        Self { only: Some((label, value)), ..self }
    }

    const fn sum(self) -> Self {
        Self { many: Many::Sum, ..self }
    }

    const fn highest(self) -> Self {
        Self { many: Many::Highest, ..self }
    }
}

const fn times(metric: &'static str, signal: &'static Signal, factor: f64) -> Entry {
    Entry::new(metric, signal, Worth::Times(factor))
}

const fn any_bit(metric: &'static str, signal: &'static Signal, bits: u64) -> Entry {
    Entry::new(metric, signal, Worth::AnyBit(bits))
}

const MIB: f64 = 1_048_576.0;
const PERCENT: f64 = 0.01;
const MHZ: f64 = 1e6;

/// Clocks event reasons (NVML: `nvmlClocksEventReasons`).
const SW_POWER_CAP: u64 = 0x04;
const HEAT: u64 = 0x20 | 0x40;
const POWER_BRAKE: u64 = 0x80;

/// Every exporter that is known.
pub static ALL: &[Vendor] = &[
    Vendor {
        name: "NVIDIA's dcgm-exporter",
        source: "NVIDIA/dcgm-exporter, etc/default-counters.csv and dcp-metrics-included.csv; DCGM's field identifiers",
        named: Named::Index(&["gpu"]),
        entries: &[
            times("DCGM_FI_DEV_GPU_UTIL", &nvidia::BUSY, PERCENT),
            times("DCGM_FI_DEV_MEM_COPY_UTIL", &nvidia::MEMORY_ACCESSED, PERCENT),
            times("DCGM_FI_DEV_FB_USED", &nvidia::MEMORY_USED, MIB),
            // What is used, free and kept back is all of it.
            times("DCGM_FI_DEV_FB_USED", &nvidia::MEMORY_TOTAL, MIB).sum(),
            times("DCGM_FI_DEV_FB_FREE", &nvidia::MEMORY_TOTAL, MIB).sum(),
            times("DCGM_FI_DEV_FB_RESERVED", &nvidia::MEMORY_TOTAL, MIB).sum(),
            times("DCGM_FI_DEV_POWER_USAGE", &nvidia::POWER, 1.0),
            times("DCGM_FI_DEV_POWER_MGMT_LIMIT", &nvidia::POWER_LIMIT, 1.0),
            times("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", &nvidia::ENERGY, 1e-3),
            times("DCGM_FI_DEV_GPU_TEMP", &nvidia::TEMPERATURE, 1.0),
            times("DCGM_FI_DEV_SM_CLOCK", &nvidia::SM_CLOCK, MHZ),
            times("DCGM_FI_DEV_MAX_SM_CLOCK", &nvidia::SM_CLOCK_MAX, MHZ),
            any_bit("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", &nvidia::THROTTLE_POWER, SW_POWER_CAP),
            any_bit("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", &nvidia::THROTTLE_THERMAL, HEAT),
            any_bit("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", &nvidia::THROTTLE_HARDWARE, POWER_BRAKE),
            any_bit("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", &nvidia::THROTTLE_POWER, SW_POWER_CAP),
            any_bit("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", &nvidia::THROTTLE_THERMAL, HEAT),
            any_bit("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", &nvidia::THROTTLE_HARDWARE, POWER_BRAKE),
            times("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", &nvidia::ECC_UNCORRECTED, 1.0),
            times("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", &nvidia::ECC_CORRECTED, 1.0),
            times("DCGM_FI_DEV_PCIE_LINK_GEN", &nvidia::PCIE_GENERATION, 1.0),
            times("DCGM_FI_DEV_PCIE_MAX_LINK_GEN", &nvidia::PCIE_GENERATION_MAX, 1.0),
            times("DCGM_FI_DEV_PCIE_LINK_WIDTH", &nvidia::PCIE_WIDTH, 1.0),
            times("DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH", &nvidia::PCIE_WIDTH_MAX, 1.0),
            times("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", &nvidia::PCIE_REPLAYS, 1.0),
            times("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL", &nvidia::NVLINK_ERRORS, 1.0).sum(),
            times("DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", &nvidia::NVLINK_ERRORS, 1.0).sum(),
            times("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", &exporter::ROWS_REMAPPED, 1.0),
            Entry::new("DCGM_FI_DEV_ROW_REMAP_PENDING", &exporter::ROWS_PENDING, Worth::More),
            Entry::new("DCGM_FI_DEV_ROW_REMAP_FAILURE", &exporter::ROWS_FAILED, Worth::More),
            times("DCGM_FI_DEV_XID_ERRORS", &exporter::LAST_XID, 1.0),
            times("DCGM_FI_PROF_SM_ACTIVE", &nvidia::SM_ACTIVE, 1.0),
            times("DCGM_FI_PROF_SM_OCCUPANCY", &nvidia::SM_OCCUPANCY, 1.0),
            times("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", &nvidia::TENSOR_ACTIVE, 1.0),
            times("DCGM_FI_PROF_DRAM_ACTIVE", &nvidia::MEMORY_ACTIVE, 1.0),
            times("DCGM_FI_PROF_PIPE_FP32_ACTIVE", &nvidia::FP32_ACTIVE, 1.0),
            times("DCGM_FI_PROF_PCIE_RX_BYTES", &nvidia::PCIE_RECEIVED, 1.0),
            times("DCGM_FI_PROF_PCIE_TX_BYTES", &nvidia::PCIE_SENT, 1.0),
            times("DCGM_FI_PROF_NVLINK_RX_BYTES", &nvidia::NVLINK_RECEIVED, 1.0),
            times("DCGM_FI_PROF_NVLINK_TX_BYTES", &nvidia::NVLINK_SENT, 1.0),
        ],
    },
    Vendor {
        name: "AMD's device-metrics-exporter",
        source: "ROCm/device-metrics-exporter, docs/configuration/metricslist.md. GPU_PROF_SM_ACTIVE counts vector instructions, which is not how \
                 much of the device has work: it is left out",
        named: Named::Index(&["gpu_id"]),
        entries: &[
            times("gpu_gfx_activity", &nvidia::BUSY, PERCENT),
            times("gpu_umc_activity", &nvidia::MEMORY_ACCESSED, PERCENT),
            // The tool that it asks counts in MiB and writes MB.
            times("gpu_used_vram", &nvidia::MEMORY_USED, MIB),
            times("gpu_total_vram", &nvidia::MEMORY_TOTAL, MIB),
            times("gpu_average_package_power", &nvidia::POWER, 1.0),
            times("gpu_package_power", &nvidia::POWER, 1.0),
            times("gpu_energy_consumed", &nvidia::ENERGY, 1e-6),
            times("gpu_edge_temperature", &nvidia::TEMPERATURE, 1.0).highest(),
            times("gpu_junction_temperature", &nvidia::TEMPERATURE, 1.0).highest(),
            times("gpu_clock", &nvidia::SM_CLOCK, MHZ).only("clock_type", "GPU_CLOCK_TYPE_SYSTEM").highest(),
            times("gpu_max_clock", &nvidia::SM_CLOCK_MAX, MHZ).only("clock_type", "GPU_CLOCK_TYPE_SYSTEM").highest(),
            times("gpu_ecc_uncorrect_total", &nvidia::ECC_UNCORRECTED, 1.0),
            times("gpu_ecc_correct_total", &nvidia::ECC_CORRECTED, 1.0),
            times("pcie_replay_count", &nvidia::PCIE_REPLAYS, 1.0),
            times("gpu_prof_tensor_active_percent", &nvidia::TENSOR_ACTIVE, PERCENT),
        ],
    },
    Vendor {
        name: "neuron-monitor-prometheus.py, cores",
        source: "AWS Neuron: neuron-monitor-prometheus.py of aws-neuronx-tools; Amazon CloudWatch agent, tests of its Neuron scraper",
        named: Named::Word("neuroncore", &["neuroncore"]),
        entries: &[
            times("neuroncore_utilization_ratio", &nvidia::BUSY, 1.0),
            times("neuroncore_memory_usage_constants", &nvidia::MEMORY_USED, 1.0).sum(),
            times("neuroncore_memory_usage_model_code", &nvidia::MEMORY_USED, 1.0).sum(),
            times("neuroncore_memory_usage_model_shared_scratchpad", &nvidia::MEMORY_USED, 1.0).sum(),
            times("neuroncore_memory_usage_runtime_memory", &nvidia::MEMORY_USED, 1.0).sum(),
            times("neuroncore_memory_usage_tensors", &nvidia::MEMORY_USED, 1.0).sum(),
        ],
    },
    Vendor {
        name: "neuron-monitor-prometheus.py, devices",
        source: "as above",
        named: Named::Word("neuron", &["neuron_device_index"]),
        entries: &[
            times("hardware_ecc_events_total", &nvidia::ECC_CORRECTED, 1.0).only("event_type", "mem_ecc_corrected"),
            times("hardware_ecc_events_total", &nvidia::ECC_UNCORRECTED, 1.0)
                .only("event_type", "mem_ecc_uncorrected")
                .sum(),
            times("hardware_ecc_events_total", &nvidia::ECC_UNCORRECTED, 1.0)
                .only("event_type", "sram_ecc_uncorrected")
                .sum(),
        ],
    },
    Vendor {
        name: "tpu-device-plugin (GKE), port 2112",
        source: "Google Kubernetes Engine, metrics of TPU nodes; Meta's dynolog, tests of its TPU scraper: recorded from version 1.35.7",
        named: Named::Word("tpu", &["accelerator_id"]),
        entries: &[
            times("duty_cycle_node", &nvidia::BUSY, PERCENT),
            times("duty_cycle", &nvidia::BUSY, PERCENT),
            times("memory_used_node", &nvidia::MEMORY_USED, 1.0),
            times("memory_used", &nvidia::MEMORY_USED, 1.0),
            times("memory_total_node", &nvidia::MEMORY_TOTAL, 1.0),
            times("memory_total", &nvidia::MEMORY_TOTAL, 1.0),
            times("tensorcore_utilization_node", &nvidia::TENSOR_ACTIVE, PERCENT),
            times("tensorcore_utilization", &nvidia::TENSOR_ACTIVE, PERCENT),
            times("memory_bandwidth_utilization_node", &nvidia::MEMORY_ACTIVE, PERCENT),
            times("memory_bandwidth_utilization", &nvidia::MEMORY_ACTIVE, PERCENT),
        ],
    },
    Vendor {
        name: "Intel's Gaudi metric exporter",
        source: "docs.habana.ai, Prometheus Metric Exporter; names and units by its sources. Which label names the device is not published: any of \
                 these is taken",
        named: Named::Word("gaudi", &["device", "uuid", "UUID", "serial"]),
        entries: &[
            times("habanalabs_utilization", &nvidia::BUSY, PERCENT),
            times("habanalabs_memory_used_bytes", &nvidia::MEMORY_USED, 1.0),
            times("habanalabs_memory_total_bytes", &nvidia::MEMORY_TOTAL, 1.0),
            times("habanalabs_power_mW", &nvidia::POWER, 1e-3),
            times("habanalabs_power_default_limit_mW", &nvidia::POWER_LIMIT, 1e-3),
            times("habanalabs_temperature_onchip", &nvidia::TEMPERATURE, 1.0),
            times("habanalabs_clock_soc_mhz", &nvidia::SM_CLOCK, MHZ),
            times("habanalabs_clock_soc_max_mhz", &nvidia::SM_CLOCK_MAX, MHZ),
            times("habanalabs_pcie_replay_count", &nvidia::PCIE_REPLAYS, 1.0),
            times("habanalabs_pci_link_width", &nvidia::PCIE_WIDTH, 1.0),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_up_is_added_up_everywhere() {
        for vendor in ALL {
            for entry in vendor.entries {
                let alike = vendor.entries.iter().filter(|other| other.signal == entry.signal);
                assert!(alike.into_iter().all(|other| other.many == entry.many), "{}: {}", vendor.name, entry.metric);
                if let Worth::Times(factor) = entry.worth {
                    assert!(factor > 0.0, "{}", entry.metric);
                }
            }
        }
    }
}
