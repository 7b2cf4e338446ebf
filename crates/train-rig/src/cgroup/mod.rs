//! A control group for each rank: what the kernel limits is limited there, from outside the process.
//!
//! Groups are made at the top of the hierarchy, whose controllers are there on most machines; they are removed with their run, and
//! those of a rig that was killed by the next one. What is written into them is in [`settings`].

pub(crate) mod settings;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::stat::{major, minor};

use self::settings::{Disk, Setting, Version};

/// Where control groups are.
const ROOT: &str = "/sys/fs/cgroup";
/// How every group of ours begins; then comes the process of its rig.
const PREFIX: &str = "trimtab-train-";
/// The controllers of version 1 that are used, and what version 2 calls them.
const CONTROLLERS: [(&str, &str); 3] = [("cpu", "cpu"), ("memory", "memory"), ("blkio", "io")];
/// How long the kernel may take to let a group go whose processes have ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// The hierarchy of groups.
#[derive(Clone, Debug)]
pub(crate) struct Hierarchy {
    root: PathBuf,
    version: Version,
}

/// The group of a rank.
#[derive(Debug)]
pub(crate) struct Group {
    hierarchy: Hierarchy,
    name: String,
}

/// What a group holds in memory, bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub used: u64,
    /// Of these, pages of files.
    pub cached: u64,
}

impl Hierarchy {
    /// The hierarchy of this machine, with all controllers that are needed.
    pub(crate) fn find() -> anyhow::Result<Self> {
        Self::below(Path::new(ROOT))
    }

    fn below(root: &Path) -> anyhow::Result<Self> {
        if CONTROLLERS.iter().all(|(controller, _)| root.join(controller).join("cgroup.procs").exists()) {
            return Ok(Self { root: root.to_owned(), version: Version::One });
        }
        let Ok(present) = fs::read_to_string(root.join("cgroup.controllers")) else {
            bail!("there are no control groups with cpu, memory and blkio at {}", root.display());
        };
        for (_, controller) in CONTROLLERS {
            ensure!(
                present.split_whitespace().any(|found| found == controller),
                "the control groups at {} have no controller {controller}",
                root.display()
            );
        }
        Ok(Self { root: root.to_owned(), version: Version::Two })
    }

    /// Makes the groups of a run, and removes those of rigs that are no more.
    ///
    /// # Errors
    /// If this user may not, or a group of version 2 cannot be given its controllers.
    pub(crate) fn make(&self, ranks: u32) -> anyhow::Result<Vec<Group>> {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        self.sweep();
        if self.version == Version::Two {
            let path = self.root.join("cgroup.subtree_control");
            fs::write(&path, "+cpu +memory +io").with_context(|| format!("cannot write {}", path.display()))?;
        }
        let run = format!("{PREFIX}{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        let group = |rank| {
            let group = Group { hierarchy: self.clone(), name: format!("{run}-{rank}") };
            for folder in group.folders() {
                fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            }
            Ok(group)
        };
        (0..ranks).map(group).collect()
    }

    /// Removes groups whose rig has ended without doing so.
    fn sweep(&self) {
        for top in self.tops() {
            let Ok(entries) = fs::read_dir(&top) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
                if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                    drop(fs::remove_dir(entry.path()));
                }
            }
        }
    }

    /// The folder of each controller.
    fn tops(&self) -> Vec<PathBuf> {
        match self.version {
            Version::One => CONTROLLERS.iter().map(|(controller, _)| self.root.join(controller)).collect(),
            Version::Two => vec![self.root.clone()],
        }
    }
}

impl Group {
    /// Puts a process here, and what it starts from then on.
    pub(crate) fn add(&self, pid: u32) -> anyhow::Result<()> {
        for folder in self.folders() {
            let path = folder.join("cgroup.procs");
            fs::write(&path, pid.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Limits processor time to so many cores.
    pub(crate) fn set_processor(&self, cores: Option<f64>) -> anyhow::Result<()> {
        self.write(&settings::processor(self.hierarchy.version, cores))
    }

    /// How many times as much as everybody it weighs beside others who want the same core.
    pub(crate) fn set_weight(&self, times: f64) -> anyhow::Result<()> {
        self.write(&settings::weight(self.hierarchy.version, times))
    }

    /// Limits memory, pages of files included.
    pub(crate) fn set_memory(&self, bytes: Option<u64>) -> anyhow::Result<()> {
        self.write(&settings::memory(self.hierarchy.version, bytes))
    }

    /// Limits what goes from and to a disk each second.
    pub(crate) fn set_disk(&self, disk: Disk, read: Option<u64>, write: Option<u64>) -> anyhow::Result<()> {
        self.write(&settings::disk(self.hierarchy.version, disk, read, write))
    }

    /// What it holds in memory.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let (used, cached) = match self.hierarchy.version {
            Version::One => ("memory.usage_in_bytes", "cache"),
            Version::Two => ("memory.current", "file"),
        };
        let folder = self.folder("memory");
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let used = read(used)?.trim().parse()?;
        let stat = read("memory.stat")?;
        let mut fields = stat.lines().filter_map(|line| line.split_once(' '));
        let cached = fields.find(|(name, _)| *name == cached).context("memory.stat tells no pages of files")?.1;
        Ok(Memory { used, cached: cached.parse()? })
    }

    /// Removes it, once its processes have ended.
    pub(crate) fn remove(&self) {
        let until = Instant::now() + PATIENCE;
        for folder in self.folders() {
            while folder.exists() && fs::remove_dir(&folder).is_err() && Instant::now() < until {
                sleep(Duration::from_millis(5));
            }
        }
    }

    fn write(&self, settings: &[Setting]) -> anyhow::Result<()> {
        for setting in settings {
            let path = self.folder(setting.controller).join(setting.file);
            fs::write(&path, &setting.text)
                .with_context(|| format!("cannot write {:?} into {}", setting.text, path.display()))?;
        }
        Ok(())
    }

    fn folder(&self, controller: &str) -> PathBuf {
        match self.hierarchy.version {
            Version::One => self.hierarchy.root.join(controller).join(&self.name),
            Version::Two => self.hierarchy.root.join(&self.name),
        }
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.hierarchy.tops().iter().map(|top| top.join(&self.name)).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The disk that a folder lies on, as the block controller counts it: a whole disk, not a part of one.
pub(crate) fn disk_of(folder: &Path) -> anyhow::Result<Disk> {
    use std::os::unix::fs::MetadataExt;
    let number = fs::metadata(folder).with_context(|| format!("cannot look at {}", folder.display()))?.dev();
    let block = PathBuf::from(format!("/sys/dev/block/{}:{}", major(number), minor(number)));
    ensure!(block.exists(), "{} lies on no disk whose speed the kernel could limit", folder.display());
    let whole = if block.join("partition").exists() { block.join("../dev") } else { block.join("dev") };
    let text = fs::read_to_string(&whole).with_context(|| format!("cannot read {}", whole.display()))?;
    let (major, minor) = text.trim().split_once(':').context("a disk's number has two parts")?;
    Ok(Disk { major: major.parse()?, minor: minor.parse()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_told_by_what_is_there() {
        let root = tempfile::tempdir().unwrap();
        assert!(Hierarchy::below(root.path()).is_err());
        fs::write(root.path().join("cgroup.controllers"), "cpu memory\n").unwrap();
        assert!(Hierarchy::below(root.path()).unwrap_err().to_string().ends_with("have no controller io"));
        fs::write(root.path().join("cgroup.controllers"), "cpuset cpu io memory\n").unwrap();
        assert_eq!(Hierarchy::below(root.path()).unwrap().version, Version::Two);
        for (controller, _) in CONTROLLERS {
            fs::create_dir(root.path().join(controller)).unwrap();
            fs::write(root.path().join(controller).join("cgroup.procs"), "").unwrap();
        }
        assert_eq!(Hierarchy::below(root.path()).unwrap().version, Version::One);
    }

    #[test]
    fn version_two_has_all_settings_in_one_folder() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cgroup.controllers"), "cpu io memory\n").unwrap();
        let groups = Hierarchy::below(root.path()).unwrap().make(2).unwrap();
        let given = fs::read_to_string(root.path().join("cgroup.subtree_control")).unwrap();
        assert_eq!(given, "+cpu +memory +io");
        groups[1].add(42).unwrap();
        groups[1].set_memory(Some(1 << 20)).unwrap();
        let folder = root.path().join(&groups[1].name);
        assert_eq!(fs::read_to_string(folder.join("cgroup.procs")).unwrap(), "42");
        assert_eq!(fs::read_to_string(folder.join("memory.high")).unwrap(), "1048576");
        fs::write(folder.join("memory.current"), "900\n").unwrap();
        fs::write(folder.join("memory.stat"), "anon 100\nfile 800\n").unwrap();
        let Memory { used, cached } = groups[1].memory().unwrap();
        assert_eq!((used, cached), (900, 800));
        // Files of a real group go with it.
        fs::remove_dir_all(&folder).unwrap();
    }
}
