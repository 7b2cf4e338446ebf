//! What the rig needs of this machine, and which of it is absent.

use std::fmt;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};

/// The programs the rig runs, all of Debian's packages `slurm-wlm`, `slurmdbd`, `munge`, `mariadb-server` and `coreutils`.
const NEEDED: [&str; 14] = [
    "munged",
    "mariadbd",
    "mariadb",
    "mariadb-install-db",
    "slurmdbd",
    "slurmctld",
    "slurmd",
    "sacctmgr",
    "sacct",
    "scontrol",
    "sbatch",
    "squeue",
    "scancel",
    "mknod",
];

/// Why the rig cannot run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// A program is not installed.
    Program(String),
    /// This user may not do what is needed.
    Privilege(String),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(reason) | Self::Privilege(reason) => f.write_str(reason),
        }
    }
}

/// What keeps the rig from running here; `None` where nothing does.
#[must_use]
pub fn unavailable() -> Option<Unavailable> {
    let absent: Vec<&str> = NEEDED.into_iter().filter(|name| find(name).is_none()).collect();
    if !absent.is_empty() {
        let reason = format!(
            "not installed: {}; on Debian: apt-get install slurm-wlm slurmdbd munge mariadb-server",
            absent.join(", ")
        );
        return Some(Unavailable::Program(reason));
    }
    if !is_root() {
        let reason = "only root may make device nodes and run jobs as several users; run the tests as root";
        return Some(Unavailable::Privilege(reason.to_owned()));
    }
    match host_name() {
        Some(host) if is_loopback(&host) => None,
        Some(host) => {
            let reason = format!("the host name `{host}` is not on loopback; add `127.0.0.1 {host}` to /etc/hosts");
            Some(Unavailable::Privilege(reason))
        }
        None => Some(Unavailable::Privilege("the host has no name in /proc/sys/kernel/hostname".to_owned())),
    }
}

/// Where a program lies. Daemons are often outside a user's `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(beside).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// This machine's name, to which Slurm's daemons compare theirs.
pub(crate) fn host_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = text.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Whether Slurm can hold jobs to their memory here: its `cgroup/v1` plugin needs the old memory controller. Without it no
/// job ever ends as out of memory.
pub(crate) fn has_memory_controller() -> bool {
    Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists()
        && Path::new("/sys/fs/cgroup/freezer/cgroup.procs").exists()
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
}

fn is_loopback(host: &str) -> bool {
    (host, 0).to_socket_addrs().is_ok_and(|mut found| found.all(|address| address.ip().is_loopback()))
}
