//! What runs in the process of a rank. Start at [`run`]; a step is in `train`.

mod checkpoint;
mod clock;
mod device;
mod loader;
mod model;
mod ring;
pub(crate) mod teller;
mod train;
pub(crate) mod work;

use std::env;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, ensure};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use serde::de::DeserializeOwned;

use self::clock::{Clock, Shown};
use self::loader::Loader;
use self::ring::Ring;
use self::teller::{SOCKET_ENV, Teller};
use self::train::Trainer;
use crate::plan::{DOOR, Plan, SAMPLES};

/// Runs a rank: hears its plan on standard input, trains, and returns when the run is over.
///
/// # Errors
/// If its plan makes no sense, if anything that it needs fails, or if it has lost another rank and leaves for that.
pub fn run() -> anyhow::Result<()> {
    // Before anything is heard: whoever could tell it has not died by then, or this ends at the first line.
    set_pdeathsig(Signal::SIGKILL)?;
    let plan: Plan = hear("its plan")?;
    // An address for each rank, so that the link to one of them can be slowed.
    let host = Ipv4Addr::new(127, 0, 0, 1 + u8::try_from(plan.rank).context("too many ranks")?);
    let door = TcpListener::bind((host, 0)).with_context(|| format!("no door can be opened at {host}"))?;
    let seed = plan.seed ^ u64::from(plan.rank) << 32;
    let loader = Loader::start(plan.folder.join(SAMPLES), plan.shape.clone(), seed)?;
    println!("{DOOR}{}", door.local_addr()?);
    io::stdout().flush()?;
    let addresses: Vec<SocketAddr> = hear("where the others are")?;
    ensure!(addresses.len() == plan.shape.ranks as usize, "{} addresses of {}", addresses.len(), plan.shape.ranks);
    let ring = match addresses.len() {
        1 => None,
        _ => Some(Ring::join(plan.rank as usize, &addresses, &door)?),
    };
    let shown = Shown::default();
    let teller = match env::var_os(SOCKET_ENV) {
        Some(socket) => Some(Teller::start(&socket, &plan.job, plan.rank, plan.shape.ranks, shown.clone())?),
        None => None,
    };
    Trainer::new(plan, loader, ring, Clock::start(shown))?.train(teller)
}

fn hear<T: DeserializeOwned>(what: &str) -> anyhow::Result<T> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    serde_json::from_str(&line).with_context(|| format!("a rank was not told {what}"))
}
