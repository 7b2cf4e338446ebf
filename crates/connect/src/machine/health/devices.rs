//! Whether every accelerator that is on the bus answers.

use std::fs;
use std::path::Path;

use fleet::health::{Better, Measured};

use super::Nvml;

/// NVIDIA, as PCI numbers vendors.
const NVIDIA: &str = "0x10de";

pub(super) fn probe(root: &Path, nvml: &Nvml) -> Vec<Measured> {
    let on_bus = on_bus(root);
    if on_bus == 0 && nvml.count() == 0 {
        return Vec::new();
    }
    let answer =
        (0..nvml.count()).filter(|index| nvml.device(*index).is_some_and(|device| device.uuid().is_ok())).count();
    let wrong = (answer < on_bus).then(|| {
        format!("{on_bus} NVIDIA devices are on the bus and {answer} answer: see dmesg for an Xid 79 (fallen off the bus), and restart the machine")
    });
    let answer = Measured::new("devices", Measured::NVIDIA_ANSWER, Some(answer as f64), "");
    vec![answer.better(Better::All).wrong(wrong)]
}

/// NVIDIA's devices that display (0x0300) or compute (0x0302), of PCI class codes.
fn on_bus(root: &Path) -> usize {
    let entries = fs::read_dir(root.join("sys/bus/pci/devices")).into_iter().flatten().flatten();
    let is_one = |folder: &Path| {
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let class = read("class");
        read("vendor").trim() == NVIDIA && (class.starts_with("0x0300") || class.starts_with("0x0302"))
    };
    entries.filter(|entry| is_one(&entry.path())).count()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn a_device_that_is_on_the_bus_and_does_not_answer_is_told() {
        let root = tempfile::TempDir::new().unwrap();
        let nvml = Nvml::open_at(OsStr::new("/no/such/library"));
        assert!(probe(root.path(), &nvml).is_empty(), "a machine without devices is a usual one");
        for (name, vendor, class) in [("a", NVIDIA, "0x030200"), ("b", NVIDIA, "0x040300"), ("c", "0x8086", "0x030000")]
        {
            let folder = root.path().join("sys/bus/pci/devices").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("vendor"), format!("{vendor}\n")).unwrap();
            fs::write(folder.join("class"), format!("{class}\n")).unwrap();
        }
        let found = probe(root.path(), &nvml);
        assert_eq!(found.len(), 1);
        assert!(found[0].wrong.as_ref().unwrap().starts_with("1 NVIDIA devices are on the bus and 0 answer"));
    }
}
