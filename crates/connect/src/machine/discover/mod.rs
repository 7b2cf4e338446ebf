//! What this machine has, and how busy it is.
//!
//! It only reads. What it cannot find out is unknown, never zero; a machine without accelerators is a usual one, not an error.
//! The folder that stands for `/` is an argument. Start at [`discover`], then [`Sampler`].

mod accelerator;
mod amd;
mod facts;
mod nvidia;
mod sample;

use std::fs;
use std::path::Path;

use fleet::history::NodeRecord;
use fleet::node::Node;
use fleet::quantity::Bytes;
use nix::sched::sched_getaffinity;
use nix::unistd::Pid;

pub use accelerator::{Accelerator, Reading};
pub use nvidia::Nvml;
pub use sample::{Sample, Sampler};

use super::cgroup::Groups;
use super::visible::Visible;

/// What this machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// In the words of a history.
    pub node: NodeRecord,
    /// Its accelerators, in the order of their indices.
    pub devices: Vec<Accelerator>,
    /// The CPUs and the memory of each NUMA node.
    pub numa: Vec<NumaNode>,
    /// The control groups below which runs can be limited.
    pub groups: Groups,
    /// What people should know, in sentences.
    pub notices: Vec<String>,
}

/// A NUMA node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumaNode {
    /// Its number.
    pub id: u32,
    /// Its CPUs.
    pub cpus: Vec<u32>,
    /// Its memory, if it says.
    pub memory: Option<Bytes>,
}

/// The folders in which the driver tells of AMD's accelerators, in the order of their indices.
pub(in crate::machine) fn amd_folders(root: &Path) -> Vec<std::path::PathBuf> {
    amd::devices(root).into_iter().filter_map(|device| device.folder).collect()
}

/// Finds out what this machine has.
#[must_use]
pub fn discover(root: &Path, nvml: &Nvml) -> Discovered {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let mut notices = Vec::new();
    let own = Groups::own(root);
    let (quota_milli, limit) = (own.cpu_quota_milli(), own.memory_limit());
    let groups = own.usable();
    notices.extend(groups.notice());
    let mut devices = nvml.devices(&mut notices);
    if devices.is_empty() {
        devices = amd::devices(root);
    }
    let most = Node::DEVICES_MAX as usize;
    if devices.len() > most {
        notices.push(format!("{} devices were found; the first {most} are used", devices.len()));
        devices.truncate(most);
    }
    let model = devices.first().and_then(|device| device.model.clone());
    if devices.iter().any(|device| device.model != model) {
        notices.push("the devices are of several models: they are counted as if all were of the first".into());
    }
    let memory = facts::meminfo(&read("proc/meminfo")).total;
    let node = NodeRecord {
        name: host_name(root),
        cpu_milli: cpus_milli(&read("proc/stat")).map(|cpus| quota_milli.map_or(cpus, |quota| cpus.min(quota))),
        memory_bytes: memory.into_iter().chain(limit).map(|bytes| bytes.0).min(),
        devices: u32::try_from(devices.len()).unwrap_or(Node::DEVICES_MAX),
        model,
        ..NodeRecord::default()
    };
    Discovered { node, devices, numa: numa(root), groups, notices }
}

impl Discovered {
    /// What runs are to call the devices.
    #[must_use]
    pub fn visible(&self) -> Visible {
        let vendor = self.devices.first().map(|device| device.vendor);
        Visible { vendor, names: self.devices.iter().map(|device| device.visible_name.clone()).collect() }
    }
}

/// What this machine calls itself.
#[must_use]
pub fn host_name(root: &Path) -> String {
    let name = fs::read_to_string(root.join("proc/sys/kernel/hostname")).unwrap_or_default();
    match name.trim() {
        "" => "localhost".into(),
        name => name.to_owned(),
    }
}

/// The CPUs that this process may use; as many as `/proc/stat` lists where the kernel does not tell.
fn cpus_milli(stat: &str) -> Option<u64> {
    let listed = facts::cpus_listed(stat);
    let affinity = sched_getaffinity(Pid::from_raw(0)).ok();
    let allowed =
        affinity.map(|set| (0..nix::sched::CpuSet::count()).filter(|cpu| set.is_set(*cpu) == Ok(true)).count());
    let cpus = allowed.into_iter().chain(listed).filter(|cpus| *cpus > 0).min()?;
    Some(cpus as u64 * 1_000)
}

fn numa(root: &Path) -> Vec<NumaNode> {
    let folder = root.join("sys/devices/system/node");
    let mut nodes = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(|name| name.strip_prefix("node")?.parse().ok()) else { continue };
        let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let (cpus, memory) = (facts::cpu_list(&read("cpulist")), facts::numa_memory(&read("meminfo")));
        nodes.push(NumaNode { id, cpus, memory });
    }
    nodes.sort_by_key(|node| node.id);
    nodes
}

#[cfg(test)]
mod tests;
