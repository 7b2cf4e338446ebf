//! The folder in which runs are kept: who may start an action, that it runs, and how it ended.
//!
//! The files are the whole truth between the control plane and the watchers; both may die at any moment. `<action>.claim`
//! says that the action was taken, by whom, and its lock says that the taker is alive; `<action>.started` and
//! `<action>.ended` are outcomes, and appear whole or not at all. Whoever holds the lock of a claim, and finds no end, decides
//! what becomes of the action; nobody else does. `epoch` names the control plane that may have actions started.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fleet::ids::ActionId;
use fleet::live::Outcome;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::procfs;

/// The variable by which every process of a run can be told.
pub(super) const MARK: &str = "TRIMTAB_RUN";
/// The most bytes of one of these files: an outcome is a line.
const FILE_MAX: u64 = 1 << 20;

/// The folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Runs(PathBuf);

/// The watcher that took an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) pid: i32,
    pub(super) start_ticks: u64,
}

/// An action that is ours: its lock is held for as long as this lives.
#[derive(Debug)]
pub(super) struct Claim(File);

/// What trying to take over an action found.
#[derive(Debug)]
pub(super) enum TakeOver {
    /// Nobody ever claimed it.
    Absent,
    /// Its watcher is alive.
    Held,
    /// Whoever claimed it is dead. If it came so far, it said who it was.
    Abandoned(Claim, Option<Holder>),
}

/// What an event of the folder is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Claim,
    Started,
    Ended,
}

impl Runs {
    /// The folder below that of the installation.
    pub(super) fn of(installation: &Path) -> Self {
        Self(installation.join("runs"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn create(&self) -> io::Result<()> {
        fs::create_dir_all(self.0.join("ask"))?;
        fs::create_dir_all(self.0.join("part"))
    }

    pub(super) fn epoch(&self) -> PathBuf {
        self.0.join("epoch")
    }

    pub(super) fn boot(&self) -> PathBuf {
        self.0.join("boot")
    }

    /// The named pipe through which the watcher can be asked to stop. It lies apart, so that it wakes nobody.
    pub(super) fn ask(&self, action: ActionId) -> PathBuf {
        self.0.join("ask").join(action.0.to_string())
    }

    pub(super) fn file(&self, action: ActionId, kind: Kind) -> PathBuf {
        self.0.join(format!("{}.{}", action.0, kind.suffix()))
    }

    /// That variable and its value: unlike an action's number it names the installation too.
    pub(super) fn mark(&self, action: ActionId) -> (String, String) {
        (MARK.into(), self.0.join(action.0.to_string()).display().to_string())
    }

    /// The name of a run's control groups: apart from those of any other installation, so with a hash of the folder (FNV-1a).
    pub(super) fn group_name(&self, action: ActionId) -> String {
        let bytes = self.0.as_os_str().as_encoded_bytes();
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold);
        format!("trimtab-{hash:016x}-{}", action.0)
    }

    /// Which file `name` is, and of which action.
    pub(super) fn parse_name(name: &str) -> Option<(ActionId, Kind)> {
        let (action, suffix) = name.split_once('.')?;
        let kind = [Kind::Claim, Kind::Started, Kind::Ended].into_iter().find(|kind| kind.suffix() == suffix)?;
        Some((ActionId(action.parse().ok()?), kind))
    }

    /// Every action that has files here.
    pub(super) fn present(&self) -> io::Result<Vec<ActionId>> {
        let mut actions = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            actions.extend(entry?.file_name().to_str().and_then(Self::parse_name).map(|(action, _)| action));
        }
        actions.sort_unstable();
        actions.dedup();
        Ok(actions)
    }

    /// Writes a file so that it appears whole or not at all.
    pub(super) fn write<T: Serialize>(&self, path: &Path, value: &T) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let part = self.0.join("part").join(format!("{name}.{}", std::process::id()));
        fs::write(&part, serde_json::to_vec(value)?)?;
        fs::rename(&part, path)
    }

    /// The outcome of this kind, if it is there. One that cannot be read (the machine lost power) counts as absent.
    pub(super) fn outcome(&self, action: ActionId, kind: Kind) -> Option<Outcome> {
        read(&self.file(action, kind)).filter(|outcome: &Outcome| outcome.action == action)
    }

    /// Takes an action that nobody took before; none if somebody did.
    pub(super) fn claim(&self, action: ActionId) -> io::Result<Option<Claim>> {
        let path = self.file(action, Kind::Claim);
        let file = match OpenOptions::new().write(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            opened => opened?,
        };
        // Between the two steps another may have found the claim without a lock, decided that nothing was started, and even
        // removed it again.
        file.lock()?;
        let taken = file.metadata()?.nlink() > 0 && !self.file(action, Kind::Ended).exists();
        Ok(taken.then_some(Claim(file)))
    }

    /// Takes over an action whose watcher is dead.
    pub(super) fn take_over(&self, action: ActionId) -> io::Result<TakeOver> {
        let mut file = match File::open(self.file(action, Kind::Claim)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(TakeOver::Absent),
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(TakeOver::Held),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut text = String::new();
        (&mut file).take(FILE_MAX).read_to_string(&mut text)?;
        Ok(TakeOver::Abandoned(Claim(file), serde_json::from_str(&text).ok()))
    }

    /// Who took an action, if it was signed.
    pub(super) fn holder(&self, action: ActionId) -> Option<Holder> {
        read(&self.file(action, Kind::Claim))
    }

    /// Removes every file of an action.
    pub(super) fn remove(&self, action: ActionId) -> io::Result<()> {
        let files = [Kind::Started, Kind::Claim, Kind::Ended].map(|kind| self.file(action, kind));
        for path in files.into_iter().chain([self.ask(action)]) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Claim {
    /// Says that this process is the one that took it: before it starts anything.
    pub(super) fn sign(&mut self) -> io::Result<()> {
        let pid = i32::try_from(std::process::id()).map_err(io::Error::other)?;
        let start_ticks = procfs::stat(pid).map_or(0, |stat| stat.start_ticks);
        self.0.write_all(&serde_json::to_vec(&Holder { pid, start_ticks })?)
    }
}

impl Kind {
    fn suffix(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Started => "started",
            Self::Ended => "ended",
        }
    }
}

/// A file's value; none where it is absent or holds something else.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(FILE_MAX).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
