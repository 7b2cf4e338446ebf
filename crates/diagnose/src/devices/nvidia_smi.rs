//! What `nvidia-smi -q -x` prints.

use std::collections::BTreeMap;
use std::io::BufRead;

use fleet::problem::{Problem, Problems};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::device::{Device, HeldDown, Recovery, Rows};
use crate::pci;

/// Of a file, so much is read; a machine with sixteen devices prints less than 1 MiB.
const BYTES_MAX: u64 = 64 << 20;

/// So many values of a device are kept, and elements nested so deep are read.
const VALUES_MAX: usize = 4_096;
const DEPTH_MAX: usize = 64;

/// Parts that say nothing of how a device is, and are long.
const PASSED: [&str; 3] = ["supported_clocks", "mig_devices", "accounted_processes"];

/// Whether a file that begins so is such a list.
#[must_use]
pub fn is_list(head: &str) -> bool {
    head.contains("<nvidia_smi_log")
}

/// Reads a list. What is cut off or broken is told among the problems; devices that were whole before are kept.
///
/// # Errors
/// If there is none.
pub fn read(input: impl BufRead, file: &str) -> Result<(Vec<Device>, Problems), Problem> {
    let mut devices = Vec::new();
    let mut problems = Problems::default();
    let problem = |reason: String| Problem { file: file.to_owned(), line: 0, field: None, reason };
    match walk(input, &mut devices) {
        Ok(()) if devices.is_empty() => Err(problem("it lists no GPU".to_owned())),
        Ok(()) => Ok((devices, problems)),
        Err(reason) if devices.is_empty() => Err(problem(reason)),
        Err(reason) => {
            problems.add(problem(format!("reading stopped after {} devices: {reason}", devices.len())));
            Ok((devices, problems))
        }
    }
}

fn walk(input: impl BufRead, devices: &mut Vec<Device>) -> Result<(), String> {
    let mut reader = Reader::from_reader(input.take(BYTES_MAX));
    reader.config_mut().trim_text(true);
    let (mut buffer, mut path, mut values) = (Vec::new(), Vec::<String>::new(), Values::default());
    let mut whole = false;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                if path.len() == DEPTH_MAX {
                    return Err(format!("elements are nested more than {DEPTH_MAX} deep"));
                }
                path.push(String::from_utf8_lossy(start.name().as_ref()).into_owned());
                if path.len() == 2 && path[1] == "gpu" {
                    let id = start.attributes().flatten().find(|attribute| attribute.key.as_ref() == b"id");
                    values = Values::default();
                    let id = id.map_or_else(String::new, |id| String::from_utf8_lossy(&id.value).into_owned());
                    values.by_path.insert("id".to_owned(), id);
                }
            }
            Event::Text(text) if path.len() > 2 && path[1] == "gpu" => values.add(&path[2..], &text),
            Event::End(_) => {
                if path.len() == 2 && path[1] == "gpu" {
                    devices.push(values.device());
                }
                if path.len() == 3 && path[2] == "processes" {
                    values.by_path.entry("processes".to_owned()).or_default();
                }
                if path.len() == 4 && path[3] == "process_info" {
                    values.processes += 1;
                }
                whole = path.pop().is_some() && path.is_empty();
            }
            Event::Eof if whole => return Ok(()),
            Event::Eof => return Err("the file is cut off; copy it again".to_owned()),
            _ => {}
        }
    }
}

/// The values of one device, by where they stand.
#[derive(Default)]
struct Values {
    by_path: BTreeMap<String, String>,
    processes: u64,
}

impl Values {
    fn add(&mut self, path: &[String], text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        let passed = path.first().is_some_and(|first| PASSED.contains(&first.as_str()));
        if !passed && text != "N/A" && self.by_path.len() < VALUES_MAX {
            self.by_path.entry(path.join("/")).or_insert(text);
        }
    }

    /// The first of some paths at which something stands; drivers call things differently.
    fn first(&self, paths: &[&str]) -> Option<&str> {
        paths.iter().find_map(|path| self.by_path.get(*path)).map(String::as_str)
    }

    /// A number before its unit.
    fn number(&self, paths: &[&str]) -> Option<f64> {
        self.first(paths)?
            .split_whitespace()
            .next()?
            .trim_end_matches('x')
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }

    fn count(&self, paths: &[&str]) -> Option<u64> {
        self.number(paths).filter(|number| *number >= 0.0).map(|number| number as u64)
    }

    /// Of all that stand there, the sum.
    fn sum(&self, paths: &[&str]) -> Option<u64> {
        let counts: Vec<u64> = paths.iter().filter_map(|path| self.count(&[path])).collect();
        (!counts.is_empty()).then(|| counts.iter().sum())
    }

    fn bytes(&self, paths: &[&str]) -> Option<f64> {
        self.number(paths).map(|mib| mib * f64::from(1 << 20))
    }

    fn yes(&self, paths: &[&str]) -> Option<bool> {
        match self.first(paths)? {
            "Yes" | "Active" => Some(true),
            "No" | "Not Active" => Some(false),
            _ => None,
        }
    }

    /// A reason why clocks are held down; its name was another before driver 535.
    fn reason(&self, name: &str) -> Option<bool> {
        let now = format!("clocks_event_reasons/clocks_event_reason_{name}");
        let before = format!("clocks_throttle_reasons/clocks_throttle_reason_{name}");
        self.yes(&[&now, &before])
    }

    fn device(&self) -> Device {
        let any = |reasons: &[&str]| -> Option<bool> {
            let told: Vec<bool> = reasons.iter().filter_map(|reason| self.reason(reason)).collect();
            (!told.is_empty()).then(|| told.contains(&true))
        };
        let power =
            |name: &str| -> [String; 2] { ["gpu_power_readings", "power_readings"].map(|of| format!("{of}/{name}")) };
        let watts =
            |names: &[&str]| names.iter().find_map(|name| self.number(&power(name).each_ref().map(String::as_str)));
        let id = self.first(&["id"]).unwrap_or_default();
        let generation_max = self.count(&["pci/pci_gpu_link_info/pcie_gen/max_link_gen"]);
        Device {
            name: pci::place(id).unwrap_or_else(|| id.to_owned()),
            model: self.first(&["product_name"]).map(str::to_owned),
            busy_percent: self.number(&["utilization/gpu_util"]),
            working_percent: None,
            memory_bytes: self.bytes(&["fb_memory_usage/total"]),
            memory_used_bytes: self.bytes(&["fb_memory_usage/used"]),
            processes: self.first(&["processes"]).map(|_| self.processes),
            power_watts: watts(&["power_draw", "instant_power_draw", "average_power_draw"]),
            power_limit_watts: watts(&["current_power_limit", "power_limit"]),
            power_default_limit_watts: watts(&["default_power_limit"]),
            temperature_c: self.number(&["temperature/gpu_temp"]),
            slowdown_c: self.number(&["temperature/gpu_temp_slow_threshold"]),
            clock_mhz: self.number(&["clocks/sm_clock"]),
            clock_max_mhz: self.number(&["max_clocks/sm_clock"]),
            held_down: HeldDown {
                power_cap: any(&["sw_power_cap"]),
                power_brake: any(&["hw_power_brake_slowdown"]),
                thermal: any(&["hw_thermal_slowdown", "sw_thermal_slowdown"]),
                hardware: any(&["hw_slowdown"]),
            },
            link_width: self.count(&["pci/pci_gpu_link_info/link_widths/current_link_width"]),
            link_width_max: self.count(&["pci/pci_gpu_link_info/link_widths/max_link_width"]),
            link_generation: self.count(&["pci/pci_gpu_link_info/pcie_gen/current_link_gen"]),
            link_generation_max: generation_max,
            replays: self.count(&["pci/replay_counter"]),
            uncorrected: self.sum(&[
                "ecc_errors/volatile/dram_uncorrectable",
                "ecc_errors/volatile/sram_uncorrectable",
                "ecc_errors/volatile/sram_uncorrectable_parity",
                "ecc_errors/volatile/sram_uncorrectable_secded",
                "ecc_errors/volatile/double_bit/total",
            ]),
            corrected: self.sum(&[
                "ecc_errors/volatile/dram_correctable",
                "ecc_errors/volatile/sram_correctable",
                "ecc_errors/volatile/single_bit/total",
            ]),
            rows: Rows {
                remapped: self.count(&["remapped_rows/remapped_row_unc"]),
                pending: self.yes(&["remapped_rows/remapped_row_pending", "retired_pages/pending_retirement"]),
                failed: self.yes(&["remapped_rows/remapped_row_failure"]),
            },
            recovery: self.recovery(),
        }
    }

    fn recovery(&self) -> Option<Recovery> {
        match self.first(&["gpu_recovery_action"]) {
            Some("None") => return Some(Recovery::Nothing),
            Some("Reset") => return Some(Recovery::Reset),
            Some("Reboot") => return Some(Recovery::Reboot),
            Some("Drain P2P" | "Drain and Reset") => return Some(Recovery::DrainAndReset),
            _ => {}
        }
        let reset = self.yes(&["gpu_reset_status/reset_required"]);
        let drain = self.yes(&["gpu_reset_status/drain_and_reset_recommended"]);
        match (reset, drain) {
            (Some(true), _) => Some(Recovery::Reset),
            (_, Some(true)) => Some(Recovery::DrainAndReset),
            (Some(false), _) => Some(Recovery::Nothing),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_where_they_stand() {
        let text = "<?xml version=\"1.0\"?><nvidia_smi_log><gpu id=\"00000000:3B:00.0\"><product_name>X</product_name>\
            <utilization><gpu_util>97 %</gpu_util></utilization><fb_memory_usage><total>2 MiB</total><used>N/A</used></fb_memory_usage>\
            <clocks_throttle_reasons><clocks_throttle_reason_sw_power_cap>Active</clocks_throttle_reason_sw_power_cap></clocks_throttle_reasons>\
            <pci><pci_gpu_link_info><link_widths><max_link_width>16x</max_link_width><current_link_width>8x</current_link_width></link_widths>\
            </pci_gpu_link_info></pci><processes><process_info><pid>1</pid></process_info></processes>\
            <mig_devices><mig_device><fb_memory_usage><total>1 MiB</total></fb_memory_usage></mig_device></mig_devices></gpu></nvidia_smi_log>";
        let (devices, problems) = read(text.as_bytes(), "x").unwrap();
        assert_eq!((devices.len(), problems.count()), (1, 0));
        let device = &devices[0];
        assert_eq!((device.name.as_str(), device.model.as_deref()), ("0000:3b:00", Some("X")));
        assert_eq!(
            (device.busy_percent, device.memory_bytes, device.memory_used_bytes),
            (Some(97.0), Some(2_097_152.0), None)
        );
        assert_eq!((device.held_down.power_cap, device.held_down.thermal), (Some(true), None));
        assert_eq!((device.link_width, device.link_width_max, device.processes), (Some(8), Some(16), Some(1)));
    }

    #[test]
    fn what_is_cut_off_keeps_whole_devices() {
        let text = "<nvidia_smi_log><gpu id=\"a\"><uuid>1</uuid></gpu><gpu id=\"b\">";
        let (devices, problems) = read(text.as_bytes(), "x").unwrap();
        assert_eq!(devices.len(), 1);
        assert!(problems.kept()[0].reason.contains("cut off"), "{}", problems.kept()[0]);
        for text in ["<nvidia_smi_log></nvidia_smi_log>", "<nvidia_smi_log>", "<a></b>"] {
            assert!(read(text.as_bytes(), "x").is_err(), "{text}");
        }
    }
}
