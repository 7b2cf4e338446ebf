//! Control groups: what they allow this process, and the limits of runs.
//!
//! Three layouts are in use: version 1 (a tree for each controller), version 2 (one tree), and both at once, where version 2
//! often has no controller at all. A controller is used where this process may make groups for it; where it may not, runs have
//! no limit there, and [`Groups::notice`] says so. The text of the kernel is parsed by pure functions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fleet::live::Usage;
use fleet::node::Resources;
use fleet::quantity::{Bytes, Millis};
use serde::{Deserialize, Serialize};

use super::procfs::keyed;

/// The length of time in which a quota of CPU is given out; the kernel's default.
const CPU_PERIOD_US: u64 = 100_000;

/// The version of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// A tree for each controller.
    V1,
    /// One tree.
    V2,
}

/// This process's own group of one controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Which kind of tree it is in.
    pub version: Version,
    /// Its folder.
    pub path: PathBuf,
}

/// This process's own groups, by controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// CPU time.
    pub cpu: Option<Group>,
    /// Memory.
    pub memory: Option<Group>,
}

impl Groups {
    /// The groups that this process is in, whether or not it may make others below them.
    #[must_use]
    pub fn own(root: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
        Self::of(root, &read("proc/self/mountinfo"), &read("proc/self/cgroup"))
    }

    /// The groups of a process, by what is mounted for this one and by what the kernel says of its groups (`/proc/<pid>/cgroup`).
    pub(super) fn of(root: &Path, mounts: &str, own: &str) -> Self {
        let controllers =
            |path: &Path| fs::read_to_string(root.join(path).join("cgroup.controllers")).unwrap_or_default();
        let find = |controller: &str| {
            let (version, path) = find_group(mounts, own, controller, &controllers)?;
            Some(Group { version, path: root.join(path) })
        };
        Self { cpu: find("cpu"), memory: find("memory") }
    }

    /// Those of them below which this process may make groups with limits: it tries.
    #[must_use]
    pub fn usable(self) -> Self {
        Self {
            cpu: self.cpu.filter(|group| group.can_limit("cpu")),
            memory: self.memory.filter(|group| group.can_limit("memory")),
        }
    }

    /// What runs do without, in words; none where nothing is missing.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let what = match (&self.cpu, &self.memory) {
            (Some(_), Some(_)) => return None,
            (None, Some(_)) => "CPU",
            (Some(_), None) => "memory",
            (None, None) => "CPU or memory",
        };
        Some(format!(
            "runs are not held to the {what} they asked for: this user may not make control groups for it here (under systemd, \
             a service with Delegate=yes may)"
        ))
    }

    /// The hard limit of memory that this process is under, of all groups above it.
    #[must_use]
    pub fn memory_limit(&self) -> Option<Bytes> {
        let group = self.memory.as_ref()?;
        let file = group.pick("memory.limit_in_bytes", "memory.max");
        // "max" is no number; version 1 says "none" by a number near 2^63.
        let limits = group.lineage().filter_map(|path| number(&path.join(file))).filter(|limit| *limit < 1 << 60);
        limits.min().map(Bytes)
    }

    /// The quota of CPU that this process is under, in thousandths of a core.
    #[must_use]
    pub fn cpu_quota_milli(&self) -> Option<u64> {
        let group = self.cpu.as_ref()?;
        let quota = |path: PathBuf| match group.version {
            Version::V2 => parse_cpu_max(&fs::read_to_string(path.join("cpu.max")).ok()?),
            Version::V1 => {
                let period = number(&path.join("cpu.cfs_period_us")).filter(|period| *period > 0)?;
                Some(number(&path.join("cpu.cfs_quota_us"))? * 1_000 / period)
            }
        };
        group.lineage().filter_map(quota).min()
    }
}

impl Group {
    fn pick(&self, v1: &'static str, v2: &'static str) -> &'static str {
        match self.version {
            Version::V1 => v1,
            Version::V2 => v2,
        }
    }

    /// It and those above it, as far as they are visible.
    pub(super) fn lineage(&self) -> impl Iterator<Item = PathBuf> {
        let path = self.path.clone();
        let has_procs = |path: &&Path| path.join("cgroup.procs").exists();
        path.ancestors().take_while(has_procs).map(Path::to_owned).collect::<Vec<_>>().into_iter()
    }

    fn can_limit(&self, controller: &str) -> bool {
        let probe = self.path.join(format!("trimtab-probe-{}", std::process::id()));
        let file = match controller {
            "cpu" => self.pick("cpu.cfs_quota_us", "cpu.max"),
            _ => self.pick("memory.limit_in_bytes", "memory.max"),
        };
        let made = fs::create_dir(&probe).is_ok();
        let can = made && fs::OpenOptions::new().write(true).open(probe.join(file)).is_ok();
        if made {
            drop(fs::remove_dir(&probe));
        }
        can
    }
}

/// The groups of one run.
#[derive(Debug, Default)]
pub(super) struct RunGroups {
    cpu: Option<Group>,
    memory: Option<Group>,
}

impl RunGroups {
    /// The groups of a run by its name.
    pub(super) fn named(groups: &Groups, name: &str) -> Self {
        let below = |group: &Group| Group { version: group.version, path: group.path.join(name) };
        Self { cpu: groups.cpu.as_ref().map(below), memory: groups.memory.as_ref().map(below) }
    }

    /// Makes those that this request needs, with its limits.
    pub(super) fn create(mut self, request: Resources) -> io::Result<Self> {
        self.cpu = self.cpu.filter(|_| request.cpu.0 > 0);
        self.memory = self.memory.filter(|_| request.memory.0 > 0);
        for group in self.all() {
            match fs::create_dir(&group.path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        if let Some(group) = &self.cpu {
            // The kernel takes no quota below a thousandth of a second.
            let quota = (request.cpu.0.saturating_mul(CPU_PERIOD_US) / 1_000).max(1_000);
            match group.version {
                Version::V1 => fs::write(group.path.join("cpu.cfs_quota_us"), quota.to_string())?,
                Version::V2 => fs::write(group.path.join("cpu.max"), format!("{quota} {CPU_PERIOD_US}"))?,
            }
        }
        if let Some(group) = &self.memory {
            let limit = request.memory.0.to_string();
            fs::write(group.path.join(group.pick("memory.limit_in_bytes", "memory.max")), &limit)?;
            // Memory that is swapped out counts too, where swap is counted at all.
            match group.version {
                Version::V1 => drop(fs::write(group.path.join("memory.memsw.limit_in_bytes"), &limit)),
                Version::V2 => drop(fs::write(group.path.join("memory.swap.max"), "0")),
            }
        }
        Ok(self)
    }

    /// The files by which a process enters.
    pub(super) fn entrances(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.all().map(|group| group.path.join("cgroup.procs")).collect();
        files.dedup();
        files
    }

    /// Whether the kernel killed for want of memory here.
    pub(super) fn was_out_of_memory(&self) -> bool {
        let Some(group) = &self.memory else { return false };
        let text = fs::read_to_string(group.path.join(group.pick("memory.oom_control", "memory.events")));
        text.is_ok_and(|text| parse_oom_kills(&text) > 0)
    }

    /// Puts what was counted here in the place of what was counted otherwise.
    pub(super) fn refine(&self, used: &mut Usage) {
        if let Some(group) = &self.memory
            && let Some(peak) = number(&group.path.join(group.pick("memory.max_usage_in_bytes", "memory.peak")))
        {
            used.memory_peak = Some(Bytes(peak));
        }
        if let Some(Group { version: Version::V2, path }) = &self.cpu
            && let Some(usage_us) =
                fs::read_to_string(path.join("cpu.stat")).ok().and_then(|text| keyed(&text, "usage_usec"))
        {
            used.cpu = Some(Millis(i64::try_from(usage_us / 1_000).unwrap_or(i64::MAX)));
        }
    }

    /// Removes them; there is no process in them any more.
    pub(super) fn remove(&self) {
        self.all().for_each(|group| drop(fs::remove_dir(&group.path)));
    }

    fn all(&self) -> impl Iterator<Item = &Group> {
        self.cpu.iter().chain(&self.memory)
    }
}

/// Finds this process's group of a controller, by the text of `/proc/self/mountinfo` and `/proc/self/cgroup` (cgroups(7)).
/// `controllers` reads which ones a group of version 2 has.
fn find_group(
    mounts: &str,
    own: &str,
    controller: &str,
    controllers: &dyn Fn(&Path) -> String,
) -> Option<(Version, PathBuf)> {
    let own = |wanted: &dyn Fn(&str) -> bool| {
        own.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (listed, path) = (parts.next()?, parts.next()?);
            wanted(listed).then(|| path.to_owned())
        })
    };
    let has = |list: &str| list.split(',').any(|one| one == controller);
    let mounts = || mounts.lines().filter_map(parse_mount);
    if let Some(path) = own(&has) {
        let mount = mounts().find(|mount| mount.kind == "cgroup" && has(mount.options))?;
        return Some((Version::V1, mount.folder_of(&path)));
    }
    let path = own(&|listed| listed.is_empty())?;
    let mount = mounts().find(|mount| mount.kind == "cgroup2")?;
    let folder = mount.folder_of(&path);
    let has_it = controllers(&folder).split_ascii_whitespace().any(|one| one == controller);
    has_it.then_some((Version::V2, folder))
}

struct Mount<'a> {
    /// Which part of the tree is mounted.
    top: &'a str,
    at: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl Mount<'_> {
    /// The folder of a group, below the root of the file system.
    fn folder_of(&self, group: &str) -> PathBuf {
        // In a container the group's name is that of the host while only its own part is mounted.
        let below = group.strip_prefix(self.top).unwrap_or("");
        Path::new(self.at.trim_start_matches('/')).join(below.trim_start_matches('/'))
    }
}

fn parse_mount(line: &str) -> Option<Mount<'_>> {
    let (head, tail) = line.split_once(" - ")?;
    let mut head = head.split(' ').skip(3);
    let mut tail = tail.split(' ');
    Some(Mount { top: head.next()?, at: head.next()?, kind: tail.next()?, options: tail.nth(1)? })
}

/// "50000 100000" is half a core; "max 100000" no limit.
fn parse_cpu_max(text: &str) -> Option<u64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let period: u64 = period.parse().ok().filter(|period| *period > 0)?;
    Some(quota.parse::<u64>().ok()? * 1_000 / period)
}

/// The number of kills in `memory.events` (version 2) or `memory.oom_control` (version 1).
fn parse_oom_kills(text: &str) -> u64 {
    keyed(text, "oom_kill").unwrap_or(0)
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mounts: &str, own: &str, v2: &str, expected: [Option<(Version, &str)>; 2]) {
        let got = ["cpu", "memory"].map(|controller| find_group(mounts, own, controller, &|_| v2.to_owned()));
        assert_eq!(got, expected.map(|group| group.map(|(version, path)| (version, path.into()))));
    }

    #[test]
    fn each_layout_is_understood() {
        let v2 = "24 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        let service = "sys/fs/cgroup/system.slice/trimtab.service";
        check(v2, "0::/system.slice/trimtab.service\n", "cpu memory pids", [Some((Version::V2, service)); 2]);
        check(v2, "0::/a", "memory", [None, Some((Version::V2, "sys/fs/cgroup/a"))]);
        let hybrid = "1 1 0:1 / /sys/fs/cgroup/cpu,cpuacct rw,x shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
                      2 1 0:1 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      3 1 0:2 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
        let own = "5:cpu,cpuacct:/user\n4:memory:/docker/1\n0::/";
        let expected = [(Version::V1, "sys/fs/cgroup/cpu,cpuacct/user"), (Version::V1, "sys/fs/cgroup/memory/")];
        check(hybrid, own, "", expected.map(Some));
        check("", "", "", [None, None]);
        check(hybrid, "0::/", "", [None, None]);
    }

    #[test]
    fn numbers_are_read() {
        assert_eq!(parse_cpu_max("50000 100000\n"), Some(500));
        assert_eq!(parse_cpu_max("max 100000\n"), None);
        assert_eq!(parse_oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), 3);
        assert_eq!(parse_oom_kills("low 0\noom 2\noom_kill 1\noom_group_kill 0\n"), 1);
    }
}
