//! The step between the watcher and the command: what a process can only do to itself before it becomes another.
//!
//! It binds its life to the watcher's, enters the control groups, and executes the command in its place. Over its standard
//! input, a socket, it reads the command, and tells either [`EXECUTING`] and nothing more (the socket closes with the
//! execution), or why there was none.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::getppid;

use super::super::order;

/// Told right before the execution.
pub(super) const EXECUTING: u8 = b'+';

/// `arguments`: the watcher's pid, then the files of control groups that take a process in.
pub(super) fn enter(mut arguments: impl Iterator<Item = OsString>) -> io::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    let watcher = arguments.next().and_then(|word| word.to_str()?.parse().ok());
    // It may have died before the signal was set.
    if watcher != Some(getppid().as_raw()) {
        return Err(io::Error::other("the watcher is gone"));
    }
    // Not inherited by the command: a copy that closes when it is executed.
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let error = match execute(&mut socket, arguments) {
        Err(reason) => reason,
        Ok(never) => match never {},
    };
    socket.write_all(error.as_bytes())
}

/// Returns only if it fails.
fn execute(
    socket: &mut UnixStream,
    groups: impl Iterator<Item = OsString>,
) -> Result<std::convert::Infallible, String> {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).map_err(|error| format!("its command was not handed over: {error}"))?;
    let command: order::Command = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    for group in groups {
        let pid = std::process::id().to_string();
        fs::write(&group, pid).map_err(|error| format!("cannot enter {}: {error}", group.display()))?;
    }
    let directory = &command.directory;
    std::env::set_current_dir(directory)
        .map_err(|error| format!("cannot enter its directory {directory}: {error}; create it, or name another"))?;
    let program = &command.words[0];
    let mut executed = Command::new(program);
    executed.args(&command.words[1..]).env_clear().envs(&command.environment).stdin(Stdio::null());
    SigSet::all().thread_unblock().map_err(|error| error.to_string())?;
    socket.write_all(&[EXECUTING]).map_err(|error| error.to_string())?;
    let error = executed.exec();
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "; name its full path, or set PATH",
        io::ErrorKind::PermissionDenied => "; make it executable for this user",
        _ => "",
    };
    Err(format!("cannot execute {program}: {error}{hint}"))
}
