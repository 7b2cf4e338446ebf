//! Runs workloads as processes of this machine, so that the control plane may be killed at any moment.
//!
//! For each action there is a small process, the watcher ([`super::watcher`]); it claims the action in the folder of runs
//! ([`super::runs`]), owns the command, and outlives the control plane. Here is the other side: it spawns watchers, hears what
//! they tell, and decides what becomes of an action whose watcher is dead. It never starts an action twice: whoever wants to
//! start one must create its claim, which succeeds once; a watcher of a control plane that is gone creates none any more. It
//! keeps nothing in memory that it could not read again: at start, [`Runner::settle`] says of any action how it stands.

mod listen;
mod lost;
mod options;
mod settle;
mod start;

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use fleet::ids::{ActionId, WorkloadId};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

pub use options::{AsRoot, Options};
pub use settle::Settled;

use super::cgroup::{Groups, RunGroups};
use super::error::Error;
use super::order::WORKLOAD;
use super::procfs;
use super::runs::{MARK, Runs, read};
use start::Watchers;

/// How long opening waits for the lock of one that was killed: a child that it was about to execute may hold it a moment longer.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Runs workloads as processes. It can be shared: one thread waits in [`Runner::outcomes`] while others start and stop.
#[derive(Debug)]
pub struct Runner {
    options: Options,
    runs: Runs,
    epoch: u64,
    boot: String,
    /// The machine was started anew since actions were last started: what was not told is lost, and files may be missing.
    rebooted: bool,
    /// Variables for commands that do not set them themselves.
    defaults: Vec<(String, String)>,
    inotify: Mutex<Inotify>,
    wake: EventFd,
    watchers: Mutex<Watchers>,
    groups: Groups,
    /// Only one control plane has a folder of runs.
    _lock: File,
}

impl Runner {
    /// Opens the folder of runs, makes it if it is absent, and listens from now on. Follow with [`Self::settle`] for every
    /// action whose end is not stored yet, before anything is started.
    ///
    /// # Errors
    /// If the folder cannot be used, another control plane uses it, or this is root's process and that was not allowed.
    pub fn open(options: Options) -> Result<Self, Error> {
        options.check()?;
        let runs = Runs::of(&options.folder);
        runs.create().map_err(|error| Error::io("create the folder", runs.path(), &error))?;
        let lock = lock(&runs)?;
        // Listening begins before anything is looked at, so that nothing falls between.
        let inotify = listen(&runs).map_err(|error| watch_error(&runs, &error.into()))?;
        let epoch_file = runs.epoch();
        let epoch = read::<u64>(&epoch_file).unwrap_or(0) + 1;
        runs.write(&epoch_file, &epoch).map_err(|error| Error::io("write", &epoch_file, &error))?;
        let boot = procfs::boot_id(Path::new("/"));
        let rebooted = read::<String>(&runs.boot()).is_some_and(|earlier| earlier != boot);
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)
            .map_err(|error| Error::new(format!("cannot make an event descriptor: {error}")))?;
        let defaults = options.defaults();
        let groups = Groups::own(Path::new("/")).usable();
        let (inotify, watchers) = (Mutex::new(inotify), Mutex::default());
        Ok(Self { options, runs, epoch, boot, rebooted, defaults, inotify, wake, watchers, groups, _lock: lock })
    }

    /// Every action that has files here, in order. Those whose outcome is stored can be forgotten.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn present(&self) -> Result<Vec<ActionId>, Error> {
        self.runs.present().map_err(|error| Error::io("read the folder", self.runs.path(), &error))
    }

    /// Removes what is kept of a run, but for its log. Only for actions that are over and whose outcome is stored: what is
    /// removed can be told no more.
    ///
    /// # Errors
    /// If the files cannot be removed.
    pub fn forget(&self, action: ActionId) -> Result<(), Error> {
        self.let_go(action);
        // Its watcher removes them, unless it was killed.
        RunGroups::named(&self.groups, &self.runs.group_name(action)).remove();
        self.runs.remove(action).map_err(|error| Error::io("remove the files of a run in", self.runs.path(), &error))
    }

    /// The workload that a process belongs to, if it began with the variables of a run of this installation.
    #[must_use]
    pub fn workload_of(&self, pid: u32) -> Option<WorkloadId> {
        let run = procfs::variable(pid, MARK)?;
        let ours = Path::new(&run).parent() == Some(self.runs.path());
        let id = procfs::variable(pid, WORKLOAD).filter(|_| ours)?;
        id.parse().ok().map(WorkloadId)
    }

    /// What runs do without here, in words.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        self.groups.notice()
    }

    /// Lets [`Self::outcomes`] return at once, from any thread.
    pub fn wake(&self) {
        // It can only fail by being full, and then it wakes too.
        let _ = self.wake.write(1);
    }

    fn watchers(&self) -> MutexGuard<'_, Watchers> {
        // A thread that died while it held them left them whole: they are changed in single steps.
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(runs: &Runs) -> Result<File, Error> {
    let path = runs.path().join("lock");
    let io = |error: &io::Error| Error::io("lock", &path, error);
    let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(|error| io(&error))?;
    let patience_ends = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::Error(error)) => return Err(io(&error)),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < patience_ends => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                let path = runs.path().display();
                return Err(Error::new(format!(
                    "{path} is in use by another trimtab: stop it, or choose another folder"
                )));
            }
        }
    }
}

/// Outcomes appear by a rename; the death of a watcher closes its claim, which it has open for writing.
fn listen(runs: &Runs) -> nix::Result<Inotify> {
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
    inotify.add_watch(runs.path(), AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE)?;
    Ok(inotify)
}

fn watch_error(runs: &Runs, error: &io::Error) -> Error {
    let text = Error::io("watch", runs.path(), error);
    let hint =
        "; if there are too many watchers already, raise fs.inotify.max_user_instances or max_user_watches with sysctl";
    Error::new(format!("{text}{hint}"))
}
