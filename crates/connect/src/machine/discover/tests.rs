//! Discovery of made-up machines, and of this one.

use std::ffi::OsStr;
use std::fs;

use super::*;
use crate::machine::visible::Vendor;

fn none() -> Nvml {
    Nvml::open_at(OsStr::new("/no/such/libnvidia-ml.so.1"))
}

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::TempDir::new().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

#[test]
fn a_made_up_machine_is_described() {
    let root = tree(&[
        ("proc/sys/kernel/hostname", "one\n"),
        ("proc/meminfo", "MemTotal: 8000 kB\nMemAvailable: 6000 kB\n"),
        ("proc/stat", "cpu  10 0 10 80 0\ncpu0 1\n"),
        ("proc/loadavg", "0.50 0.1 0.1 1/2 3"),
        ("proc/self/cgroup", "0::/a\n"),
        ("proc/self/mountinfo", "24 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
        ("sys/fs/cgroup/cgroup.procs", ""),
        ("sys/fs/cgroup/a/cgroup.procs", ""),
        ("sys/fs/cgroup/a/cgroup.controllers", "cpu memory\n"),
        ("sys/fs/cgroup/a/cpu.max", "50000 100000\n"),
        ("sys/fs/cgroup/a/memory.max", "4096000\n"),
        ("sys/devices/system/node/node0/cpulist", "0-1\n"),
        ("sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 8000 kB\n"),
        ("sys/class/drm/card1/device/vendor", "0x1002\n"),
        ("sys/class/drm/card1/device/product_name", "Instinct MI300X\n"),
        ("sys/class/drm/card1/device/mem_info_vram_total", "1000\n"),
        ("sys/class/drm/card1/device/mem_info_vram_used", "250\n"),
        ("sys/class/drm/card1/device/gpu_busy_percent", "42\n"),
        ("sys/class/drm/card1/device/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n"),
        ("sys/class/drm/card1/device/unique_id", "6a2c\n"),
        ("sys/class/drm/card1-DP-1/device/vendor", "0x1002\n"),
        ("sys/class/drm/card0/device/vendor", "0x1234\n"),
    ]);
    let found = discover(root.path(), &none());
    let node = &found.node;
    assert_eq!((node.name.as_str(), node.cpu_milli, node.memory_bytes), ("one", Some(500), Some(4_096_000)));
    assert_eq!((node.devices, node.model.as_deref()), (1, Some("Instinct MI300X")));
    assert_eq!(found.visible(), Visible { vendor: Some(Vendor::Amd), names: vec!["GPU-6a2c".into()] });
    assert_eq!(found.numa, [NumaNode { id: 0, cpus: vec![0, 1], memory: Some(Bytes(8_192_000)) }]);
    assert!(found.notices[0].contains("CPU or memory"), "a made-up folder takes no limits: {:?}", found.notices);

    let mut sampler = Sampler::new(root.path(), none(), found.devices);
    let reading = Reading { busy_milli: Some(420), memory_used: Some(Bytes(250)) };
    let memory_used = Some(Bytes(2_048_000));
    let first = Sample { cpu_busy_milli: None, memory_used, load_milli: Some(500), devices: vec![reading] };
    assert_eq!(sampler.sample(), first);
    fs::write(root.path().join("proc/stat"), "cpu  20 0 15 85 0\ncpu0 1\n").unwrap();
    assert_eq!(sampler.sample().cpu_busy_milli, Some(750));
}

#[test]
fn what_is_not_there_is_unknown() {
    let root = tree(&[]);
    let found = discover(root.path(), &none());
    assert_eq!((found.node.name.as_str(), found.node.memory_bytes, found.node.devices), ("localhost", None, 0));
    assert_eq!(Sampler::new(root.path(), none(), vec![]).sample(), Sample::default());
}

#[test]
fn this_machine_is_described() {
    let found = discover(Path::new("/"), &Nvml::open());
    assert!(found.node.cpu_milli > Some(0) && found.node.memory_bytes > Some(0));
    assert!(found.notices.len() < 5);
}
