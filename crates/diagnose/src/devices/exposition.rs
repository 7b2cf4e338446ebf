//! Metrics in Prometheus' text format, as an exporter of DCGM answers them; other metrics are counted.

use std::collections::BTreeMap;
use std::io::BufRead;

use fleet::problem::{Problem, Problems};
use fleet::text::exposition::Sample;
use fleet::text::lines::{Line, Lines};
use fleet::text::shown;

use super::device::Device;
use crate::rows::words;

/// So many devices are told apart.
const DEVICES_MAX: usize = 4_096;

/// What a scrape holds.
#[derive(Debug, Default)]
pub struct Scrape {
    /// How many samples there are.
    pub samples: u64,
    /// The devices that some of them are of.
    pub devices: Vec<Device>,
}

/// Whether a file that begins so is a scrape.
#[must_use]
pub fn is_scrape(head: &str) -> bool {
    let mut lines = head.lines().filter(|line| !line.trim().is_empty());
    lines.next().is_some_and(|line| line.starts_with("# HELP ") || line.starts_with("# TYPE "))
}

/// Reads a scrape.
///
/// # Errors
/// If there is no sample in it. Lines that are none are told among the problems.
pub fn read(input: impl BufRead, file: &str) -> Result<(Scrape, Problems), Problem> {
    let problem = |line, reason: String| Problem { file: file.to_owned(), line, field: None, reason };
    let (mut scrape, mut problems) = (Scrape::default(), Problems::default());
    let mut devices = BTreeMap::<String, Device>::new();
    let mut lines = Lines::new(input);
    loop {
        match lines.next_line() {
            Ok(None) => break,
            Ok(Some(Line::Text(text))) if text.trim().is_empty() || text.starts_with('#') => {}
            Ok(Some(Line::Text(text))) => match Sample::parse(text) {
                Some(sample) => {
                    scrape.samples += 1;
                    enter(&sample, &mut devices);
                }
                None => {
                    let reason =
                        format!("`{}` is no sample; expected a name, labels in braces and a value", shown(text));
                    problems.add(problem(lines.number(), reason));
                }
            },
            Ok(Some(Line::Bad(reason))) => {
                let line = lines.number();
                problems.add(problem(line, reason.to_owned()));
            }
            Err(error) if scrape.samples == 0 => return Err(problem(0, words(&error))),
            Err(error) => {
                problems.add(problem(lines.number() + 1, format!("reading stopped: {}", words(&error))));
                break;
            }
        }
    }
    scrape.devices = devices.into_values().collect();
    match problems.kept().first() {
        _ if scrape.samples > 0 => Ok((scrape, problems)),
        Some(first) => Err(first.clone()),
        None => Err(problem(0, "it holds no sample".to_owned())),
    }
}

/// Into the device that it is of, where it is known and there is a value.
fn enter(sample: &Sample<'_>, devices: &mut BTreeMap<String, Device>) {
    let Some(field) = sample.name.strip_prefix("DCGM_FI_") else { return };
    let Some(name) = sample.label(&["pci_bus_id", "device", "gpu", "UUID"]) else { return };
    if !devices.contains_key(name) && devices.len() == DEVICES_MAX {
        return;
    }
    let device =
        devices.entry(name.to_owned()).or_insert_with(|| Device { name: name.to_owned(), ..Device::default() });
    if let Some(model) = sample.label(&["modelName"]) {
        device.model = Some(model.to_owned());
    }
    let value = sample.value_of_dcgm();
    let mib = value.map(|mib| mib * f64::from(1 << 20));
    let count = value.filter(|value| *value >= 0.0).map(|value| value as u64);
    match field {
        "DEV_GPU_UTIL" => device.busy_percent = value,
        "PROF_SM_ACTIVE" => device.working_percent = value.map(|share| 100.0 * share),
        "DEV_FB_USED" => device.memory_used_bytes = mib,
        "DEV_FB_TOTAL" => device.memory_bytes = mib,
        "DEV_GPU_TEMP" => device.temperature_c = value,
        "DEV_POWER_USAGE" => device.power_watts = value,
        "DEV_SM_CLOCK" => device.clock_mhz = value,
        "DEV_PCIE_REPLAY_COUNTER" => device.replays = count,
        "DEV_ECC_DBE_VOL_TOTAL" => device.uncorrected = count,
        "DEV_ECC_SBE_VOL_TOTAL" => device.corrected = count,
        "DEV_UNCORRECTABLE_REMAPPED_ROWS" => device.rows.remapped = count,
        "DEV_ROW_REMAP_FAILURE" => device.rows.failed = count.map(|count| count > 0),
        "DEV_ROW_REMAP_PENDING" => device.rows.pending = count.map(|count| count > 0),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_devices_are_entered() {
        let text = "# HELP a b\nDCGM_FI_DEV_GPU_UTIL{gpu=\"0\",UUID=\"GPU-1\",modelName=\"A \\\"B\\\", C\"} 98\n\
            DCGM_FI_PROF_SM_ACTIVE{gpu=\"0\"} 0.33 1700000000000\nDCGM_FI_DEV_GPU_TEMP{gpu=\"1\"} 9223372036854775794\n\
            node_load1 0.5\nnode_x{a=\"}\"} +Inf\nno sample\n";
        assert!(is_scrape(text) && !is_scrape("a,b\n"));
        let (scrape, problems) = read(text.as_bytes(), "x").unwrap();
        assert_eq!((scrape.samples, scrape.devices.len(), problems.count()), (5, 2, 1));
        assert_eq!(scrape.devices[0].busy_percent, Some(98.0));
        assert_eq!(scrape.devices[0].working_percent, Some(33.0));
        assert_eq!(scrape.devices[1].temperature_c, None);
        assert!(problems.kept()[0].to_string().starts_with("x:7: `no sample` is no sample"), "{}", problems.kept()[0]);
    }

    #[test]
    fn a_file_without_samples_is_refused() {
        assert!(read(&b"# HELP a b\n"[..], "x").is_err());
        assert!(read(&b"{}\n"[..], "x").is_err());
    }
}
