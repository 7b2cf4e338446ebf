//! The small process that owns a run: it starts the command, keeps its output, holds it to its time, and tells its end.
//!
//! It outlives the control plane, and must never let anything of the run outlive itself: the command dies with it (its
//! parent-death signal), and whatever the command leaves behind is killed before the end is told. It has one thread, and
//! trusts nothing but the order that it read and the folder of runs. Start at [`watch`]; [`guard`] is its loop, [`stage`] the
//! step between it and the command.

mod guard;
mod leader;
mod log;
mod remains;
mod stage;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use fleet::live::{Outcome, Told};
use fleet::time::Timestamp;
use nix::sys::signal::{SigSet, Signal};

use super::order::Order;
use super::runs::{Claim, Kind, read};

/// The argument behind the leading ones that makes the program watch a run.
pub(super) const WATCH: &str = "watch";
/// The one that makes it the step before the command.
const STAGE: &str = "stage";
/// The most bytes of an order: a command and its environment are at most one MiB, and every byte can take six in JSON.
const ORDER_MAX: u64 = 16 << 20;
/// How long, at the most, telling the end is tried again while the disk is full.
const TELL_TRIES: u32 = 3_600;

/// Runs the watcher's side. A program calls this, and ends with what it returns, when it was started with the leading arguments
/// that it gave to the runner; `arguments` are those behind them.
pub fn watch(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let done = match arguments.next().as_deref().and_then(|word| word.to_str()) {
        Some(WATCH) => own_run(),
        Some(STAGE) => stage::enter(arguments),
        _ => Err(io::Error::other("these arguments are for Trimtab itself")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trimtab: {error}");
            ExitCode::FAILURE
        }
    }
}

fn own_run() -> io::Result<()> {
    // Whoever started the control plane from a terminal takes nothing with it. An error means that this is a session already.
    let _ = nix::unistd::setsid();
    blocked_signals().thread_block()?;
    std::env::set_current_dir("/")?;
    let order = read_order()?;
    let is_ours = || read::<u64>(&order.runs.epoch()) == Some(order.epoch);
    if !is_ours() {
        return Ok(());
    }
    let asks = guard::open_asks(&order)?;
    let Some(mut claim) = order.runs.claim(order.action)? else { return Ok(()) };
    // A control plane that came in between may have found no claim, and decided that this action never starts.
    if !is_ours() {
        return tell(&order, &claim, Told::NotBegun);
    }
    claim.sign()?;
    let told = match guard::run(&order, asks) {
        Ok(told) => told,
        Err(error) => Told::StartFailed { reason: format!("its watcher failed: {error}") },
    };
    tell(&order, &claim, told)
}

/// Signals that are read where it suits: asked to stop, or a child's end. The others of the terminal mean nothing here.
fn blocked_signals() -> SigSet {
    [Signal::SIGTERM, Signal::SIGCHLD, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT].into_iter().collect()
}

fn read_order() -> io::Result<Order> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(ORDER_MAX).read_to_end(&mut bytes)?;
    // The order lies in memory for as long as it is open.
    nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Writes down how it ended, under the lock of the claim. A full disk may have room again later, and the end is worth waiting.
fn tell(order: &Order, _held: &Claim, told: Told) -> io::Result<()> {
    let outcome = Outcome { action: order.action, at: now(), told };
    let path = order.runs.file(order.action, Kind::Ended);
    for _ in 0..TELL_TRIES {
        if order.runs.write(&path, &outcome).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_secs(1));
    }
    order.runs.write(&path, &outcome)
}

pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
