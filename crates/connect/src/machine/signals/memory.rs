//! Memory.

use std::path::Path;

use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, memory};

use super::kept::{Kept, keyed};

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
            scrape.add(signal, &Thing::Node, kib(info, key));
        }
        let statistics = self.statistics.read(text).unwrap_or("");
        for (signal, key) in STATISTICS {
            scrape.add(signal, &Thing::Node, keyed(statistics, key).map(|value| value as f64));
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

/// "MemTotal:       8000 kB", in bytes.
fn kib(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number as f64 * 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        assert_eq!(kib("MemTotal:       8 kB\nCached: 1 kB\nSwapCached: 2 kB\n", "Cached"), Some(1_024.0));
        assert_eq!(kib("MemTotal:       8\n", "MemTotal"), None);
        assert_eq!(keyed("pgmajfault 5\npgmajfault_a 6\n", "pgmajfault"), Some(5));
    }
}
