//! An exporter's answer, as signals. Pure.

use std::io::{self, BufRead};
use std::sync::Arc;

use fleet::series::Thing;
use fleet::signal::{Signal, nvidia};
use fleet::text::exposition::Sample;
use fleet::text::lines::{Line, Lines};

use super::names::{ALL, Entry, Many, Named, Vendor, Worth};
use super::{DEVICES_MAX, Values};

/// A longer name of a device is cut.
const NAME_MAX: usize = 64;

/// What an answer in Prometheus' text format tells of devices. Lines that are no samples, and metrics that are not known, are passed over.
///
/// # Errors
/// What the input answers.
pub fn read(input: impl BufRead) -> io::Result<Values> {
    let mut answer = Answer::default();
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next_line()? {
        if let Line::Text(line) = line
            && !line.trim_start().starts_with('#')
            && let Some(sample) = Sample::parse(line)
        {
            answer.take(&sample);
        }
    }
    Ok(answer.values)
}

#[derive(Default)]
struct Answer {
    values: Values,
    devices: Vec<Thing>,
}

impl Answer {
    fn take(&mut self, sample: &Sample<'_>) {
        // AMD's exporter can be told to write this in front of all its names.
        let name = sample.name.strip_prefix("amd_").unwrap_or(sample.name);
        // A part of a split device (MIG) is not the device.
        if sample.label(&["GPU_I_ID"]).is_some_and(|part| !part.is_empty()) {
            return;
        }
        for vendor in ALL {
            for entry in vendor.entries.iter().filter(|entry| entry.metric.eq_ignore_ascii_case(name)) {
                let fits = entry.only.is_none_or(|(label, value)| sample.label(&[label]) == Some(value));
                if let Some(value) = entry.value(sample).filter(|_| fits)
                    && let Some(of) = self.device(vendor, sample)
                {
                    self.enter(of, entry, value);
                }
            }
        }
    }

    /// What a sample is of; nothing where it does not say, or where there are too many.
    fn device(&mut self, vendor: &Vendor, sample: &Sample<'_>) -> Option<Thing> {
        let of = match vendor.named {
            Named::Index(labels) => Thing::Device(sample.label(labels)?.parse().ok().filter(|index| *index < 1_024)?),
            Named::Word(word, labels) => {
                let name = sample.label(labels)?;
                let name = name.rsplit('-').next().unwrap_or(name);
                let is_plain = !name.is_empty()
                    && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._:".contains(letter));
                let name: String = name.chars().take(NAME_MAX).filter(|_| is_plain).collect();
                if name.is_empty() {
                    return None;
                }
                Thing::Accelerator(Arc::from(format!("{word}-{name}")))
            }
        };
        if !self.devices.contains(&of) {
            if self.devices.len() == DEVICES_MAX {
                return None;
            }
            self.devices.push(of.clone());
            self.values.insert((of.clone(), &nvidia::PRESENT), 1.0);
        }
        Some(of)
    }

    fn enter(&mut self, of: Thing, entry: &'static Entry, value: f64) {
        let key: (Thing, &'static Signal) = (of, entry.signal);
        let before = self.values.get(&key).copied();
        let value = match (entry.many, before) {
            (Many::Sum, Some(before)) => before + value,
            (Many::Highest, Some(before)) => before.max(value),
            _ => value,
        };
        self.values.insert(key, value);
    }
}

impl Entry {
    /// A sample's value, as ours; nothing where it has none.
    fn value(&self, sample: &Sample<'_>) -> Option<f64> {
        let value = sample.value_of_dcgm().filter(|value| *value >= 0.0)?;
        let flag = |is_so: bool| f64::from(u8::from(is_so));
        Some(match self.worth {
            Worth::Times(factor) => value * factor,
            Worth::AnyBit(bits) => flag(value as u64 & bits != 0),
            Worth::More => flag(value > 0.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use fleet::signal::exporter;

    use super::*;

    fn check(text: &str, expected: &[(&str, &'static Signal, Option<f64>)]) {
        let values = read(text.as_bytes()).unwrap();
        for (of, signal, expected) in expected {
            let found = values.iter().find(|((thing, found), _)| thing.to_string() == *of && found == signal);
            assert_eq!(found.map(|(_, value)| *value), *expected, "{} of {of}", signal.name);
        }
    }

    #[test]
    fn nvidia_is_read() {
        check(
            "# HELP x y\nDCGM_FI_DEV_GPU_UTIL{gpu=\"3\",UUID=\"GPU-1\",device=\"nvidia3\"} 98\n\
             DCGM_FI_PROF_SM_ACTIVE{gpu=\"3\"} 0.33\nDCGM_FI_DEV_FB_USED{gpu=\"3\"} 100\nDCGM_FI_DEV_FB_FREE{gpu=\"3\"} 300\n\
             DCGM_FI_DEV_CLOCKS_EVENT_REASONS{gpu=\"3\"} 68\nDCGM_FI_DEV_XID_ERRORS{gpu=\"3\"} 79\n\
             DCGM_FI_DEV_POWER_USAGE{gpu=\"3\"} 9223372036854775794\nDCGM_FI_PROF_SM_ACTIVE{gpu=\"0\",GPU_I_ID=\"1\"} 0.5\nrubbish\n",
            &[
                ("3", &nvidia::PRESENT, Some(1.0)),
                ("3", &nvidia::BUSY, Some(0.98)),
                ("3", &nvidia::SM_ACTIVE, Some(0.33)),
                ("3", &nvidia::MEMORY_USED, Some(100.0 * 1_048_576.0)),
                ("3", &nvidia::MEMORY_TOTAL, Some(400.0 * 1_048_576.0)),
                ("3", &nvidia::THROTTLE_POWER, Some(1.0)),
                ("3", &nvidia::THROTTLE_THERMAL, Some(1.0)),
                ("3", &nvidia::THROTTLE_HARDWARE, Some(0.0)),
                ("3", &exporter::LAST_XID, Some(79.0)),
                ("3", &nvidia::POWER, None),
                ("0", &nvidia::SM_ACTIVE, None),
            ],
        );
    }

    #[test]
    fn others_are_read() {
        check(
            "gpu_gfx_activity{card_model=\"m\",gpu_id=\"2\"} 50\nGPU_USED_VRAM{gpu_id=\"2\"} 2\n\
             gpu_clock{gpu_id=\"2\",clock_type=\"GPU_CLOCK_TYPE_SYSTEM\",clock_index=\"0\"} 1900\n\
             gpu_clock{gpu_id=\"2\",clock_type=\"GPU_CLOCK_TYPE_SYSTEM\",clock_index=\"1\"} 1700\n\
             gpu_clock{gpu_id=\"2\",clock_type=\"GPU_CLOCK_TYPE_MEMORY\",clock_index=\"2\"} 2600\n\
             neuroncore_utilization_ratio{neuroncore=\"0\",runtime_tag=\"367\"} 0.1\n\
             neuroncore_memory_usage_tensors{neuroncore=\"0\"} 5\nneuroncore_memory_usage_constants{neuroncore=\"0\"} 7\n\
             hardware_ecc_events_total{event_type=\"sram_ecc_uncorrected\",neuron_device_index=\"5\"} 3\n\
             hardware_ecc_events_total{event_type=\"mem_ecc_uncorrected\",neuron_device_index=\"5\"} 1\n\
             duty_cycle{accelerator_id=\"1234567890123456789-4\",make=\"cloud-tpu\"} 42\nmemory_total{accelerator_id=\"1-4\"} 2.03e+11\n\
             memory_used 7\nhabanalabs_utilization{device=\"1\"} 88\nhabanalabs_power_mW{device=\"1\"} 450000\n",
            &[
                ("2", &nvidia::BUSY, Some(0.5)),
                ("2", &nvidia::MEMORY_USED, Some(2_097_152.0)),
                ("2", &nvidia::SM_CLOCK, Some(1.9e9)),
                ("neuroncore-0", &nvidia::BUSY, Some(0.1)),
                ("neuroncore-0", &nvidia::MEMORY_USED, Some(12.0)),
                ("neuron-5", &nvidia::ECC_UNCORRECTED, Some(4.0)),
                ("tpu-4", &nvidia::BUSY, Some(0.42)),
                ("tpu-4", &nvidia::MEMORY_TOTAL, Some(2.03e11)),
                ("gaudi-1", &nvidia::BUSY, Some(0.88)),
                ("gaudi-1", &nvidia::POWER, Some(450.0)),
            ],
        );
    }

    #[test]
    fn room_is_bounded_and_names_are_plain() {
        let mut text: String =
            (0..10_000).map(|index| format!("duty_cycle{{accelerator_id=\"1-{index}\"}} 1\n")).collect();
        text += "habanalabs_utilization{device=\"a b\"} 1\nDCGM_FI_DEV_GPU_UTIL{gpu=\"4000000000\"} 1\n";
        assert_eq!(read(text.as_bytes()).unwrap().len(), 2 * DEVICES_MAX);
        assert!(read(&b"up 1\n\xff\xfe\n"[..]).unwrap().is_empty());
    }
}
