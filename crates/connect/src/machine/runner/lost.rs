//! What is left of a run whose watcher was killed. The command dies with its watcher; what it started may not.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::machine::procfs::{self, Stat};
use crate::machine::runs::Holder;

/// How long they have to die once they were killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Kills every process of a run, and waits until none is left.
///
/// # Errors
/// If some do not die: inside the kernel, or another user's. They are still running then.
pub(super) fn kill_all(holder: Holder, mark: &(String, String)) -> io::Result<()> {
    let mark = format!("{}={}", mark.0, mark.1);
    let own = Pid::this().as_raw();
    let patience_ends = Instant::now() + PATIENCE;
    loop {
        let all: Vec<Stat> = procfs::all().filter(|stat| !stat.is_dead() && stat.pid != own).collect();
        let left: Vec<Stat> = all
            .iter()
            .copied()
            .filter(|stat| is_of_session(*stat, holder, &all) || procfs::has_variable(stat.pid, &mark))
            .collect();
        let Some(one) = left.first() else { return Ok(()) };
        if Instant::now() > patience_ends {
            let pid = one.pid;
            return Err(io::Error::other(format!(
                "process {pid} is left of it and does not die: end it, then try again"
            )));
        }
        for stat in &left {
            let _ = kill(Pid::from_raw(stat.pid), Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process is of the session that a watcher made. It needs no variable, which a program may have cleared; but the
/// watcher's number may have been given anew since: to another process, which lives, or to a daemon's session, whose
/// processes are in its first group, where those of a run never are.
fn is_of_session(stat: Stat, holder: Holder, all: &[Stat]) -> bool {
    stat.session == holder.pid
        && stat.group != holder.pid
        && stat.start_ticks >= holder.start_ticks
        && holder.start_ticks > 0
        && !all.iter().any(|other| other.pid == holder.pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_session_of_the_watcher_is_its_own() {
        let holder = Holder { pid: 10, start_ticks: 100 };
        let stat = |pid, group, session, start_ticks| Stat { pid, state: 'S', parent: 1, group, session, start_ticks };
        let check =
            |stat, others: &[Stat], expected| assert_eq!(is_of_session(stat, holder, others), expected, "{stat:?}");
        check(stat(12, 11, 10, 101), &[], true);
        check(stat(12, 11, 9, 101), &[], false);
        check(stat(12, 11, 10, 99), &[], false);
        check(stat(12, 10, 10, 101), &[], false);
        check(stat(12, 11, 10, 101), &[stat(10, 10, 10, 101)], false);
    }
}
