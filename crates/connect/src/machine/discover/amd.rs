//! AMD's accelerators, as the driver amdgpu tells of them in `/sys/class/drm` (kernel documentation, amdgpu).

use std::fs;
use std::path::Path;

use fleet::quantity::Bytes;

use super::accelerator::{Accelerator, Reading};
use crate::machine::visible::Vendor;

/// Ordered by their place on the bus, which is the order in which AMD's runtime counts them.
pub(super) fn devices(root: &Path) -> Vec<Accelerator> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("sys/class/drm")).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("card"));
        // "card0-DP-1" is a connector of it.
        if !number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())) {
            continue;
        }
        let folder = entry.path().join("device");
        let text = |file: &str| fs::read_to_string(folder.join(file)).ok().map(|text| text.trim().to_owned());
        let bytes = |file: &str| text(file)?.parse().ok().map(Bytes);
        let memory = bytes("mem_info_vram_total");
        // A display adapter without memory of its own is none.
        if text("vendor").as_deref() != Some("0x1002") || memory.is_none() {
            continue;
        }
        let model = text("product_name").filter(|name| !name.is_empty());
        let model = model.or_else(|| text("device").map(|device| format!("AMD {device}")));
        let bus = text("uevent").and_then(|text| bus_of(&text));
        let visible_name =
            text("unique_id").filter(|id| !id.is_empty()).map(|id| format!("GPU-{id}")).unwrap_or_default();
        found.push(Accelerator { vendor: Vendor::Amd, model, memory, visible_name, bus, folder: Some(folder) });
    }
    found.sort_by(|one, other| one.bus.cmp(&other.bus).then_with(|| one.folder.cmp(&other.folder)));
    for (index, device) in found.iter_mut().enumerate().filter(|(_, device)| device.visible_name.is_empty()) {
        device.visible_name = index.to_string();
    }
    found
}

/// How one of them is used now.
pub(super) fn reading(folder: &Path) -> Reading {
    let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    Reading {
        busy_milli: number("gpu_busy_percent").map(|percent| percent * 10),
        memory_used: number("mem_info_vram_used").map(Bytes),
    }
}

fn bus_of(uevent: &str) -> Option<String> {
    uevent.lines().find_map(|line| line.strip_prefix("PCI_SLOT_NAME=")).map(str::to_owned)
}
