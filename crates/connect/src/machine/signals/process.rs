//! Processes that tell their steps, each with those that it began.
//!
//! Counters begin when a process is first looked at, and are added up here: a worker that ends takes its own counts with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fleet::series::{Scrape, Thing};
use fleet::signal::process;
use fleet::time::Timestamp;
use nix::unistd::{SysconfVar, sysconf};

use super::host::TICKS;
use super::kept::Kept;
use super::tree::{self, Schedule};
use crate::machine::procfs::keyed;

#[derive(Debug)]
pub(super) struct Processes {
    proc: PathBuf,
    page: f64,
    watched: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    pid: u32,
    stat: Kept,
    status: Kept,
    looks: Looks,
    /// What each thread and each process had counted when it was last looked at; nothing before the first time.
    threads: Option<BTreeMap<u32, Schedule>>,
    counted: Option<BTreeMap<u32, [u64; COUNTS]>>,
    total: Total,
    at: Timestamp,
}

/// What the main thread did whenever it was looked at since the last scrape.
#[derive(Clone, Copy, Debug, Default)]
struct Looks {
    all: u32,
    stopped: u32,
    waiting_disk: u32,
}

/// Faults, ticks of waiting for a disk, and three of `/proc/<pid>/io`.
const COUNTS: usize = 5;

#[derive(Clone, Copy, Debug, Default)]
struct Total {
    cpu_ns: u64,
    own_cpu_ns: u64,
    run_delay_ns: u64,
    counts: [u64; COUNTS],
}

/// What the tree looks like at one moment.
#[derive(Debug, Default)]
struct Now {
    threads: BTreeMap<u32, Schedule>,
    /// Which of them are the process's own.
    own: BTreeSet<u32>,
    counted: BTreeMap<u32, [u64; COUNTS]>,
    resident_pages: u64,
    helpers_waiting_disk: u32,
    /// Of how many processes it is known what they read and wrote.
    io: usize,
}

impl Processes {
    pub(super) fn new(root: &Path) -> Self {
        let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4_096) as f64;
        Self { proc: root.join("proc"), page, watched: Vec::new() }
    }

    pub(super) fn watch(&mut self, pids: &[u32]) {
        self.watched.retain(|process| pids.contains(&process.pid));
        for &pid in pids {
            if !self.watched.iter().any(|process| process.pid == pid) {
                self.watched.push(Process::new(&self.proc, pid));
            }
        }
    }

    pub(super) fn look(&mut self, text: &mut Vec<u8>) {
        for process in &mut self.watched {
            process.look(text);
        }
    }

    pub(super) fn scrape(&mut self, text: &mut Vec<u8>, scrape: &mut Scrape) {
        for process in &mut self.watched {
            process.look(text);
            process.scrape(&self.proc, self.page, text, scrape);
        }
    }
}

impl Process {
    fn new(proc: &Path, pid: u32) -> Self {
        let file = |name: &str| Kept::new(proc.join(format!("{pid}/{name}")));
        let (stat, status) = (file("stat"), file("status"));
        let at = Timestamp(0);
        Self { pid, stat, status, looks: Looks::default(), threads: None, counted: None, total: Total::default(), at }
    }

    fn look(&mut self, text: &mut Vec<u8>) {
        let Some(stat) = self.stat.read(text).and_then(tree::parse_stat) else { return };
        self.looks.all += 1;
        self.looks.stopped += u32::from(matches!(stat.state, b'T' | b't'));
        self.looks.waiting_disk += u32::from(stat.state == b'D');
    }

    fn scrape(&mut self, proc: &Path, page: f64, text: &mut Vec<u8>, scrape: &mut Scrape) {
        let of = Thing::Process(self.pid);
        let looks = std::mem::take(&mut self.looks);
        let share = |some: u32| (looks.all > 0).then(|| f64::from(some) / f64::from(looks.all));
        scrape.add(&process::STOPPED, &of, share(looks.stopped));
        scrape.add(&process::WAITING_DISK, &of, share(looks.waiting_disk));
        let now = Now::of(proc, self.pid);
        if now.counted.is_empty() {
            return; // It is gone.
        }
        let busiest_ns = self.add_up(&now);
        let seconds = |ns: u64| Some(ns as f64 / 1e9);
        let known = !now.threads.is_empty();
        scrape.add(&process::CPU_USED, &of, seconds(self.total.cpu_ns).filter(|_| known));
        scrape.add(&process::OWN_CPU_USED, &of, seconds(self.total.own_cpu_ns).filter(|_| known));
        scrape.add(&process::RUN_DELAY, &of, seconds(self.total.run_delay_ns).filter(|_| known));
        let [faults, disk_delay, read, read_disk, written_disk] = self.total.counts.map(|count| count as f64);
        scrape.add(&process::MAJOR_FAULTS, &of, Some(faults));
        // Nothing at all is what a kernel says that does not count it.
        scrape.add(&process::DISK_DELAY, &of, Some(disk_delay / TICKS).filter(|delay| *delay > 0.0));
        scrape.add(&process::RESIDENT, &of, Some(now.resident_pages as f64 * page));
        scrape.add(&process::THREADS, &of, Some(now.threads.len() as f64).filter(|_| known));
        let elapsed_ms = scrape.at.since(self.at).0;
        let first = self.threads.is_none();
        let busy = (!first && known && elapsed_ms > 0).then(|| (busiest_ns as f64 / 1e6 / elapsed_ms as f64).min(1.0));
        scrape.add(&process::HELPER_BUSY, &of, busy);
        scrape.add(&process::HELPERS_WAITING_DISK, &of, Some(f64::from(now.helpers_waiting_disk)));
        for (signal, value) in
            [(&process::READ, read), (&process::READ_DISK, read_disk), (&process::WRITTEN_DISK, written_disk)]
        {
            scrape.add(signal, &of, Some(value).filter(|_| now.io > 0));
        }
        let allowed = self.status.read(text).and_then(cpus_allowed);
        scrape.add(&process::CPUS_ALLOWED, &of, allowed.map(|count| count as f64));
        (self.threads, self.counted, self.at) = (Some(now.threads), Some(now.counted), scrape.at);
    }

    /// Adds what came since the last time, and gives the time on a processor of the busiest thread but the main one.
    fn add_up(&mut self, now: &Now) -> u64 {
        let mut busiest = 0;
        for (thread, schedule) in &now.threads {
            // Who was not there the last time has counted from nothing since, but for the first time.
            let before = match &self.threads {
                None => *schedule,
                Some(threads) => threads.get(thread).copied().unwrap_or_default(),
            };
            let cpu_ns = schedule.cpu_ns.saturating_sub(before.cpu_ns);
            self.total.cpu_ns += cpu_ns;
            if now.own.contains(thread) {
                self.total.own_cpu_ns += cpu_ns;
            }
            self.total.run_delay_ns += schedule.run_delay_ns.saturating_sub(before.run_delay_ns);
            if *thread != self.pid {
                busiest = busiest.max(cpu_ns);
            }
        }
        for (pid, counts) in &now.counted {
            let before = match &self.counted {
                None => *counts,
                Some(counted) => counted.get(pid).copied().unwrap_or_default(),
            };
            for ((total, now), before) in self.total.counts.iter_mut().zip(counts).zip(before) {
                *total += now.saturating_sub(before);
            }
        }
        busiest
    }
}

impl Now {
    fn of(proc: &Path, pid: u32) -> Self {
        let mut now = Self::default();
        for member in tree::processes(proc, pid) {
            let read = |name: &str| fs::read_to_string(proc.join(format!("{member}/{name}")));
            let Some(stat) = read("stat").ok().as_deref().and_then(tree::parse_stat) else { continue };
            now.resident_pages += stat.resident_pages;
            let io = read("io").ok();
            now.io += usize::from(io.is_some());
            let io = io.unwrap_or_default();
            let [read, read_disk, written_disk] =
                ["rchar", "read_bytes", "write_bytes"].map(|key| keyed(&io, key).unwrap_or(0));
            now.counted.insert(member, [stat.major_faults, stat.disk_delay_ticks, read, read_disk, written_disk]);
            for thread in tree::threads(proc, member) {
                let of = |name: &str| fs::read_to_string(tree::of_thread(proc, member, thread, name)).ok();
                let Some(schedule) = of("schedstat").as_deref().and_then(tree::parse_schedule) else { continue };
                now.threads.insert(thread, schedule);
                if member == pid {
                    now.own.insert(thread);
                }
                if thread != pid
                    && of("stat").as_deref().and_then(tree::parse_stat).is_some_and(|stat| stat.state == b'D')
                {
                    now.helpers_waiting_disk += 1;
                }
            }
        }
        now
    }
}

/// `Cpus_allowed_list: 0-3,8` is 5.
fn cpus_allowed(status: &str) -> Option<u64> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<u64>().ok()?.checked_sub(first.parse::<u64>().ok()?)? + 1)
    };
    list.trim().split(',').map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_counted() {
        assert_eq!(cpus_allowed("Name: a\nCpus_allowed_list:\t0-3,8\nMems_allowed: 1\n"), Some(5));
        assert_eq!(cpus_allowed("Cpus_allowed_list:\t5-2\n"), None);
    }

    #[test]
    fn counts_of_those_that_end_are_kept_and_those_of_before_the_first_look_are_not() {
        let mut process = Process::new(Path::new("/proc"), 1);
        let now = |threads: &[(u32, u64)]| Now {
            threads: threads.iter().map(|&(id, cpu_ns)| (id, Schedule { cpu_ns, run_delay_ns: 0 })).collect(),
            own: BTreeSet::from([1]),
            ..Now::default()
        };
        for (threads, total, busiest) in [
            (&[(1, 1_000)][..], 0, 0),
            (&[(1, 1_100), (2, 50)], 150, 50),
            (&[(1, 1_200), (2, 80)], 280, 30),
            (&[(1, 1_300)], 380, 0),
        ] {
            let now = now(threads);
            assert_eq!(process.add_up(&now), busiest);
            assert_eq!(process.total.cpu_ns, total);
            process.threads = Some(now.threads);
        }
        assert_eq!(process.total.own_cpu_ns, 300, "the other thread is of a process that it began");
    }
}
