#![no_main]
//! What exporters of devices answer, and lines of neuron-monitor.

use connect::exporter::{DEVICES_MAX, Neuron, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let values = read(bytes).unwrap_or_default();
    assert!(values.values().all(|value| !value.is_nan()));
    let mut neuron = Neuron::default();
    for line in String::from_utf8_lossy(bytes).lines() {
        let values = neuron.take(line).unwrap_or_default();
        assert!(values.len() <= 8 * DEVICES_MAX);
    }
});
