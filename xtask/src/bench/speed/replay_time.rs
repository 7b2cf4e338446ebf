//! Bar 6: Philly's list replayed under `trimtab`, from the CSV on disk to the outcome, on one thread.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use fleet::policy::Order;
use replay::setup::Setup;

use super::median_s;
use crate::bench::philly::{self, Kind};
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 6;
const TARGET_S: f64 = 2.0;
const RUNS: usize = 5;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(path) = session.data(BAR, philly::FILE) else { return Ok(()) };
    measure(session, &path, "64 nodes of 8 devices", &philly::eights(64))?;
    measure(session, &path, "552 nodes, 321 of 2 devices and 231 of 8", &philly::REAL_FLEET)
}

fn measure(session: &mut Session, path: &Path, fleet: &str, kinds: &[Kind]) -> anyhow::Result<()> {
    let times: Vec<Duration> = (0..RUNS).map(|_| once(path, kinds)).collect::<anyhow::Result<_>>()?;
    let case = format!("philly.csv to outcome, {fleet}, median of {RUNS}");
    session.add(Row::new(BAR, case, median_s(times), Target::AtMost(TARGET_S), "s"));
    Ok(())
}

fn once(path: &Path, kinds: &[Kind]) -> anyhow::Result<Duration> {
    let clock = Instant::now();
    let history = philly::read(path, kinds)?;
    let setup =
        Setup::new(&history, &philly::unknown_durations(Order::Trimtab)).context("cannot apply the scenario")?;
    let outcome = black_box(replay::run(&setup, 1));
    let time = clock.elapsed();
    anyhow::ensure!(outcome.impossible == 0, "{} workloads never started", outcome.impossible);
    Ok(time)
}
