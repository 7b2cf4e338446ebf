//! Control groups of the processes that tell their steps: what they used, and what they were kept from.
//!
//! A group is looked up anew each time, since a process can be moved; a quota may lie on any group above it, and the closest counts.

use std::fs;
use std::path::{Path, PathBuf};

use fleet::quantity::Bytes;
use fleet::series::{Scrape, Thing};
use fleet::signal::group;

use super::host::stalled_seconds;
use crate::machine::cgroup::{self, Group, Version};
use crate::machine::procfs::keyed;

#[derive(Debug)]
pub(super) struct Groups {
    root: PathBuf,
    mounts: String,
    watched: Vec<u32>,
}

impl Groups {
    pub(super) fn new(root: &Path) -> Self {
        let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).unwrap_or_default();
        Self { root: root.to_owned(), mounts, watched: Vec::new() }
    }

    pub(super) fn watch(&mut self, pids: &[u32]) {
        self.watched = pids.to_vec();
    }

    pub(super) fn scrape(&self, scrape: &mut Scrape) {
        for &pid in &self.watched {
            let own = fs::read_to_string(self.root.join(format!("proc/{pid}/cgroup"))).unwrap_or_default();
            let groups = cgroup::Groups::of(&self.root, &self.mounts, &own);
            let of = Thing::Process(pid);
            if let Some(found) = &groups.cpu {
                cpu(found, &of, scrape);
            }
            if let Some(found) = &groups.memory {
                memory(found, groups.memory_limit(), &of, scrape);
            }
        }
    }
}

fn cpu(of_group: &Group, of: &Thing, scrape: &mut Scrape) {
    let limited = of_group.lineage().find_map(|path| Some((quota(of_group.version, &path)?, path)));
    let path = limited.as_ref().map_or(&of_group.path, |(_, path)| path);
    let stat = fs::read_to_string(path.join("cpu.stat")).unwrap_or_default();
    let seconds = |key: &str, unit: f64| keyed(&stat, key).map(|value| value as f64 * unit);
    let throttled = match of_group.version {
        Version::V1 => seconds("throttled_time", 1e-9),
        Version::V2 => seconds("throttled_usec", 1e-6),
    };
    scrape.add(&group::CPU_QUOTA, of, limited.as_ref().map(|(cores, _)| *cores));
    scrape.add(&group::CPU_PERIODS, of, seconds("nr_periods", 1.0));
    scrape.add(&group::CPU_THROTTLED_PERIODS, of, seconds("nr_throttled", 1.0));
    scrape.add(&group::CPU_THROTTLED, of, throttled);
    // Version 1 counts time in a tree of its own, that of cpuacct; the process's own time says as much.
    scrape.add(&group::CPU_USED, of, seconds("usage_usec", 1e-6));
}

/// The processors that a group may use at most.
fn quota(version: Version, path: &Path) -> Option<f64> {
    let read = |name: &str| fs::read_to_string(path.join(name)).ok();
    let number = |name: &str| read(name)?.trim().parse::<f64>().ok();
    let (quota, period) = match version {
        Version::V1 => (number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?),
        Version::V2 => {
            let text = read("cpu.max")?;
            let (quota, period) = text.trim().split_once(' ')?;
            (quota.parse().ok()?, period.parse().ok()?)
        }
    };
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

fn memory(of_group: &Group, limit: Option<Bytes>, of: &Thing, scrape: &mut Scrape) {
    let path = &of_group.path;
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
    let number = |text: String| text.trim().parse::<u64>().ok();
    let stat = read("memory.stat");
    let of_stat = |keys: &[&str]| keys.iter().find_map(|key| keyed(&stat, key));
    let (used, hits, kills) = match of_group.version {
        Version::V1 => (
            number(read("memory.usage_in_bytes")),
            number(read("memory.failcnt")),
            keyed(&read("memory.oom_control"), "oom_kill"),
        ),
        Version::V2 => {
            let events = read("memory.events");
            let hits = keyed(&events, "high").zip(keyed(&events, "max")).map(|(high, max)| high + max);
            (number(read("memory.current")), hits, keyed(&events, "oom_kill"))
        }
    };
    let known = |value: Option<u64>| value.map(|value| value as f64);
    scrape.add(&group::MEMORY_USED, of, known(used));
    scrape.add(&group::MEMORY_LIMIT, of, known(limit.map(|limit| limit.0)));
    scrape.add(&group::MEMORY_HITS, of, known(hits));
    scrape.add(&group::MEMORY_KILLS, of, known(kills));
    let refaults = of_stat(&["total_workingset_refault_file", "workingset_refault_file"]);
    scrape.add(&group::MEMORY_REFAULTS, of, known(refaults));
    scrape.add(&group::MEMORY_MAJOR_FAULTS, of, known(of_stat(&["total_pgmajfault", "pgmajfault"])));
    scrape.add(&group::MEMORY_STALLED, of, stalled_seconds(&read("memory.pressure"), "some"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet::signal::Signal;

    fn scraped(mounts: &str, own: &str, files: &[(&str, &str)]) -> impl Fn(&Signal) -> Option<f64> {
        let root = tempfile::TempDir::new().unwrap();
        for (name, text) in files.iter().chain(&[("proc/self/mountinfo", mounts), ("proc/7/cgroup", own)]) {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut groups = Groups::new(root.path());
        groups.watch(&[7]);
        let mut scrape = Scrape::default();
        groups.scrape(&mut scrape);
        move |signal: &Signal| scrape.values.iter().find(|value| value.signal == signal)?.value
    }

    #[test]
    fn version_2_is_read_and_a_quota_may_lie_above() {
        let got = scraped(
            "24 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
            "0::/a/b\n",
            &[
                ("sys/fs/cgroup/cgroup.procs", ""),
                ("sys/fs/cgroup/a/cgroup.procs", ""),
                ("sys/fs/cgroup/a/b/cgroup.procs", ""),
                ("sys/fs/cgroup/a/b/cgroup.controllers", "cpu memory"),
                ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
                ("sys/fs/cgroup/a/cpu.max", "50000 100000\n"),
                (
                    "sys/fs/cgroup/a/cpu.stat",
                    "usage_usec 1500000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 250000\n",
                ),
                ("sys/fs/cgroup/a/b/memory.current", "4096\n"),
                ("sys/fs/cgroup/a/b/memory.max", "max\n"),
                ("sys/fs/cgroup/a/memory.max", "8192\n"),
                ("sys/fs/cgroup/a/b/memory.events", "low 0\nhigh 2\nmax 3\noom 0\noom_kill 1\n"),
                ("sys/fs/cgroup/a/b/memory.stat", "anon 1\nworkingset_refault_file 9\npgmajfault 8\n"),
                ("sys/fs/cgroup/a/b/memory.pressure", "some avg10=0 total=1000000\nfull avg10=0 total=5\n"),
            ],
        );
        assert_eq!(got(&group::CPU_QUOTA), Some(0.5));
        assert_eq!(got(&group::CPU_THROTTLED), Some(0.25));
        assert_eq!(got(&group::CPU_USED), Some(1.5));
        assert_eq!(got(&group::MEMORY_LIMIT), Some(8_192.0));
        assert_eq!(got(&group::MEMORY_HITS), Some(5.0));
        assert_eq!(got(&group::MEMORY_REFAULTS), Some(9.0));
        assert_eq!(got(&group::MEMORY_STALLED), Some(1.0));
    }

    #[test]
    fn version_1_is_read_and_what_it_does_not_tell_is_unknown() {
        let mounts = "1 1 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n2 1 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
        let got = scraped(
            mounts,
            "5:cpu:/j\n4:memory:/j\n",
            &[
                ("sys/fs/cgroup/cpu/j/cgroup.procs", ""),
                ("sys/fs/cgroup/cpu/j/cpu.cfs_quota_us", "25000\n"),
                ("sys/fs/cgroup/cpu/j/cpu.cfs_period_us", "100000\n"),
                ("sys/fs/cgroup/cpu/j/cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 250000000\n"),
                ("sys/fs/cgroup/memory/j/cgroup.procs", ""),
                ("sys/fs/cgroup/memory/j/memory.usage_in_bytes", "4096\n"),
                ("sys/fs/cgroup/memory/j/memory.limit_in_bytes", "9223372036854771712\n"),
                ("sys/fs/cgroup/memory/j/memory.failcnt", "3\n"),
                ("sys/fs/cgroup/memory/j/memory.stat", "pgmajfault 1\ntotal_pgmajfault 2\n"),
            ],
        );
        assert_eq!(got(&group::CPU_QUOTA), Some(0.25));
        assert_eq!(got(&group::CPU_THROTTLED), Some(0.25));
        assert_eq!(got(&group::CPU_USED), None);
        assert_eq!(got(&group::MEMORY_LIMIT), None, "no limit is no number");
        assert_eq!(got(&group::MEMORY_HITS), Some(3.0));
        assert_eq!(got(&group::MEMORY_MAJOR_FAULTS), Some(2.0));
        assert_eq!(got(&group::MEMORY_STALLED), None);
    }
}
