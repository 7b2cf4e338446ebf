//! Programs beside us that tell of devices: exporters in Prometheus' text format, and AWS' `neuron-monitor`.
//!
//! Each is heard in a thread of its own, which hands over the latest that it heard: whoever measures once a second never waits for one.
//! Time, bytes and devices are bounded. One that does not answer is told of once, and what it told is unknown from then on. What this
//! machine tells by itself is never replaced. `names` says which metric is which signal; start at [`Exporters::start`].

mod address;
mod heard;
mod names;
mod neuron;
mod program;
mod request;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use fleet::series::{Scrape, Thing};
use fleet::signal::Signal;

pub use address::{Address, Reach};
use heard::Heard;
pub use names::{ALL, Entry, Many, Named, Vendor, Worth};
pub use neuron::Neuron;
pub use text::read;

/// So many are asked.
pub const EXPORTERS_MAX: usize = 16;
/// So many devices of one are told of; the others are left out.
pub const DEVICES_MAX: usize = 128;
/// So many notices wait; those that come after are lost.
const NOTICES_MAX: usize = 64;

/// What one told at a moment.
pub type Values = BTreeMap<(Thing, &'static Signal), f64>;

/// Who is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// An exporter in Prometheus' text format.
    Exporter(Address),
    /// AWS' program, which writes a line of JSON every few seconds.
    NeuronMonitor(PathBuf),
}

/// All that are asked.
#[derive(Debug)]
pub struct Exporters {
    each: Vec<Each>,
    notices: Receiver<String>,
}

/// One of them. What is dropped ends its thread.
#[derive(Debug)]
struct Each {
    heard: Heard,
    _on: On,
}

/// What keeps a thread on.
#[derive(Debug)]
enum On {
    Request { _stop: SyncSender<()> },
    Program { _program: program::Running },
}

impl Exporters {
    /// Begins to ask; at most [`EXPORTERS_MAX`] of them.
    #[must_use]
    pub fn start(asked: Vec<Asked>) -> Self {
        let (tell, notices) = sync_channel(NOTICES_MAX);
        let each = asked.into_iter().take(EXPORTERS_MAX).map(|asked| {
            let (heard, tell) = (Heard::default(), tell.clone());
            let on = match asked {
                Asked::Exporter(address) => On::Request { _stop: request::begin(address, heard.clone(), tell) },
                Asked::NeuronMonitor(path) => On::Program { _program: program::begin(path, heard.clone(), tell) },
            };
            Each { heard, _on: on }
        });
        Self { each: each.collect(), notices }
    }

    /// Adds what was heard lately to what this machine tells of itself, where that does not tell it.
    pub fn add(&self, scrape: &mut Scrape) {
        let latest: Vec<_> = self.each.iter().filter_map(|each| each.heard.lately()).collect();
        if latest.is_empty() {
            return;
        }
        // Where something stands in the scrape, whether it is known there or not.
        let mut places: BTreeMap<(Thing, &'static Signal), usize> = BTreeMap::new();
        for (place, measured) in scrape.values.iter().enumerate() {
            if matches!(measured.of, Thing::Device(_) | Thing::Accelerator(_)) {
                places.insert((measured.of.clone(), measured.signal), place);
            }
        }
        for values in latest {
            for ((of, signal), value) in values.iter() {
                match places.get(&(of.clone(), *signal)).and_then(|place| scrape.values.get_mut(*place)) {
                    Some(measured) if measured.value.is_some() => {}
                    Some(measured) => measured.value = Some(*value).filter(|value| value.is_finite()),
                    None => {
                        places.insert((of.clone(), *signal), scrape.values.len());
                        scrape.add(signal, of, Some(*value));
                    }
                }
            }
        }
    }

    /// What people should know since this was last asked: who does not answer, and who does again.
    pub fn notices(&self) -> impl Iterator<Item = String> {
        self.notices.try_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fleet::signal::nvidia;

    use super::*;

    #[test]
    fn what_the_machine_tells_by_itself_stays_and_the_rest_is_filled_in() {
        let heard = Heard::default();
        let device = |index| Thing::Device(index);
        let values =
            [(device(0), &nvidia::BUSY, 0.9), (device(0), &nvidia::SM_ACTIVE, 0.4), (device(1), &nvidia::BUSY, 0.7)];
        heard.hear(Arc::new(values.into_iter().map(|(of, signal, value)| ((of, signal), value)).collect()));
        let (stop, _) = sync_channel(1);
        let (_, notices) = sync_channel(1);
        let exporters = Exporters { each: vec![Each { heard, _on: On::Request { _stop: stop } }], notices };
        let mut scrape = Scrape::default();
        scrape.add(&nvidia::BUSY, &device(0), Some(0.5));
        scrape.add(&nvidia::SM_ACTIVE, &device(0), None);
        exporters.add(&mut scrape);
        let told: Vec<_> = scrape.values.iter().map(|value| (value.of.to_string(), value.value)).collect();
        let expected = [("0".to_owned(), Some(0.5)), ("0".to_owned(), Some(0.4)), ("1".to_owned(), Some(0.7))];
        assert_eq!(told, expected);
    }
}
