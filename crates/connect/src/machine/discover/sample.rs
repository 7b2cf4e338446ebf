//! How busy this machine is.

use std::fs;
use std::path::PathBuf;

use fleet::quantity::Bytes;

use super::accelerator::{Accelerator, Reading};
use super::facts::{self, CpuTime};
use super::{Nvml, amd};
use crate::machine::visible::Vendor;

/// How busy this machine is; what could not be read is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// How much of all cores was busy since the sample before, in thousandths of a core; absent in the first.
    pub cpu_busy_milli: Option<u64>,
    /// Memory that programs cannot have.
    pub memory_used: Option<Bytes>,
    /// The load of the last minute, in thousandths.
    pub load_milli: Option<u64>,
    /// The devices, by index.
    pub devices: Vec<Reading>,
}

/// Takes samples, one after the other.
#[derive(Debug)]
pub struct Sampler {
    root: PathBuf,
    nvml: Nvml,
    devices: Vec<Accelerator>,
    before: Option<CpuTime>,
}

impl Sampler {
    /// For the devices that were discovered.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, nvml: Nvml, devices: Vec<Accelerator>) -> Self {
        Self { root: root.into(), nvml, devices, before: None }
    }

    /// Takes a sample.
    pub fn sample(&mut self) -> Sample {
        let read = |path: &str| fs::read_to_string(self.root.join(path)).unwrap_or_default();
        let (stat, memory) = (read("proc/stat"), facts::meminfo(&read("proc/meminfo")));
        let now = facts::cpu_time(&stat);
        let cpus_milli = facts::cpus_listed(&stat).map(|cpus| cpus as u64 * 1_000);
        let busy = |now: CpuTime, before: CpuTime| {
            let all = now.all.checked_sub(before.all).filter(|all| *all > 0)?;
            // Idle time may be counted a little later than the rest (proc_stat(5)).
            Some((now.busy.saturating_sub(before.busy).min(all) * cpus_milli?) / all)
        };
        let cpu_busy_milli = now.zip(self.before).and_then(|(now, before)| busy(now, before));
        let memory_used = memory.total.zip(memory.available).map(|(total, available)| total.saturating_sub(available));
        let load_milli = facts::load_milli(&read("proc/loadavg"));
        self.before = now;
        Sample { cpu_busy_milli, memory_used, load_milli, devices: self.readings() }
    }

    fn readings(&self) -> Vec<Reading> {
        let reading = |(index, device): (u32, &Accelerator)| match (device.vendor, &device.folder) {
            (Vendor::Nvidia, _) => self.nvml.reading(index),
            (Vendor::Amd, Some(folder)) => amd::reading(folder),
            (Vendor::Amd, None) => Reading::default(),
        };
        (0..).zip(&self.devices).map(reading).collect()
    }
}
