//! What a run stands on, and what faults take hold of: its processes, their control groups, its network, its disk, its files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, anyhow};

use crate::cgroup::settings::Disk;
use crate::cgroup::{Group, Hierarchy, disk_of};
use crate::crew::Crew;
use crate::network::Network;
use crate::plan::{SAMPLES, TRUTH};
use crate::rank::work::Work;
use crate::samples;
use crate::shape::Shape;
use crate::truth::Truth;

/// How many times as much as everybody a rank weighs beside others who want its core. A run is to be slow for its faults, and not for
/// what else the machine does; of which it takes little, as it leaves most of its cores idle.
pub(crate) const RANK_WEIGHT: f64 = 16.0;

/// What a run stands on.
#[derive(Debug)]
pub(crate) struct Ground {
    pub program: PathBuf,
    pub shape: Shape,
    pub work: Work,
    pub folder: PathBuf,
    pub crew: Crew,
    /// Groups of the ranks and the disk they read from; or why the kernel limits nothing here.
    limits: Result<Limits, String>,
    pub network: Network,
}

/// What the kernel limits for a run.
#[derive(Debug)]
pub(crate) struct Limits {
    hierarchy: Hierarchy,
    groups: Vec<Group>,
    /// The disk of the run's folder; or why nobody can limit that.
    disk: Result<Disk, String>,
}

impl Limits {
    fn find(folder: &Path, ranks: u32) -> anyhow::Result<Self> {
        let disk = disk_of(folder).map_err(|error| format!("{error:#}"));
        let hierarchy = Hierarchy::find()?;
        let groups = hierarchy.make(ranks)?;
        for group in &groups {
            group.set_weight(RANK_WEIGHT)?;
        }
        Ok(Self { hierarchy, groups, disk })
    }

    /// Groups for others than ranks.
    pub(crate) fn make(&self, groups: u32) -> anyhow::Result<Vec<Group>> {
        self.hierarchy.make(groups)
    }

    /// Makes the disk of a rank as fast as this, bytes each second.
    ///
    /// # Errors
    /// If the run's folder lies on none that can be limited.
    pub(crate) fn set_disk(&self, rank: u32, read: u64, write: u64) -> anyhow::Result<()> {
        self.group(rank)?.set_disk(self.disk()?, Some(read), Some(write))
    }

    fn disk(&self) -> anyhow::Result<Disk> {
        self.disk.clone().map_err(Error::msg)
    }

    /// The group of a rank.
    pub(crate) fn group(&self, rank: u32) -> anyhow::Result<&Group> {
        self.groups.get(rank as usize).with_context(|| format!("there is no rank {rank}"))
    }
}

impl Ground {
    /// Ground for a run in this folder; no rank runs yet.
    pub(crate) fn new(program: PathBuf, shape: Shape, work: Work, folder: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let limits = Limits::find(&folder, shape.ranks).map_err(|error| format!("{error:#}"));
        let (crew, network) = (Crew::default(), Network::make()?);
        Ok(Self { program, shape, work, folder, crew, limits, network })
    }

    /// What the kernel limits here.
    ///
    /// # Errors
    /// If it limits nothing, with the reason.
    pub(crate) fn limits(&self) -> anyhow::Result<&Limits> {
        self.limits.as_ref().map_err(|reason| anyhow!("the kernel limits nothing here: {reason}"))
    }

    /// That disks are as fast as the shape says, and no faster.
    ///
    /// # Errors
    /// If they are not, with the reason.
    pub(crate) fn check_disk(&self) -> anyhow::Result<()> {
        self.limits()?.disk().map(|_| ())
    }

    /// The folder of a rank.
    pub(crate) fn rank_folder(&self, rank: u32) -> PathBuf {
        self.folder.join(format!("rank-{rank}"))
    }

    /// The files of a rank's samples.
    pub(crate) fn samples(&self, rank: u32) -> Vec<PathBuf> {
        let folder = self.rank_folder(rank).join(SAMPLES);
        (0..self.shape.shard_samples).map(|number| samples::path(&folder, number)).collect()
    }

    /// What every rank wrote down so far.
    pub(crate) fn truths(&self) -> anyhow::Result<Vec<Truth>> {
        (0..self.shape.ranks).map(|rank| Truth::read(&self.rank_folder(rank).join(TRUTH))).collect()
    }

    /// Ends every rank, and takes the groups away.
    pub(crate) fn clear(&self) {
        self.crew.kill();
        for group in self.limits.iter().flat_map(|limits| &limits.groups) {
            group.remove();
        }
    }
}
