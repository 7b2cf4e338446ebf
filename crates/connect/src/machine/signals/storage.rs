//! Disks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, storage};

use super::kept::Kept;

/// Sectors of `/proc/diskstats` are of 512 bytes, whatever the disk's are.
const SECTOR: f64 = 512.0;

#[derive(Debug)]
pub(super) struct Storage {
    statistics: Kept,
    /// Every name that was listed, and whether it is a disk of its own (no partition).
    known: Vec<(Arc<str>, bool)>,
    blocks: PathBuf,
}

impl Storage {
    pub(super) fn new(root: &Path) -> Self {
        Self { statistics: Kept::new(root.join("proc/diskstats")), known: Vec::new(), blocks: root.join("sys/block") }
    }

    pub(super) fn scrape(&mut self, text: &mut Vec<u8>, scrape: &mut Scrape) {
        let Some(text) = self.statistics.read(text) else { return };
        for line in text.lines() {
            let Some((name, numbers)) = parse(line) else { continue };
            // Nothing ever happened: loop devices and the like, dozens on some machines.
            if numbers[0] == 0 && numbers[4] == 0 {
                continue;
            }
            let known = match self.known.iter().position(|(known, _)| **known == *name) {
                Some(known) => known,
                None => {
                    self.known.push((name.into(), self.blocks.join(name).exists()));
                    self.known.len() - 1
                }
            };
            if let Some((name, true)) = self.known.get(known) {
                add(&Thing::Disk(name.clone()), &numbers, scrape);
            }
        }
    }
}

/// A line: two numbers of the device, its name, then what happened.
fn parse(line: &str) -> Option<(&str, [u64; 11])> {
    let mut fields = line.split_ascii_whitespace().skip(2);
    let name = fields.next()?;
    let mut numbers = [0; 11];
    for number in &mut numbers {
        *number = fields.next()?.parse().ok()?;
    }
    Some((name, numbers))
}

fn add(of: &Thing, numbers: &[u64; 11], scrape: &mut Scrape) {
    let [reads, _, sectors_read, read_ms, writes, _, sectors_written, write_ms, queued, busy_ms, _] = *numbers;
    let values: [(&'static Signal, f64); 8] = [
        (&storage::READ, sectors_read as f64 * SECTOR),
        (&storage::WRITTEN, sectors_written as f64 * SECTOR),
        (&storage::READS, reads as f64),
        (&storage::WRITES, writes as f64),
        (&storage::READ_TIME, read_ms as f64 / 1e3),
        (&storage::WRITE_TIME, write_ms as f64 / 1e3),
        (&storage::BUSY, busy_ms as f64 / 1e3),
        (&storage::QUEUED, queued as f64),
    ];
    for (signal, value) in values {
        scrape.add(signal, of, Some(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let line = " 254       0 vda 10 1 800 30 20 2 1600 40 1 50 70 0 0 0 0 0 0";
        assert_eq!(parse(line), Some(("vda", [10, 1, 800, 30, 20, 2, 1_600, 40, 1, 50, 70])));
        assert_eq!(parse("254 0 vda 10 1"), None);
        let mut scrape = Scrape::default();
        add(&Thing::Disk("vda".into()), &parse(line).unwrap().1, &mut scrape);
        let got = |signal: &Signal| scrape.values.iter().find(|value| value.signal == signal).unwrap().value;
        assert_eq!(got(&storage::READ), Some(409_600.0));
        assert_eq!(got(&storage::BUSY), Some(0.05));
        assert_eq!(got(&storage::QUEUED), Some(1.0));
    }

    #[test]
    fn partitions_and_what_never_worked_are_left_out() {
        let root = tempfile::TempDir::new().unwrap();
        std::fs::create_dir_all(root.path().join("sys/block/vda")).unwrap();
        std::fs::create_dir_all(root.path().join("proc")).unwrap();
        let lines =
            "254 0 vda 1 0 8 1 0 0 0 0 0 1 1\n254 1 vda1 1 0 8 1 0 0 0 0 0 1 1\n7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n";
        std::fs::write(root.path().join("proc/diskstats"), lines).unwrap();
        let mut scrape = Scrape::default();
        Storage::new(root.path()).scrape(&mut Vec::new(), &mut scrape);
        assert_eq!(scrape.values.len(), 8);
        assert!(scrape.values.iter().all(|value| value.of == Thing::Disk("vda".into())));
    }
}
