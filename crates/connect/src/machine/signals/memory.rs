//! Memory.

use std::path::Path;

use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, memory};

use super::kept::Kept;
use crate::machine::procfs;

#[derive(Debug)]
pub(super) struct Memory {
    info: Kept,
    statistics: Kept,
}

impl Memory {
    pub(super) fn new(root: &Path) -> Self {
        Self { info: Kept::new(root.join("proc/meminfo")), statistics: Kept::new(root.join("proc/vmstat")) }
    }

    pub(super) fn scrape(&mut self, text: &mut Vec<u8>, scrape: &mut Scrape) {
        let info = self.info.read(text).unwrap_or("");
        for (signal, key) in INFO {
            scrape.add(signal, &Thing::Node, procfs::meminfo(info, key).map(|bytes| bytes.0 as f64));
        }
        let statistics = self.statistics.read(text).unwrap_or("");
        for (signal, key) in STATISTICS {
            scrape.add(signal, &Thing::Node, procfs::keyed(statistics, key).map(|value| value as f64));
        }
    }
}

static INFO: &[(&Signal, &str)] = &[
    (&memory::TOTAL, "MemTotal"),
    (&memory::AVAILABLE, "MemAvailable"),
    (&memory::CACHED, "Cached"),
    (&memory::DIRTY, "Dirty"),
    (&memory::WRITEBACK, "Writeback"),
    (&memory::SWAP_TOTAL, "SwapTotal"),
    (&memory::SWAP_FREE, "SwapFree"),
];

static STATISTICS: &[(&Signal, &str)] = &[
    (&memory::MAJOR_FAULTS, "pgmajfault"),
    (&memory::SWAPPED_IN, "pswpin"),
    (&memory::SWAPPED_OUT, "pswpout"),
    (&memory::REFAULTS, "workingset_refault_file"),
    (&memory::OUT_OF_MEMORY, "oom_kill"),
];
