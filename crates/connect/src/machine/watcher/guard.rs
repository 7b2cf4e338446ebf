//! The watcher's loop over one run: output, ends of processes, requests to stop, and time.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use fleet::live::{Exit, Outcome, Told};
use fleet::quantity::Millis;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::Signal;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::Mode;
use nix::sys::wait::WaitStatus;

use super::super::cgroup::RunGroups;
use super::super::order::Order;
use super::super::runs::Kind;
use super::leader::{self, Executed, Leader};
use super::log::Log;
use super::remains::{Reaped, kill_descendants, reap};
use super::{blocked_signals, now};
use crate::machine::usage;

/// How much output is read before anything else is looked at again.
const CHUNKS_MAX: usize = 16;

/// The named pipe through which it is asked to stop. It is there before the action is claimed, so that no request is lost, and
/// it needs nobody to guess whether a pid is still the watcher's.
pub(super) fn open_asks(order: &Order) -> io::Result<File> {
    let path = order.runs.ask(order.action);
    match nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR) {
        Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
        Err(error) => return Err(error.into()),
    }
    // For writing too: so it never reads as closed.
    OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)
}

/// Starts the command and stays with it until nothing of it is left.
pub(super) fn run(order: &Order, asks: File) -> io::Result<Told> {
    let signals = SignalFd::with_flags(&blocked_signals(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    set_child_subreaper(true)?;
    let name = order.runs.group_name(order.action);
    let groups = RunGroups::named(&order.groups, &name).create(order.request)?;
    let (leader, output) = leader::spawn(order, &groups.entrances())?;
    fcntl(&output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let begun = Instant::now();
    let time_limit = order.time_limit.map(|limit| begun + duration(limit));
    let log = Log::open(order.log.clone());
    let output = Some(output);
    let mut guard = Guard { order, leader, output, log, begun, time_limit, stopping: None, ended: None, failed: None };
    // If waiting itself fails, nobody can watch the run any more: it is killed, and lost.
    while !guard.is_over() && guard.wait(&signals, &asks).is_ok() {
        guard.keep_time(Instant::now());
    }
    let ran = begun.elapsed();
    kill_descendants();
    guard.pump(usize::MAX);
    let told = guard.told(ran, &groups);
    groups.remove();
    Ok(told)
}

struct Guard<'a> {
    order: &'a Order,
    leader: Leader,
    output: Option<PipeReader>,
    log: Log,
    begun: Instant,
    time_limit: Option<Instant>,
    stopping: Option<Stopping>,
    /// How the leader ended.
    ended: Option<WaitStatus>,
    /// Why the command was not executed.
    failed: Option<String>,
}

#[derive(Clone, Copy)]
struct Stopping {
    exit: Exit,
    kill_at: Instant,
    killed: bool,
}

impl Guard<'_> {
    /// Whether there is nothing to wait for. A run that was asked to stop has its grace even when its leader is gone: where a
    /// shell leads, it dies at once, while the training it started still writes its checkpoint.
    fn is_over(&self) -> bool {
        let grace_left = self.stopping.is_some_and(|stopping| !stopping.killed) && self.failed.is_none();
        self.leader.staging.is_none() && self.ended.is_some() && !(grace_left && self.leader.has_group())
    }

    /// Waits for something, and takes it in.
    fn wait(&mut self, signals: &SignalFd, asks: &File) -> io::Result<()> {
        let (signalled, asked, staged, printed) = {
            let staging = self.leader.staging.as_ref().map(|staging| staging.socket.as_fd());
            let output = self.output.as_ref().map(AsFd::as_fd);
            // A place that has nothing to say is filled with one that is looked at anyway.
            let signals = signals.as_fd();
            let fds = [signals, asks.as_fd(), staging.unwrap_or(signals), output.unwrap_or(signals)];
            let mut fds = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            match poll(&mut fds, self.timeout()) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [signalled, asked, staged, printed] = fds.map(|fd| fd.any().unwrap_or(true));
            (signalled, asked, staged, printed)
        };
        if staged {
            self.hear_stage()?;
        }
        if printed {
            self.pump(CHUNKS_MAX);
        }
        if signalled {
            self.hear_signals(signals)?;
        }
        if asked && matches!((&*asks).read(&mut [0; 16]), Ok(1..)) {
            self.stop(Exit::Stopped);
        }
        Ok(())
    }

    fn timeout(&self) -> PollTimeout {
        let next = match self.stopping {
            None => self.time_limit,
            Some(Stopping { killed: false, kill_at, .. }) => Some(kill_at),
            Some(_) => None,
        };
        let Some(next) = next else { return PollTimeout::NONE };
        // Rounded up: woken a little early it would turn around here until the moment has come.
        let left_ms = next.saturating_duration_since(Instant::now()).as_millis() + 1;
        PollTimeout::try_from(left_ms).unwrap_or(PollTimeout::MAX)
    }

    fn hear_stage(&mut self) -> io::Result<()> {
        let Some(staging) = &mut self.leader.staging else { return Ok(()) };
        match staging.read() {
            Executed::NotYet => return Ok(()),
            Executed::Yes => {
                let since = now() - millis(self.begun.elapsed());
                let outcome = Outcome { action: self.order.action, at: since, told: Told::Started };
                let path = self.order.runs.file(self.order.action, Kind::Started);
                // The end tells of a start that was not heard of: a full disk must not end the run.
                drop(self.order.runs.write(&path, &outcome));
            }
            Executed::No(reason) => self.failed = Some(reason),
        }
        self.leader.staging = None;
        Ok(())
    }

    fn hear_signals(&mut self, signals: &SignalFd) -> io::Result<()> {
        let mut asked = false;
        while let Some(signal) = signals.read_signal()? {
            asked |= signal.ssi_signo == Signal::SIGTERM as u32;
        }
        while let Reaped::Ended(status) = reap() {
            if status.pid() == Some(self.leader.pid) {
                self.ended = Some(status);
            }
        }
        // By whoever shuts this machine down.
        if asked {
            self.stop(Exit::Stopped);
        }
        Ok(())
    }

    /// Begins to stop it; the first reason counts, and the first grace.
    fn stop(&mut self, exit: Exit) {
        if self.stopping.is_some() || self.ended.is_some() {
            return;
        }
        let kill_at = Instant::now() + duration(self.order.grace);
        self.stopping = Some(Stopping { exit, kill_at, killed: false });
        self.leader.signal(Signal::SIGTERM);
        // One that was stopped takes the signal only when it goes on.
        self.leader.signal(Signal::SIGCONT);
    }

    fn keep_time(&mut self, now: Instant) {
        if self.stopping.is_none() && self.time_limit.is_some_and(|limit| limit <= now) {
            self.stop(Exit::TimeLimit);
        }
        if let Some(stopping) = self.stopping.as_mut().filter(|stopping| !stopping.killed && stopping.kill_at <= now) {
            stopping.killed = true;
            // Once the leader was reaped its number may be another's; what is left of the group dies as descendants do.
            if self.ended.is_none() {
                self.leader.signal(Signal::SIGKILL);
            }
        }
    }

    /// Takes output in, at most so many chunks.
    fn pump(&mut self, chunks_max: usize) {
        let mut chunk = [0; 64 << 10];
        for _ in 0..chunks_max {
            let Some(output) = &mut self.output else { return };
            match output.read(&mut chunk) {
                Ok(count @ 1..) => self.log.write(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Ok(0) | Err(_) => self.output = None,
            }
        }
    }

    fn told(self, ran: Duration, groups: &RunGroups) -> Told {
        // One that was stopped before its command was executed did not fail.
        if let (Some(reason), None) = (self.failed, self.stopping) {
            return Told::StartFailed { reason };
        }
        let exit = match (self.stopping, self.ended) {
            (Some(stopping), _) => stopping.exit,
            (None, Some(WaitStatus::Exited(_, code))) => Exit::Code(code),
            (None, Some(WaitStatus::Signaled(_, signal, _))) => Exit::Signal(signal as i32),
            (None, _) => Exit::Lost,
        };
        let is_out_of_memory = matches!(exit, Exit::Code(1..) | Exit::Signal(_)) && groups.was_out_of_memory();
        let exit = if is_out_of_memory { Exit::OutOfMemory } else { exit };
        let mut used = usage::of_children();
        groups.refine(&mut used);
        Told::Ended { ran: millis(ran), exit, used }
    }
}

fn duration(length: Millis) -> Duration {
    Duration::from_millis(u64::try_from(length.0).unwrap_or(0))
}

fn millis(length: Duration) -> Millis {
    Millis(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
}
