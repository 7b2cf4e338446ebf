//! The first process of a run, leader of its process group, and what it tells before it becomes the command.

use std::io::{self, PipeReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::super::order::Order;
use super::STAGE;
use super::stage::EXECUTING;

pub(super) struct Leader {
    pub(super) pid: Pid,
    /// Until it is known whether the command was executed.
    pub(super) staging: Option<Staging>,
}

/// What it tells before it becomes the command.
pub(super) struct Staging {
    pub(super) socket: UnixStream,
    told: Vec<u8>,
}

/// What became of the execution.
pub(super) enum Executed {
    NotYet,
    Yes,
    /// Why not, for people.
    No(String),
}

/// Spawns it; its output comes out of the pipe.
pub(super) fn spawn(order: &Order, groups: &[PathBuf]) -> io::Result<(Leader, PipeReader)> {
    let (ours, theirs) = UnixStream::pair()?;
    let (output, writer) = io::pipe()?;
    let mut command = Command::new("/proc/self/exe");
    command.arg0("trimtab").args(&order.arguments).arg(STAGE).arg(std::process::id().to_string()).args(groups);
    command.stdin(std::os::fd::OwnedFd::from(theirs)).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let child = command.spawn()?;
    // It holds our copies of its ends, and we must see them close.
    drop(command);
    let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    // If it dies early there is nobody to take the command: that is seen by its end.
    drop(hand_over(&ours, order));
    ours.set_nonblocking(true)?;
    Ok((Leader { pid, staging: Some(Staging { socket: ours, told: Vec::new() }) }, output))
}

fn hand_over(mut socket: &UnixStream, order: &Order) -> io::Result<()> {
    socket.write_all(&serde_json::to_vec(&order.command)?)?;
    socket.shutdown(Shutdown::Write)
}

impl Staging {
    /// Reads what it told so far.
    pub(super) fn read(&mut self) -> Executed {
        let mut bytes = [0; 512];
        loop {
            match self.socket.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => self.told.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Executed::NotYet,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        match self.told.as_slice() {
            [EXECUTING] => Executed::Yes,
            [] => Executed::No("it died before its command was executed".into()),
            [EXECUTING, reason @ ..] | reason => Executed::No(String::from_utf8_lossy(reason).into_owned()),
        }
    }
}

impl Leader {
    /// Signals the whole process group; a group that is gone is no error.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = killpg(self.pid, signal);
    }

    /// Whether a process of the group is left, be it one that only waits to be reaped.
    pub(super) fn has_group(&self) -> bool {
        killpg(self.pid, None) != Err(Errno::ESRCH)
    }
}
