//! Starting and stopping: spawns watchers, and asks them to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use fleet::ids::ActionId;
use fleet::live::{Exit, Outcome, Told, Usage, log_of};
use fleet::quantity::Millis;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::{Error, Runner};
use crate::machine::order::{self, Launch, LogPlace, Order, environment};
use crate::machine::runs::Kind;
use crate::machine::watcher::{WATCH, now};

/// The watchers that are children of this process: it must ask for their ends, or they stay as zombies.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    by_action: BTreeMap<ActionId, Watcher>,
    /// Their actions are over; they are about to end.
    leaving: Vec<Child>,
    /// Actions that ended in a way that could not be settled: they are looked at again.
    unsettled: BTreeSet<ActionId>,
}

#[derive(Debug)]
struct Watcher {
    child: Child,
    /// It told something: from now on its end is seen by its claim.
    heard: bool,
}

impl Runner {
    /// Starts an action; what comes of it is told by [`Self::outcomes`]. An action that was given before is not started again.
    ///
    /// # Errors
    /// Why it was not started, for people; it never will be, and nothing more is told of it.
    pub fn start(&self, launch: &Launch) -> Result<(), String> {
        let action = launch.action;
        if self.runs.file(action, Kind::Claim).exists() || self.watchers().by_action.contains_key(&action) {
            return Ok(());
        }
        launch.submission.check().map_err(|invalid| invalid.to_string())?;
        self.note_boot().map_err(|error| error.to_string())?;
        let order = self.order(launch);
        let child = self.spawn(&order).map_err(|error| format!("cannot start its watcher: {error}"))?;
        self.watchers().by_action.insert(action, Watcher { child, heard: false });
        Ok(())
    }

    fn order(&self, launch: &Launch) -> Order {
        let (submission, options) = (&launch.submission, &self.options);
        let visible = options.visible.variables(launch.devices);
        let steps = options.steps.as_deref();
        let environment = environment(launch, &self.defaults, steps, visible, self.runs.mark(launch.action));
        let (words, directory) = (submission.command.clone(), submission.directory.clone());
        let log = LogPlace {
            path: self.log(launch),
            file_bytes_max: options.log_file_bytes_max.max(64 << 10),
            files_max: options.log_files_max.max(1),
        };
        Order {
            runs: self.runs.clone(),
            epoch: self.epoch,
            arguments: options.arguments.clone(),
            action: launch.action,
            command: order::Command { words, directory, environment },
            request: submission.request,
            time_limit: submission.time_limit_ms,
            grace: submission.grace,
            log,
            groups: self.groups.clone(),
        }
    }

    /// The watcher reads its order from a file without a name: whole, however late, and even if this process is dead by then.
    fn spawn(&self, order: &Order) -> io::Result<Child> {
        let mut file = File::from(memfd_create(c"order", MFdFlags::MFD_CLOEXEC)?);
        file.write_all(&serde_json::to_vec(order)?)?;
        file.rewind()?;
        let mut command = Command::new(&self.options.program);
        command.arg0("trimtab").args(&self.options.arguments).arg(WATCH);
        command.stdin(file).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }

    /// Files written from now on are of this start of the machine.
    fn note_boot(&self) -> Result<(), Error> {
        let path = self.runs.boot();
        if path.exists() && !self.rebooted {
            return Ok(());
        }
        self.runs.write(&path, &self.boot).map_err(|error| Error::io("write", &path, &error))
    }

    /// Asks for an end: the run gets SIGTERM, its grace, then SIGKILL. Asking again changes nothing. If it had not begun, it
    /// never will, and is told as an end after no time.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub fn stop(&self, action: ActionId) -> Result<(), Error> {
        if self.ask(action)? || self.runs.file(action, Kind::Ended).exists() {
            return Ok(());
        }
        // Nobody listens: the watcher has not come so far yet, or is dead.
        let io = |error: &io::Error| Error::io("write in", self.runs.path(), error);
        if let Some(_held) = self.runs.claim(action).map_err(|error| io(&error))? {
            let told = Told::Ended { ran: Millis(0), exit: Exit::Stopped, used: Usage::default() };
            let outcome = Outcome { action, at: now(), told };
            self.runs.write(&self.runs.file(action, Kind::Ended), &outcome).map_err(|error| io(&error))?;
            self.let_go(action);
        } else {
            // It may have come so far just now.
            self.ask(action)?;
        }
        Ok(())
    }

    /// Whether its watcher was there to be asked.
    fn ask(&self, action: ActionId) -> Result<bool, Error> {
        let path = self.runs.ask(action);
        let opened = OpenOptions::new().write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&path);
        let asked = opened.and_then(|mut pipe| pipe.write(b"s"));
        match asked.as_ref().map_err(io::Error::raw_os_error) {
            Ok(_) => Ok(true),
            // Full: it was asked often enough.
            Err(Some(code)) if code == Errno::EAGAIN as i32 => Ok(true),
            Err(Some(code))
                if [Errno::ENOENT, Errno::ENXIO, Errno::EPIPE].map(|errno| errno as i32).contains(&code) =>
            {
                Ok(false)
            }
            Err(_) => asked.map(|_| true).map_err(|error| Error::io("write to", &path, &error)),
        }
    }

    /// It told something.
    pub(super) fn heard(&self, action: ActionId) {
        if let Some(watcher) = self.watchers().by_action.get_mut(&action) {
            watcher.heard = true;
        }
    }

    /// Nothing more is wanted of an action's watcher. One that was never heard of has claimed nothing, and is killed.
    pub(super) fn let_go(&self, action: ActionId) {
        let mut watchers = self.watchers();
        let Some(mut watcher) = watchers.by_action.remove(&action) else { return };
        if !watcher.heard && self.runs.holder(action).is_none() {
            drop(watcher.child.kill());
        }
        watchers.leaving.push(watcher.child);
    }

    /// Asks for ends of watchers. Gives the actions whose watcher ended before anything was heard of it.
    pub(super) fn reap(&self) -> Vec<ActionId> {
        let mut watchers = self.watchers();
        let has_ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        watchers.leaving.retain_mut(|child| !has_ended(child));
        let silent = watchers.by_action.iter_mut().filter(|(_, watcher)| !watcher.heard);
        silent.filter_map(|(action, watcher)| has_ended(&mut watcher.child).then_some(*action)).collect()
    }

    pub(super) fn keep_unsettled(&self, action: ActionId) {
        self.watchers().unsettled.insert(action);
    }

    pub(super) fn take_unsettled(&self) -> BTreeSet<ActionId> {
        std::mem::take(&mut self.watchers().unsettled)
    }

    /// Whether a child may end without a sign in the folder.
    pub(super) fn has_silent_watchers(&self) -> bool {
        let watchers = self.watchers();
        !watchers.leaving.is_empty() || watchers.by_action.values().any(|watcher| !watcher.heard)
    }

    /// Where the output of a run goes; older parts of it are beside it, with `.1`, `.2` and so on behind the name.
    #[must_use]
    pub fn log(&self, launch: &Launch) -> std::path::PathBuf {
        self.options.folder.join(log_of(launch.workload, launch.attempt))
    }
}
