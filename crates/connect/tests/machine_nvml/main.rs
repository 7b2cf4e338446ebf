//! NVIDIA's library: one that the test builds, and its absence.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;

use connect::machine::{Nvml, Reading, Sampler, Vendor, discover};
use fleet::quantity::Bytes;
use tempfile::TempDir;

const GIB: u64 = 1 << 30;

#[test]
fn two_devices_are_found_and_read() {
    let folder = TempDir::new().unwrap();
    let library = match live_rig::nvml::build(folder.path(), 2) {
        Ok(library) => library,
        Err(error) => testkit::skip!(testkit::Need::Program, "a C compiler `cc` is needed: {error:#}"),
    };
    // An empty folder for `/`: whatever this machine has is not seen.
    let root = TempDir::new().unwrap();
    let found = discover(root.path(), &Nvml::open_at(library.as_os_str()));
    assert_eq!((found.node.devices, found.node.model.as_deref()), (2, Some("NVIDIA H100 80GB HBM3")));
    assert_eq!(found.devices[1].memory, Some(Bytes(80 * GIB)));
    assert_eq!(found.devices[1].bus.as_deref(), Some("00000000:01:00.0"));
    let visible = found.visible();
    assert_eq!((visible.vendor, visible.names[1].as_str()), (Some(Vendor::Nvidia), "GPU-00000001-fake"));

    let sample = Sampler::new(root.path(), Nvml::open_at(library.as_os_str()), found.devices).sample();
    let expected = [
        Reading { busy_milli: Some(370), memory_used: Some(Bytes(GIB)) },
        Reading { busy_milli: None, memory_used: Some(Bytes(2 * GIB)) },
    ];
    assert_eq!(sample.devices, expected, "what a device does not tell is unknown");
}

#[test]
fn a_machine_without_the_library_is_a_usual_one() {
    let root = TempDir::new().unwrap();
    let found = discover(root.path(), &Nvml::open_at(OsStr::new("/no/such/libnvidia-ml.so.1")));
    assert_eq!((found.node.devices, found.node.model), (0, None));
    assert!(!found.notices.iter().any(|notice| notice.contains("NVIDIA")), "{:?}", found.notices);
}
