//! The text of `/proc` and `/sys`, parsed. Pure.

use fleet::quantity::Bytes;

use crate::machine::procfs;

/// `/proc/meminfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) total: Option<Bytes>,
    pub(super) available: Option<Bytes>,
}

/// The time that all CPUs spent since the start of the machine, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CpuTime {
    pub(super) busy: u64,
    pub(super) all: u64,
}

pub(super) fn meminfo(text: &str) -> Memory {
    Memory { total: procfs::meminfo(text, "MemTotal"), available: procfs::meminfo(text, "MemAvailable") }
}

/// "Node 0 MemTotal:  8100 kB".
pub(super) fn numa_memory(text: &str) -> Option<Bytes> {
    text.lines().find_map(|line| procfs::kib(line.split_once("MemTotal:")?.1))
}

/// "0-3,8" is 0, 1, 2, 3, 8. What is no list is empty; at most 65,536 are taken.
pub(super) fn cpu_list(text: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().take(1 << 16).collect()
}

/// How many CPUs `/proc/stat` lists; none where it lists none.
pub(super) fn cpus_listed(text: &str) -> Option<usize> {
    let is_cpu = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    Some(text.lines().filter(is_cpu).count()).filter(|count| *count > 0)
}

/// The first line of `/proc/stat` (proc_stat(5)). Waiting for a disk is idle; time given to guests is counted in user's.
pub(super) fn cpu_time(text: &str) -> Option<CpuTime> {
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_ascii_whitespace()
        .map_while(|field| field.parse().ok())
        .take(8)
        .collect();
    let idle = fields.get(3)? + fields.get(4).unwrap_or(&0);
    let all = fields.iter().sum::<u64>();
    Some(CpuTime { busy: all.checked_sub(idle)?, all })
}

/// The load of the last minute, in thousandths.
pub(super) fn load_milli(text: &str) -> Option<u64> {
    let (whole, part) = text.split_ascii_whitespace().next()?.split_once('.')?;
    // Two digits behind the point.
    let hundredths: u64 = part.parse().ok().filter(|_| part.len() == 2)?;
    Some(whole.parse::<u64>().ok()? * 1_000 + hundredths * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        let memory = meminfo("MemTotal:       8000 kB\nMemFree: 1 kB\nMemAvailable:   5000 kB\n");
        assert_eq!(memory, Memory { total: Some(Bytes(8_192_000)), available: Some(Bytes(5_120_000)) });
        assert_eq!(meminfo("MemTotal: many kB"), Memory::default());
        assert_eq!(numa_memory("Node 0 MemTotal:       4 kB\n"), Some(Bytes(4_096)));
        assert_eq!(cpu_list("0-2,8\n"), [0, 1, 2, 8]);
        assert!(cpu_list("").is_empty());
        assert!(cpu_list("5-").is_empty());
        assert_eq!(cpus_listed("cpu  1 2\ncpu0 1\ncpu1 1\nintr 5"), Some(2));
        assert_eq!(cpu_time("cpu  10 5 20 60 4 0 1 0 7 0\ncpu0"), Some(CpuTime { busy: 36, all: 100 }));
        assert_eq!(cpu_time("cpu 1"), None);
        assert_eq!(load_milli("2.05 1.91 2.26 5/215 31924\n"), Some(2_050));
        assert_eq!(load_milli("much"), None);
    }
}
