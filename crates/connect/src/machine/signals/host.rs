//! Processors, load and pressure.

use std::path::Path;

use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, host};

use super::kept::Kept;
use crate::machine::procfs::keyed;

/// Clock ticks a second in what the kernel prints (USER_HZ): 100 on every architecture that Linux supports devices on.
pub(super) const TICKS: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Host {
    stat: Kept,
    load: Kept,
    pressure: [(Kept, [Option<&'static Signal>; 2]); 3],
}

impl Host {
    pub(super) fn new(root: &Path) -> Self {
        let pressure = |name: &str| Kept::new(root.join("proc/pressure").join(name));
        Self {
            stat: Kept::new(root.join("proc/stat")),
            load: Kept::new(root.join("proc/loadavg")),
            pressure: [
                (pressure("cpu"), [Some(&host::CPU_SOME), None]),
                (pressure("memory"), [Some(&host::MEMORY_SOME), Some(&host::MEMORY_FULL)]),
                (pressure("io"), [Some(&host::IO_SOME), Some(&host::IO_FULL)]),
            ],
        }
    }

    pub(super) fn scrape(&mut self, text: &mut Vec<u8>, scrape: &mut Scrape) {
        stat(self.stat.read(text).unwrap_or(""), scrape);
        let load = self.load.read(text).and_then(|text| text.split_ascii_whitespace().next()?.parse().ok());
        scrape.add(&host::LOAD_1M, &Thing::Node, load);
        for (file, signals) in &mut self.pressure {
            let text = file.read(text).unwrap_or("");
            for (signal, line) in signals.iter().zip(["some", "full"]) {
                let Some(signal) = signal else { continue };
                scrape.add(signal, &Thing::Node, stalled_seconds(text, line));
            }
        }
    }
}

/// "some avg10=0.00 avg60=0.00 avg300=0.00 total=123": the total is in microseconds.
pub(super) fn stalled_seconds(text: &str, line: &str) -> Option<f64> {
    let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '))?;
    let total: u64 = found.rsplit_once("total=")?.1.trim().parse().ok()?;
    Some(total as f64 / 1e6)
}

/// The first line of `/proc/stat` adds up all processors: user, nice, system, idle, iowait, irq, softirq, steal. Time of guests is in user's.
fn stat(text: &str, scrape: &mut Scrape) {
    let mut times = [None; 8];
    let first = text.lines().next().and_then(|line| line.strip_prefix("cpu "));
    for (time, field) in times.iter_mut().zip(first.unwrap_or("").split_ascii_whitespace()) {
        *time = field.parse::<u64>().ok();
    }
    let seconds = |indices: &[usize]| {
        let ticks: Option<u64> = indices.iter().map(|index| times.get(*index).copied().flatten()).sum();
        ticks.map(|ticks| ticks as f64 / TICKS)
    };
    for (signal, indices) in [
        (&host::CPU_USER, &[0, 1][..]),
        (&host::CPU_SYSTEM, &[2]),
        (&host::CPU_IDLE, &[3]),
        (&host::CPU_IOWAIT, &[4]),
        (&host::CPU_IRQ, &[5, 6]),
        (&host::CPU_STEAL, &[7]),
    ] {
        scrape.add(signal, &Thing::Node, seconds(indices));
    }
    let processors = text.lines().skip(1).take_while(|line| line.starts_with("cpu")).count();
    scrape.add(&host::CPUS, &Thing::Node, (processors > 0).then_some(processors as f64));
    // These lines come last, after a line for each interrupt that can be long.
    let mut found = [None; 3];
    for line in text.lines().rev().take(16) {
        for (value, key) in found.iter_mut().zip(["ctxt", "procs_running", "procs_blocked"]) {
            if value.is_none() {
                *value = keyed(line, key);
            }
        }
    }
    for (signal, value) in [&host::SWITCHES, &host::RUNNING, &host::BLOCKED].into_iter().zip(found) {
        scrape.add(signal, &Thing::Node, value.map(|value| value as f64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        let mut scrape = Scrape::default();
        stat(
            "cpu  100 50 25 1000 10 1 2 3 0 0\ncpu0 1\ncpu1 1\nintr 5 4\nctxt 77\nbtime 1\nprocs_running 2\n",
            &mut scrape,
        );
        let got = |signal: &Signal| scrape.values.iter().find(|value| value.signal == signal).unwrap().value;
        assert_eq!(got(&host::CPU_USER), Some(1.5));
        assert_eq!(got(&host::CPU_IRQ), Some(0.03));
        assert_eq!(got(&host::CPU_STEAL), Some(0.03));
        assert_eq!(got(&host::CPUS), Some(2.0));
        assert_eq!(got(&host::SWITCHES), Some(77.0));
        assert_eq!(got(&host::RUNNING), Some(2.0));
        assert_eq!(got(&host::BLOCKED), None);
        assert_eq!(stalled_seconds("some avg10=0.00 total=2500000\nfull avg10=0 total=1\n", "some"), Some(2.5));
        assert_eq!(stalled_seconds("", "some"), None);
    }
}
