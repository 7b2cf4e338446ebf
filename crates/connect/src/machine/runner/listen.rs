//! Hearing what watchers tell.

use std::os::fd::AsFd;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use fleet::ids::ActionId;
use fleet::live::Outcome;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, Inotify, InotifyEvent};

use super::settle::Settled;
use super::{Error, Runner};
use crate::machine::runs::{Kind, Runs};

/// How often children are asked for that have told nothing yet: one may die before it can leave a sign.
const SILENT_INTERVAL: Duration = Duration::from_millis(100);
/// The most events taken in before they are handed on.
const EVENTS_MAX: usize = 4_096;

/// What one turn heard.
#[derive(Default)]
struct Heard {
    outcomes: Vec<Outcome>,
    failed: Option<Error>,
}

impl Runner {
    /// What became of actions: waits until something did, at most so long, or until [`Self::wake`]. Outcomes of one action come
    /// in their order, and may come more than once.
    ///
    /// # Errors
    /// If the folder of runs cannot be read or written, or a lost run's process does not die. Nothing is forgotten: trying again,
    /// a little later, is right.
    pub fn outcomes(&self, timeout: Duration) -> Result<Vec<Outcome>, Error> {
        let inotify = self.inotify.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now().checked_add(timeout);
        loop {
            let mut heard = Heard::default();
            for event in self.events(&inotify)? {
                self.take_in(&event, &mut heard)?;
            }
            for action in self.reap().into_iter().chain(self.take_unsettled()) {
                self.conclude_into(action, &mut heard);
            }
            let Heard { outcomes, failed } = heard;
            if let (true, Some(error)) = (outcomes.is_empty(), failed) {
                return Err(error);
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if !outcomes.is_empty() || left == Some(Duration::ZERO) || self.wait(&inotify, left)? {
                return Ok(outcomes);
            }
        }
    }

    /// Waits for an event; true if it was woken instead.
    fn wait(&self, inotify: &Inotify, left: Option<Duration>) -> Result<bool, Error> {
        let silent = self.has_silent_watchers().then_some(SILENT_INTERVAL);
        let left = left.into_iter().chain(silent).min();
        let left_ms = left.map_or(-1, |left| i32::try_from(left.as_millis() + 1).unwrap_or(i32::MAX));
        let timeout = PollTimeout::try_from(left_ms).unwrap_or(PollTimeout::NONE);
        let mut fds = [inotify.as_fd(), self.wake.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(Error::io("wait for", self.runs.path(), &error.into())),
        }
        let woken = fds[1].any().unwrap_or(false);
        if woken {
            let _ = self.wake.read();
        }
        Ok(woken)
    }

    fn events(&self, inotify: &Inotify) -> Result<Vec<InotifyEvent>, Error> {
        let mut events = Vec::new();
        while events.len() < EVENTS_MAX {
            match inotify.read_events() {
                Ok(more) => events.extend(more),
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(error) => return Err(Error::io("watch", self.runs.path(), &error.into())),
            }
        }
        Ok(events)
    }

    fn take_in(&self, event: &InotifyEvent, heard: &mut Heard) -> Result<(), Error> {
        // Events were dropped by the kernel: everything is looked at again.
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            for action in self.present()? {
                heard.outcomes.extend(self.runs.outcome(action, Kind::Started));
                self.conclude_into(action, heard);
            }
            return Ok(());
        }
        let name = event.name.as_ref().and_then(|name| name.to_str());
        match name.and_then(Runs::parse_name) {
            None => {}
            Some((action, kind @ (Kind::Started | Kind::Ended))) => {
                self.heard(action);
                heard.outcomes.extend(self.runs.outcome(action, kind));
            }
            Some((action, Kind::Claim)) => {
                // Told, or forgotten since.
                let is_over = self.runs.file(action, Kind::Ended).exists();
                if !is_over && self.runs.file(action, Kind::Claim).exists() {
                    self.conclude_into(action, heard);
                }
                self.let_go(action);
            }
        }
        Ok(())
    }

    fn conclude_into(&self, action: ActionId, heard: &mut Heard) {
        match self.conclude(action) {
            Ok(Settled::Runs(_)) => {}
            Ok(Settled::Over(outcome)) => {
                self.let_go(action);
                heard.outcomes.push(outcome);
            }
            Err(error) => {
                self.keep_unsettled(action);
                heard.failed = Some(error);
            }
        }
    }
}
