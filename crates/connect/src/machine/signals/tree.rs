//! A process with those that it began, and their threads: what each tells of itself.

use std::fs;
use std::path::{Path, PathBuf};

/// So many processes of one tree are looked at. A rank has a loader's workers: some dozens.
const PROCESSES_MAX: usize = 64;
/// So many threads of one tree are looked at.
const THREADS_MAX: usize = 256;

/// What `/proc/<pid>/stat` says of a process or a thread (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) state: u8,
    pub(super) major_faults: u64,
    /// User and system time, in ticks.
    pub(super) cpu_ticks: u64,
    pub(super) threads: u64,
    pub(super) resident_pages: u64,
    /// Time that it waited for disks, in ticks; zero where the kernel does not count it.
    pub(super) disk_delay_ticks: u64,
}

/// What `/proc/<pid>/task/<tid>/schedstat` says: time on a processor, and time without one though it could have run, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Schedule {
    pub(super) cpu_ns: u64,
    pub(super) run_delay_ns: u64,
}

/// The name in brackets may itself hold brackets and blanks: the last closing bracket ends it.
pub(super) fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut stat = Stat::default();
    // The first of them is the third of the manual page's list.
    for (number, field) in (3..=42).zip(rest.split_ascii_whitespace()) {
        match number {
            3 => stat.state = *field.as_bytes().first()?,
            12 => stat.major_faults = field.parse().ok()?,
            14 | 15 => stat.cpu_ticks += field.parse::<u64>().ok()?,
            20 => stat.threads = field.parse().ok()?,
            24 => stat.resident_pages = field.parse::<i64>().ok()?.max(0).unsigned_abs(),
            42 => stat.disk_delay_ticks = field.parse().ok()?,
            _ => {}
        }
    }
    (stat.state != 0).then_some(stat)
}

pub(super) fn parse_schedule(text: &str) -> Option<Schedule> {
    let mut fields = text.split_ascii_whitespace();
    Some(Schedule { cpu_ns: fields.next()?.parse().ok()?, run_delay_ns: fields.next()?.parse().ok()? })
}

/// A process and those below it, itself first. Without the kernel's list of children (CONFIG_PROC_CHILDREN) it is alone.
pub(super) fn processes(proc: &Path, pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        next += 1;
        for thread in threads(proc, pid) {
            let children = fs::read_to_string(proc.join(format!("{pid}/task/{thread}/children"))).unwrap_or_default();
            found.extend(children.split_ascii_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            if found.len() >= PROCESSES_MAX {
                found.truncate(PROCESSES_MAX);
                return found;
            }
        }
    }
    found
}

/// The threads of a process.
pub(super) fn threads(proc: &Path, pid: u32) -> Vec<u32> {
    let entries = fs::read_dir(proc.join(format!("{pid}/task"))).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).take(THREADS_MAX).collect()
}

/// The file of a thread.
pub(super) fn of_thread(proc: &Path, pid: u32, thread: u32, name: &str) -> PathBuf {
    proc.join(format!("{pid}/task/{thread}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        let text = "42 (a) (b c) S 7 40 41 0 -1 4194560 1 2 30 4 500 60 7 8 20 0 3 0 1234 5000 77 7 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 9 0 0";
        let expected =
            Stat { state: b'S', major_faults: 30, cpu_ticks: 560, threads: 3, resident_pages: 77, disk_delay_ticks: 9 };
        assert_eq!(parse_stat(text), Some(expected));
        assert_eq!(parse_stat("42 (a S 7"), None);
        assert_eq!(parse_schedule("10 20 3\n"), Some(Schedule { cpu_ns: 10, run_delay_ns: 20 }));
        assert_eq!(parse_schedule(""), None);
    }

    #[test]
    fn those_that_a_process_began_are_found() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let found = processes(Path::new("/proc"), std::process::id());
        assert!(found.contains(&child.id()), "{found:?}");
        assert_eq!(found[0], std::process::id());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
