//! What a run leaves behind: processes that outlived their leader. Nothing of them may stay.
//!
//! The watcher is the subreaper of all that descends from it (prctl(2)): a process whose parent ends becomes its child, even
//! one that has left process group and session. So a run is over when the watcher has no child.

use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::super::procfs;

/// How long they have to die once they were killed: a process inside the kernel (a dead network file system) may take long.
const PATIENCE: Duration = Duration::from_secs(10);

/// One child that has ended.
pub(super) enum Reaped {
    /// There is none yet.
    NotYet,
    /// There is no child at all.
    Childless,
    /// This one, so.
    Ended(WaitStatus),
}

/// Asks for a child that has ended.
pub(super) fn reap() -> Reaped {
    loop {
        match waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return Reaped::NotYet,
            Ok(status) => return Reaped::Ended(status),
            Err(Errno::EINTR) => {}
            Err(_) => return Reaped::Childless,
        }
    }
}

/// Kills every descendant that is left, and waits for them.
pub(super) fn kill_descendants() {
    let patience_ends = Instant::now() + PATIENCE;
    while Instant::now() < patience_ends {
        match reap() {
            Reaped::Childless => return,
            Reaped::Ended(_) => {}
            Reaped::NotYet => {
                for pid in children() {
                    let _ = kill(pid, Signal::SIGKILL);
                }
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// The children of this process: they cannot be reaped, and their pids not be used again, while it looks.
fn children() -> impl Iterator<Item = Pid> {
    let me = std::process::id();
    procfs::children(me).into_iter().map(Pid::from_raw)
}
