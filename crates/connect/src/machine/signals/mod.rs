//! What this machine tells of itself, again and again: every signal of `fleet::signal` that it has.
//!
//! Files of the kernel stay open and are read from their start each time, so that a scrape of the whole machine costs less than a
//! millisecond. Text is parsed by pure functions. What cannot be read is unknown, never zero. Start at [`Signals::scrape`].

mod amd;
mod group;
mod host;
mod kept;
mod memory;
mod network;
mod nvidia;
mod process;
mod rdma;
mod storage;
mod tree;

use std::path::PathBuf;

use fleet::series::Scrape;
use fleet::time::Timestamp;

use super::Nvml;
use group::Groups;
use process::Processes;

/// So many processes that tell their steps are looked at; those that come after are not.
pub const PROCESSES_MAX: usize = 64;

/// Takes scrapes, one after the other.
#[derive(Debug)]
pub struct Signals {
    host: host::Host,
    memory: memory::Memory,
    storage: storage::Storage,
    network: network::Network,
    rdma: rdma::Rdma,
    nvidia: nvidia::Nvidia,
    amd: amd::Amd,
    processes: Processes,
    groups: Groups,
    text: Vec<u8>,
}

impl Signals {
    /// Of the machine whose file system begins at `root`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, nvml: Nvml) -> Self {
        let root = root.into();
        let amd = amd::Amd::new(&root, nvml.count());
        Self {
            host: host::Host::new(&root),
            memory: memory::Memory::new(&root),
            storage: storage::Storage::new(&root),
            network: network::Network::new(&root),
            rdma: rdma::Rdma::new(&root),
            nvidia: nvidia::Nvidia::new(nvml),
            amd,
            processes: Processes::new(&root),
            groups: Groups::new(&root),
            text: Vec::new(),
        }
    }

    /// Which processes to tell of, each with those that it began; at most [`PROCESSES_MAX`].
    pub fn watch(&mut self, processes: &[u32]) {
        self.processes.watch(processes.get(..PROCESSES_MAX).unwrap_or(processes));
        self.groups.watch(processes.get(..PROCESSES_MAX).unwrap_or(processes));
    }

    /// Looks at what watched processes do at this moment, between two scrapes: whether they are stopped, or wait for a disk.
    pub fn look(&mut self) {
        self.processes.look(&mut self.text);
    }

    /// All that the machine tells now.
    pub fn scrape(&mut self, at: Timestamp) -> Scrape {
        let mut scrape = Scrape { at, values: Vec::with_capacity(128) };
        self.host.scrape(&mut self.text, &mut scrape);
        self.memory.scrape(&mut self.text, &mut scrape);
        self.storage.scrape(&mut self.text, &mut scrape);
        self.network.scrape(&mut self.text, &mut scrape);
        self.rdma.scrape(&mut scrape);
        self.nvidia.scrape(&mut scrape);
        self.amd.scrape(&mut scrape);
        self.processes.scrape(&mut self.text, &mut scrape);
        self.groups.scrape(&mut scrape);
        scrape
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use fleet::series::Thing;
    use fleet::signal::{Signal, host, memory, process};

    use super::*;

    fn value(scrape: &Scrape, signal: &Signal, of: &Thing) -> Option<f64> {
        scrape.values.iter().find(|measured| measured.signal == signal && measured.of == *of)?.value
    }

    #[test]
    fn this_machine_and_this_process_tell() {
        let nvml = Nvml::open_at(OsStr::new("/no/such/library"));
        let mut signals = Signals::new("/", nvml);
        let own = std::process::id();
        signals.watch(&[own]);
        signals.look();
        let first = signals.scrape(Timestamp(0));
        let second = signals.scrape(Timestamp(1_000));
        let total = value(&first, &memory::TOTAL, &Thing::Node).unwrap();
        assert!(value(&first, &memory::AVAILABLE, &Thing::Node).unwrap() < total);
        let idle = [&first, &second].map(|scrape| value(scrape, &host::CPU_IDLE, &Thing::Node).unwrap());
        assert!(idle[0] > 0.0 && idle[1] >= idle[0]);
        let me = Thing::Process(own);
        assert!(value(&second, &process::RESIDENT, &me).unwrap() > 100_000.0);
        assert_eq!(value(&first, &process::STOPPED, &me), Some(0.0));
        assert!(value(&second, &process::THREADS, &me).unwrap() >= 1.0);
        assert!(value(&second, &process::CPUS_ALLOWED, &me).unwrap() >= 1.0);
    }

    #[test]
    fn a_machine_that_tells_nothing_is_no_error() {
        let root = tempfile::TempDir::new().unwrap();
        let mut signals = Signals::new(root.path(), Nvml::open_at(OsStr::new("/no/such/library")));
        signals.watch(&[1, 2]);
        signals.look();
        let scrape = signals.scrape(Timestamp(0));
        let known: Vec<_> = scrape.values.iter().filter(|measured| measured.value.is_some()).collect();
        assert!(known.is_empty(), "{known:?}");
    }
}
