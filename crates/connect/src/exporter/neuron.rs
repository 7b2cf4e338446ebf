//! A line of `neuron-monitor` (AWS Neuron, Neuron Monitor User Guide: the JSON output format). Pure.

use std::collections::BTreeMap;

use fleet::series::Thing;
use fleet::signal::{Signal, nvidia};
use serde::Deserialize;

use super::{DEVICES_MAX, Values};

/// Takes line after line.
#[derive(Debug, Default)]
pub struct Neuron {
    /// Errors of memory by device, those that were corrected last. The program tells how many there were since the line before.
    errors: BTreeMap<u32, [f64; 2]>,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    neuron_runtime_data: Vec<Runtime>,
    #[serde(default)]
    system_data: Option<System>,
}

#[derive(Deserialize)]
struct Runtime {
    report: Option<Groups>,
}

#[derive(Deserialize)]
struct Groups {
    neuroncore_counters: Option<Counters>,
    memory_used: Option<Memory>,
}

#[derive(Deserialize)]
struct Counters {
    #[serde(default)]
    neuroncores_in_use: BTreeMap<String, Core>,
}

#[derive(Deserialize)]
struct Core {
    neuroncore_utilization: Option<f64>,
}

#[derive(Deserialize)]
struct Memory {
    neuron_runtime_used_bytes: Option<Used>,
}

#[derive(Deserialize)]
struct Used {
    usage_breakdown: Option<Breakdown>,
}

#[derive(Deserialize)]
struct Breakdown {
    #[serde(default)]
    neuroncore_memory_usage: BTreeMap<String, BTreeMap<String, f64>>,
}

#[derive(Deserialize)]
struct System {
    neuron_hw_counters: Option<Hardware>,
}

#[derive(Deserialize)]
struct Hardware {
    // `null` where there are none.
    neuron_devices: Option<Vec<Device>>,
}

#[derive(Deserialize)]
struct Device {
    neuron_device_index: u32,
    mem_ecc_corrected: Option<f64>,
    mem_ecc_uncorrected: Option<f64>,
    sram_ecc_uncorrected: Option<f64>,
}

impl Neuron {
    /// What a line says of cores and devices.
    ///
    /// # Errors
    /// In words, where it is no such line.
    pub fn take(&mut self, line: &str) -> Result<Values, String> {
        let report: Report = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let mut values = Values::new();
        for groups in report.neuron_runtime_data.into_iter().filter_map(|runtime| runtime.report) {
            for (core, told) in groups.neuroncore_counters.into_iter().flat_map(|counters| counters.neuroncores_in_use)
            {
                // Of each runtime; together they are on it no more than all of the time.
                add(
                    &mut values,
                    "neuroncore",
                    &core,
                    &nvidia::BUSY,
                    told.neuroncore_utilization.map(|percent| percent / 100.0),
                );
            }
            let used = groups.memory_used.and_then(|memory| memory.neuron_runtime_used_bytes);
            let breakdown = used.and_then(|used| used.usage_breakdown);
            for (core, parts) in breakdown.into_iter().flat_map(|breakdown| breakdown.neuroncore_memory_usage) {
                add(&mut values, "neuroncore", &core, &nvidia::MEMORY_USED, Some(parts.values().sum()));
            }
        }
        for ((_, signal), value) in &mut values {
            if *signal == &nvidia::BUSY {
                *value = value.clamp(0.0, 1.0);
            }
        }
        let devices = report.system_data.and_then(|system| system.neuron_hw_counters?.neuron_devices);
        for device in devices.into_iter().flatten() {
            self.errors(&device, &mut values);
        }
        Ok(values)
    }

    fn errors(&mut self, device: &Device, values: &mut Values) {
        let index = device.neuron_device_index;
        if self.errors.len() >= DEVICES_MAX && !self.errors.contains_key(&index) {
            return;
        }
        let sum = self.errors.entry(index).or_default();
        let uncorrected = device.mem_ecc_uncorrected.into_iter().chain(device.sram_ecc_uncorrected);
        for (sum, more) in sum.iter_mut().zip([uncorrected.sum(), device.mem_ecc_corrected.unwrap_or(0.0)]) {
            *sum += f64::max(more, 0.0);
        }
        let name = index.to_string();
        for (signal, sum) in [&nvidia::ECC_UNCORRECTED, &nvidia::ECC_CORRECTED].into_iter().zip(*sum) {
            add(values, "neuron", &name, signal, Some(sum));
        }
    }
}

fn add(values: &mut Values, kind: &str, index: &str, signal: &'static Signal, value: Option<f64>) {
    let is_index = !index.is_empty() && index.len() <= 5 && index.bytes().all(|byte| byte.is_ascii_digit());
    let Some(value) = value.filter(|value| value.is_finite() && is_index) else { return };
    let of = Thing::Accelerator(format!("{kind}-{index}").into());
    let present = (of.clone(), &nvidia::PRESENT);
    if !values.contains_key(&present)
        && values.keys().filter(|(_, signal)| *signal == &nvidia::PRESENT).count() >= DEVICES_MAX
    {
        return;
    }
    values.insert(present, 1.0);
    *values.entry((of, signal)).or_insert(0.0) += value;
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"neuron_runtime_data":[{"pid":1,"error":"","report":{
        "neuroncore_counters":{"period":5.0,"neuroncores_in_use":{"0":{"neuroncore_utilization":42.5},"1":{"neuroncore_utilization":0.0}}},
        "memory_used":{"neuron_runtime_used_bytes":{"host":9,"neuron_device":2000,"usage_breakdown":{"neuroncore_memory_usage":
            {"0":{"constants":1000,"model_code":500,"tensors":20}}}}}}},{"error":"gone"}],
        "system_data":{"neuron_hw_counters":{"neuron_devices":[{"neuron_device_index":0,"mem_ecc_corrected":2,"mem_ecc_uncorrected":0,
            "sram_ecc_uncorrected":1}]}}}"#;

    #[test]
    fn lines_are_read_and_errors_are_added_up() {
        let mut neuron = Neuron::default();
        neuron.take(LINE).unwrap();
        let values = neuron.take(LINE).unwrap();
        let of = |name: &str, signal: &'static Signal| values.get(&(Thing::Accelerator(name.into()), signal)).copied();
        assert_eq!(of("neuroncore-0", &nvidia::BUSY), Some(0.425));
        assert_eq!(of("neuroncore-1", &nvidia::BUSY), Some(0.0));
        assert_eq!(of("neuroncore-0", &nvidia::MEMORY_USED), Some(1_520.0));
        assert_eq!(of("neuroncore-1", &nvidia::MEMORY_USED), None);
        assert_eq!(of("neuroncore-1", &nvidia::PRESENT), Some(1.0));
        assert_eq!(of("neuron-0", &nvidia::ECC_UNCORRECTED), Some(2.0));
        assert_eq!(of("neuron-0", &nvidia::ECC_CORRECTED), Some(4.0));
    }

    #[test]
    fn what_is_no_such_line_is_refused_or_tells_nothing() {
        let mut neuron = Neuron::default();
        for line in ["", "{\"neuron_runtime_data\": 7}", "Killed"] {
            assert!(neuron.take(line).is_err(), "{line}");
        }
        for line in ["{}", "[]", r#"{"system_data":{"neuron_hw_counters":{"neuron_devices":null,"error":"x"}}}"#] {
            assert!(neuron.take(line).unwrap().is_empty(), "{line}");
        }
        let many: Vec<String> =
            (0..1_000).map(|core| format!(r#""{core}":{{"neuroncore_utilization":1.0}}"#)).collect();
        let line = format!(
            r#"{{"neuron_runtime_data":[{{"report":{{"neuroncore_counters":{{"neuroncores_in_use":{{{}}}}}}}}}]}}"#,
            many.join(",")
        );
        assert_eq!(neuron.take(&line).unwrap().len(), 2 * DEVICES_MAX);
    }
}
