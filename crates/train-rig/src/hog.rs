//! A neighbour that wants one core for itself, for ever: what a rank meets on a node that is shared.

use std::hint::spin_loop;
use std::io;

use anyhow::{Context, ensure};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// Takes a core, once it hears a line on standard input; does not return.
///
/// # Errors
/// If there is no such core, or if whoever started it has gone before it began.
pub fn run(core: &str) -> anyhow::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    let core: usize = core.parse().with_context(|| format!("{core:?} is no number of a core"))?;
    let mut cores = CpuSet::new();
    cores.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &cores).with_context(|| format!("core {core} cannot be had"))?;
    let mut line = String::new();
    ensure!(io::stdin().read_line(&mut line)? > 0, "whoever started this has gone");
    loop {
        spin_loop();
    }
}
