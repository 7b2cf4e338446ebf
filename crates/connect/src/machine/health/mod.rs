//! Whether this machine is fit to run anything: a self-test of some seconds, before a job or after one died.
//!
//! Each probe measures one thing and says what it found; it decides nothing. Some things are wrong by themselves (a link with half of its
//! lanes, a device that is on the bus and does not answer); others only beside what the same machine measured when it was well, which the
//! caller keeps. Everything is read without root but the kernel log, where the system keeps that from other users. Start at [`probe`].

mod devices;
mod disk;
mod links;
mod log;
mod memory;
mod network;

use std::path::Path;

pub use log::read as kernel_log;

use super::Nvml;

/// What a probe found of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The probe: `memory`, `disk`, `network`, `devices`, `links`.
    pub probe: &'static str,
    /// What was looked at, in words: the same words each time.
    pub what: String,
    /// What came out; unknown where it could not be found out.
    pub value: Option<f64>,
    /// Its unit; empty for a plain number.
    pub unit: &'static str,
    /// Which values are better; none where it is no measure.
    pub better: Option<Better>,
    /// What is wrong by itself, in words.
    pub wrong: Option<String>,
}

/// Which values are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The higher ones.
    Higher,
    /// The lower ones.
    Lower,
}

impl Found {
    fn new(probe: &'static str, what: impl Into<String>, value: Option<f64>, unit: &'static str) -> Self {
        Self { probe, what: what.into(), value, unit, better: None, wrong: None }
    }

    fn better(self, better: Better) -> Self {
        Self { better: Some(better), ..self }
    }

    fn wrong(self, wrong: Option<String>) -> Self {
        Self { wrong, ..self }
    }
}

/// Looks at everything. `root` stands for `/`; `folder` is on the disk that is measured; `progress` hears what is looked at now.
pub fn probe(root: &Path, folder: &Path, nvml: &Nvml, progress: &mut dyn FnMut(&str)) -> Vec<Found> {
    let mut found = Vec::new();
    progress("devices");
    found.extend(devices::probe(root, nvml));
    found.extend(links::probe(root));
    progress("network");
    found.extend(network::probe(root));
    progress("memory");
    found.extend(memory::probe(root));
    progress("disk");
    found.extend(disk::probe(folder));
    found
}
