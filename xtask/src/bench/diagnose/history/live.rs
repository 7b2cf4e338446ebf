//! This machine's own signals, once a second for four minutes, while it works in bursts: at rest most would stand still.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;

use super::day::Noise;
use crate::workspace;

/// How many times, and how often.
const SCRAPES: usize = 240;
const EVERY: Duration = Duration::from_secs(1);

/// Texts of the kernel that hold numbers; those that this system lacks are left out.
const FILES: &[&str] = &[
    "/proc/stat",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/net/dev",
    "/proc/net/snmp",
    "/proc/net/netstat",
    "/proc/pressure/cpu",
    "/proc/pressure/io",
    "/proc/pressure/memory",
    "/sys/fs/cgroup/cpu.stat",
    "/sys/fs/cgroup/memory.stat",
];

/// What was recorded.
pub(super) struct Live {
    /// When each scrape was taken, in milliseconds since the first.
    pub(super) moments: Vec<i64>,
    /// Each signal that was there in every scrape, with a value for each.
    pub(super) signals: BTreeMap<String, Vec<f64>>,
}

pub(super) fn record() -> anyhow::Result<Live> {
    eprintln!("recording this machine for {} s", SCRAPES as u64 * EVERY.as_secs());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let work = scope.spawn(|| work(&stop));
        let live = scrapes();
        stop.store(true, Ordering::Relaxed);
        work.join().map_err(|_| anyhow::anyhow!("the work ended early"))??;
        live
    })
}

fn scrapes() -> anyhow::Result<Live> {
    let mut live = Live { moments: Vec::new(), signals: BTreeMap::new() };
    let mut next = Instant::now();
    let begin = now_ms()?;
    for scrape in 0..SCRAPES {
        live.moments.push(now_ms()? - begin);
        for file in FILES {
            let Ok(text) = std::fs::read_to_string(file) else { continue };
            numbers(file, &text, |name, value| {
                let values = live.signals.entry(name).or_default();
                // A name that comes twice stands for the first.
                if values.len() == scrape {
                    values.push(value);
                }
            });
        }
        next += EVERY;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    live.signals.retain(|_, values| values.len() == SCRAPES);
    Ok(live)
}

fn now_ms() -> anyhow::Result<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("this machine's clock is before 1970")?;
    Ok(i64::try_from(now.as_millis())?)
}

/// Every number of a text, named by its file, the words of its line, and its place there.
fn numbers(file: &str, text: &str, mut take: impl FnMut(String, f64)) {
    for line in text.lines() {
        let parts = || line.split([' ', '=', ':']).filter(|part| !part.is_empty());
        let words: Vec<&str> = parts().filter(|part| part.parse::<f64>().is_err()).collect();
        let numbers = parts().filter_map(|part| part.parse::<f64>().ok());
        for (place, number) in numbers.enumerate() {
            take(format!("{file} {} {place}", words.join(" ")), number);
        }
    }
}

/// Bursts of what jobs do: reckon, write, take memory, wait.
fn work(stop: &AtomicBool) -> anyhow::Result<()> {
    let mut noise = Noise(1);
    let file = workspace::target_folder().join("bench/history-burst");
    std::fs::create_dir_all(file.parent().context("it has a folder")?)?;
    while !stop.load(Ordering::Relaxed) {
        let until = Instant::now() + Duration::from_millis(200 + noise.below(3_000));
        match noise.below(4) {
            0 => {
                while Instant::now() < until {
                    let mut hasher = DefaultHasher::new();
                    (0..10_000_u64).for_each(|number| number.hash(&mut hasher));
                    std::hint::black_box(hasher.finish());
                }
            }
            1 => std::fs::write(&file, vec![1; 1 << (16 + noise.below(10))])?,
            2 => {
                std::hint::black_box(vec![1_u8; 1 << (20 + noise.below(8))]);
                thread::sleep(until.saturating_duration_since(Instant::now()));
            }
            _ => thread::sleep(until.saturating_duration_since(Instant::now())),
        }
    }
    if file.exists() {
        std::fs::remove_file(file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_named_by_their_lines() {
        let mut found = Vec::new();
        numbers("f", "some avg10=0.25 total=7\nMemFree:  12 kB\n 8 0 sda 3\n", |name, value| found.push((name, value)));
        let expected = [
            ("f some avg10 total 0", 0.25),
            ("f some avg10 total 1", 7.0),
            ("f MemFree kB 0", 12.0),
            ("f sda 0", 8.0),
            ("f sda 1", 0.0),
            ("f sda 2", 3.0),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}
