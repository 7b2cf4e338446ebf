//! The processes of a run's ranks: started, signalled, asked how they ended, and killed.

use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The ranks' processes, by rank.
#[derive(Debug, Default)]
pub(crate) struct Crew(Mutex<Vec<Child>>);

impl Crew {
    /// One more rank.
    pub(crate) fn add(&self, child: Child) {
        self.children().push(child);
    }

    /// Sends a signal to a rank that has not ended; its number cannot have passed to another process, as nobody has asked how
    /// it ended.
    pub(crate) fn signal(&self, rank: u32, signal: Signal) -> anyhow::Result<()> {
        let mut children = self.children();
        let child = children.get_mut(rank as usize).with_context(|| format!("there is no rank {rank}"))?;
        if let Some(status) = child.try_wait()? {
            bail!("rank {rank} has ended ({status})");
        }
        kill(Pid::from_raw(child.id().cast_signed()), signal)?;
        Ok(())
    }

    /// How each ended; nothing for those that have not.
    pub(crate) fn statuses(&self) -> Vec<Option<ExitStatus>> {
        self.children().iter_mut().map(|child| child.try_wait().ok().flatten()).collect()
    }

    /// Their processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.children().iter().map(Child::id).collect()
    }

    /// Ends all, whatever they do; none is left when this returns.
    pub(crate) fn kill(&self) {
        let mut children = self.children();
        for child in children.iter_mut() {
            drop(child.kill());
        }
        for child in children.iter_mut() {
            drop(child.wait());
        }
    }

    fn children(&self) -> MutexGuard<'_, Vec<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.kill();
    }
}
