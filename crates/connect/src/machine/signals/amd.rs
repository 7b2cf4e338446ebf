//! AMD's devices, as the driver amdgpu tells of them in `/sys` (kernel documentation, drm/amdgpu: thermal and power interfaces, RAS). No root is
//! needed. Tried on made-up folders, and not yet beside a device.
//!
//! `pcie_bw` is not read: the driver counts for a second before it answers.

use std::fs;
use std::path::{Path, PathBuf};

use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, nvidia};

use crate::machine::discover::amd_folders;

/// So many devices are read; the largest machines have sixteen.
const DEVICES_MAX: usize = 64;
/// So many sensors of a device are looked through.
const SENSORS_MAX: u32 = 16;

/// The devices of this machine.
#[derive(Debug)]
pub(super) struct Amd {
    devices: Vec<(Thing, PathBuf, Option<PathBuf>)>,
}

/// Files that hold one number, and what makes it ours.
static NUMBERS: &[(&Signal, &str, f64)] = &[
    (&nvidia::BUSY, "gpu_busy_percent", 0.01),
    (&nvidia::MEMORY_ACCESSED, "mem_busy_percent", 0.01),
    (&nvidia::MEMORY_USED, "mem_info_vram_used", 1.0),
    (&nvidia::MEMORY_TOTAL, "mem_info_vram_total", 1.0),
    (&nvidia::PCIE_WIDTH, "current_link_width", 1.0),
    (&nvidia::PCIE_WIDTH_MAX, "max_link_width", 1.0),
    (&nvidia::PCIE_REPLAYS, "pcie_replay_count", 1.0),
];

/// The same of the device's sensors (hwmon): microwatts, microjoules.
static SENSORS: &[(&Signal, &[&str], f64)] = &[
    (&nvidia::POWER, &["power1_average", "power1_input"], 1e-6),
    (&nvidia::POWER_LIMIT, &["power1_cap"], 1e-6),
    (&nvidia::ENERGY, &["energy1_input"], 1e-6),
];

impl Amd {
    /// `first` is the index of the first of them: those of others come before.
    pub(super) fn new(root: &Path, first: u32) -> Self {
        let folders = amd_folders(root).into_iter().take(DEVICES_MAX);
        let devices = (first..).zip(folders).map(|(index, folder)| {
            let sensors = fs::read_dir(folder.join("hwmon")).into_iter().flatten().flatten().next();
            (Thing::Device(index), folder, sensors.map(|entry| entry.path()))
        });
        Self { devices: devices.collect() }
    }

    pub(super) fn scrape(&self, scrape: &mut Scrape) {
        for (of, folder, sensors) in &self.devices {
            // Who fell off the bus has no folder any more.
            let present = folder.join("vendor").exists();
            scrape.add(&nvidia::PRESENT, of, Some(f64::from(u8::from(present))));
            if !present {
                continue;
            }
            for (signal, file, unit) in NUMBERS {
                scrape.add(signal, of, number(&folder.join(file)).map(|number| number * unit));
            }
            for (signal, files, unit) in SENSORS {
                let first = sensors.iter().find_map(|folder| files.iter().find_map(|file| number(&folder.join(file))));
                scrape.add(signal, of, first.map(|number| number * unit));
            }
            scrape.add(&nvidia::TEMPERATURE, of, sensors.as_deref().and_then(temperature));
            let (clock, highest) = text(&folder.join("pp_dpm_sclk")).map_or((None, None), |levels| clocks(&levels));
            scrape.add(&nvidia::SM_CLOCK, of, clock);
            scrape.add(&nvidia::SM_CLOCK_MAX, of, highest);
            for (signal, file) in
                [(&nvidia::PCIE_GENERATION, "current_link_speed"), (&nvidia::PCIE_GENERATION_MAX, "max_link_speed")]
            {
                scrape.add(signal, of, text(&folder.join(file)).as_deref().and_then(generation));
            }
            let errors = text(&folder.join("ras/umc_err_count"));
            for (signal, key) in [(&nvidia::ECC_UNCORRECTED, "ue:"), (&nvidia::ECC_CORRECTED, "ce:")] {
                scrape.add(signal, of, errors.as_deref().and_then(|text| keyed(text, key)));
            }
        }
    }
}

fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn number(path: &Path) -> Option<f64> {
    text(path)?.trim().parse::<u64>().ok().map(|number| number as f64)
}

/// Where it is hottest in the die (`junction`), or at its edge, in °C; the files hold thousandths.
fn temperature(sensors: &Path) -> Option<f64> {
    let of = |label: &str| {
        (1..=SENSORS_MAX).find_map(|sensor| {
            let found = text(&sensors.join(format!("temp{sensor}_label")))?;
            if found.trim() == label { number(&sensors.join(format!("temp{sensor}_input"))) } else { None }
        })
    };
    of("junction").or_else(|| of("edge")).map(|thousandths| thousandths / 1e3)
}

/// `0: 500Mhz`, and a star behind the level that is chosen: that one, and the highest, in hertz. Newer devices write `S:` for one between.
fn clocks(levels: &str) -> (Option<f64>, Option<f64>) {
    let (mut chosen, mut highest) = (None, None::<f64>);
    for line in levels.lines() {
        let Some((_, level)) = line.split_once(':') else { continue };
        let (level, is_chosen) = level.trim().strip_suffix('*').map_or((level.trim(), false), |level| (level, true));
        let Ok(mhz) = level.trim().to_ascii_lowercase().trim_end_matches("mhz").parse::<u32>() else { continue };
        let hertz = f64::from(mhz) * 1e6;
        highest = Some(highest.map_or(hertz, |highest| highest.max(hertz)));
        if is_chosen {
            chosen = Some(hertz);
        }
    }
    (chosen, highest)
}

/// `16.0 GT/s PCIe` is the fourth generation (PCI Express Base Specification).
fn generation(speed: &str) -> Option<f64> {
    Some(match speed.split_whitespace().next()? {
        "2.5" => 1.0,
        "5.0" | "5" => 2.0,
        "8.0" | "8" => 3.0,
        "16.0" | "16" => 4.0,
        "32.0" | "32" => 5.0,
        "64.0" | "64" => 6.0,
        _ => return None,
    })
}

/// `ue: 0`, `ce: 1`, a line each.
fn keyed(text: &str, key: &str) -> Option<f64> {
    let count: u64 = text.lines().find_map(|line| line.strip_prefix(key))?.trim().parse().ok()?;
    Some(count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::TempDir::new().unwrap();
        for (path, text) in files {
            let path = root.path().join("sys/class/drm").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_device_is_read_and_what_it_does_not_tell_is_unknown() {
        let root = tree(&[
            ("card1/device/vendor", "0x1002\n"),
            ("card1/device/mem_info_vram_total", "206141652992\n"),
            ("card1/device/mem_info_vram_used", "103070826496\n"),
            ("card1/device/gpu_busy_percent", "98\n"),
            ("card1/device/hwmon/hwmon5/power1_average", "612000000\n"),
            ("card1/device/hwmon/hwmon5/power1_cap", "750000000\n"),
            ("card1/device/hwmon/hwmon5/temp1_label", "edge\n"),
            ("card1/device/hwmon/hwmon5/temp1_input", "51000\n"),
            ("card1/device/hwmon/hwmon5/temp2_label", "junction\n"),
            ("card1/device/hwmon/hwmon5/temp2_input", "64000\n"),
            ("card1/device/pp_dpm_sclk", "S: 132Mhz\n0: 500Mhz\n1: 1700Mhz *\n2: 2100Mhz\n"),
            ("card1/device/current_link_speed", "16.0 GT/s PCIe\n"),
            ("card1/device/max_link_speed", "32.0 GT/s PCIe\n"),
            ("card1/device/current_link_width", "16\n"),
            ("card1/device/ras/umc_err_count", "ue: 0\nce: 3\n"),
            ("card0/device/vendor", "0x1a03\n"),
        ]);
        let amd = Amd::new(root.path(), 2);
        let got = || {
            let mut scrape = Scrape::default();
            amd.scrape(&mut scrape);
            move |signal: &Signal| scrape.values.iter().find(|value| value.signal == signal).map(|value| value.value)
        };
        let told = got();
        for (signal, expected) in [
            (&nvidia::PRESENT, Some(1.0)),
            (&nvidia::BUSY, Some(0.98)),
            (&nvidia::MEMORY_USED, Some(103_070_826_496.0)),
            (&nvidia::MEMORY_ACCESSED, None),
            (&nvidia::POWER, Some(612.0)),
            (&nvidia::POWER_LIMIT, Some(750.0)),
            (&nvidia::TEMPERATURE, Some(64.0)),
            (&nvidia::SM_CLOCK, Some(1.7e9)),
            (&nvidia::SM_CLOCK_MAX, Some(2.1e9)),
            (&nvidia::PCIE_GENERATION, Some(4.0)),
            (&nvidia::PCIE_GENERATION_MAX, Some(5.0)),
            (&nvidia::PCIE_WIDTH, Some(16.0)),
            (&nvidia::PCIE_WIDTH_MAX, None),
            (&nvidia::ECC_UNCORRECTED, Some(0.0)),
            (&nvidia::ECC_CORRECTED, Some(3.0)),
        ] {
            assert_eq!(told(signal), Some(expected), "{}", signal.name);
        }
        fs::remove_dir_all(root.path().join("sys/class/drm/card1")).unwrap();
        let gone = got();
        assert_eq!((gone(&nvidia::PRESENT), gone(&nvidia::BUSY)), (Some(Some(0.0)), None));
    }

    #[test]
    fn all_that_is_told_is_in_the_table() {
        let root = tree(&[("card0/device/vendor", "0x1002"), ("card0/device/mem_info_vram_total", "1")]);
        let mut scrape = Scrape::default();
        Amd::new(root.path(), 0).scrape(&mut scrape);
        let told: Vec<&Signal> = scrape.values.iter().map(|value| value.signal).collect();
        let table = fleet::signal::amd::SYSFS.signals;
        assert!(told.iter().all(|signal| table.contains(signal)) && table.iter().all(|signal| told.contains(signal)));
    }
}
