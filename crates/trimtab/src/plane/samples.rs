//! How busy this machine is, once a second; handed on in bundles, since each write to the disk costs more than many samples.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use connect::machine::{Sample, Sampler};
use fleet::history::NodeRecord;
use store::Retention;

use super::{Heard, Plane};

/// How often the machine is asked.
const EVERY: Duration = Duration::from_secs(1);
/// So many moments are stored at once.
const BUNDLE: usize = 10;

/// What was measured, and how long before the bundle was handed on.
#[derive(Debug)]
pub(crate) struct Measured {
    before: Duration,
    sample: Sample,
}

/// Takes samples until `stop` is closed.
pub(crate) fn watch(mut sampler: Sampler, line: &SyncSender<Heard>, stop: &Receiver<()>) {
    let mut taken = Vec::with_capacity(BUNDLE);
    loop {
        match stop.recv_timeout(EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
        taken.push((std::time::Instant::now(), sampler.sample()));
        if taken.len() == BUNDLE {
            let bundle = taken.drain(..).map(|(at, sample)| Measured { before: at.elapsed(), sample }).collect();
            // Where the loop has too much to do, samples are what can be missed.
            let _full = line.try_send(Heard::Samples(bundle));
        }
    }
}

impl Plane {
    /// Stores samples. They are no part of the log: what cannot be stored is missing, and nothing else.
    pub(super) fn keep_samples(&mut self, measured: Vec<Measured>) {
        let name = self.found.first().map(|facts: &NodeRecord| facts.name.as_str());
        let node = self.control.nodes().iter().find(|(_, known)| Some(known.facts.name.as_str()) == name);
        let Some((&node, _)) = node else { return };
        let now = self.clock.now();
        let mut samples = Vec::new();
        for Measured { before, sample } in measured {
            let at = now - fleet::quantity::Millis(i64::try_from(before.as_millis()).unwrap_or(i64::MAX));
            let mut add = |device: Option<u32>, metric: &str, value: Option<f64>| {
                samples.push(store::Sample { at, node, device, metric: metric.to_owned(), value });
            };
            add(None, "cpu_busy_cores", sample.cpu_busy_milli.map(|milli| milli as f64 / 1_000.0));
            add(None, "memory_used_bytes", sample.memory_used.map(|bytes| bytes.0 as f64));
            add(None, "load_1m", sample.load_milli.map(|milli| milli as f64 / 1_000.0));
            for (index, reading) in (0..).zip(&sample.devices) {
                add(Some(index), "device_busy_ratio", reading.busy_milli.map(|milli| milli as f64 / 1_000.0));
                add(Some(index), "device_memory_used_bytes", reading.memory_used.map(|bytes| bytes.0 as f64));
            }
        }
        if let Err(error) = self.store.append_samples(&samples, Retention::default()) {
            eprintln!("warning: samples are lost: {error}");
        }
    }
}
