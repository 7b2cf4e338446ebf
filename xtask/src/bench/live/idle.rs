//! Bar 4: what `trimtab up` itself takes while nothing is asked of it.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context;

use super::installation;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 4;
/// What it does meanwhile.
const STATE: &str = "idle, sampled once a second, dashboard closed";
/// Until what a start takes is over.
const SETTLE: Duration = Duration::from_secs(5);
const LENGTH: Duration = Duration::from_secs(60);
/// Ticks of a second in `/proc/PID/stat`: fixed by Linux's interface (`USER_HZ`, proc_pid_stat(5)).
const TICKS: f64 = 100.0;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let mut installation = installation()?;
    installation.up()?;
    let pid = installation.pid().context("it runs")?;
    sleep(SETTLE);
    let before = ticks(pid)?;
    sleep(LENGTH);
    let spent = (ticks(pid)? - before) as f64 / TICKS;
    let rss_mb = resident_bytes(pid)? as f64 / 1e6;
    installation.stop()?;
    let share = 100.0 * spent / LENGTH.as_secs_f64();
    session.add(Row::new(BAR, format!("resident, {STATE}"), rss_mb, Target::AtMost(40.0), "MB"));
    session.add(Row::new(BAR, format!("of a core over a minute, {STATE}"), share, Target::AtMost(0.5), "%"));
    Ok(())
}

/// Ticks that a process ran: in itself and in the kernel, all threads.
fn ticks(pid: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Its name, in parentheses, may hold anything.
    let fields = text.rsplit_once(')').context("a line of stat has a name")?.1;
    let field = |number: usize| fields.split_whitespace().nth(number - 3).and_then(|field| field.parse::<u64>().ok());
    field(14).zip(field(15)).map(|(user, system)| user + system).context("a line of stat has its times")
}

fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a status tells what is resident")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib << 10)
}
