//! A storm: `trimtab up` is killed at random moments while workloads are handed in, end, are cancelled and preempted, and nodes are drained.
//!
//! The workloads are real processes, and write down themselves that they start and end (`record`). What was acknowledged is
//! remembered here (`load`); at the end the two and the list of the server are held against each other (`judge`). The seed decides
//! what is sent and when it is killed; what happens in between the machine decides.

mod judge;
mod load;
mod record;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use crate::client::Client;
use crate::installation::Installation;
use crate::leftover;
use crate::random::Random;
use load::{Load, Sent};

/// What kind of storm.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often it is killed.
    pub kills: u32,
    /// The seed.
    pub seed: u64,
}

/// The latest moment of a kill, from the start of `up` or from its first answer.
const MOMENT_MAX_MS: u64 = 300;
/// Threads that hand in and cancel.
const LOADS: u64 = 2;
/// How long everything may take to end once nothing more is handed in or killed.
const CALM_MAX: Duration = Duration::from_secs(120);
/// How long a watcher whose run is over may take to end.
const LEAVING_MAX: Duration = Duration::from_secs(5);

/// What a storm did, and what was found after it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How often it was killed.
    pub kills: u32,
    /// How many workloads were handed in and acknowledged.
    pub acknowledged: usize,
    /// How many cancels, preemptions, drains and returns were acknowledged.
    pub changes: usize,
    /// How many starts the workloads wrote down.
    pub starts: usize,
    /// Acknowledged, and not there.
    pub absent: Vec<String>,
    /// There, and never came to the end that was theirs.
    pub lost: Vec<String>,
    /// Started twice: by one action, or while it ran, or without cause.
    pub twice: Vec<String>,
    /// Still running when everything was over.
    pub unowned: Vec<String>,
}

impl Report {
    /// Everything that is wrong, in sentences.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        [&self.absent, &self.lost, &self.twice, &self.unowned].into_iter().flatten().cloned().collect()
    }
}

/// Lets a storm pass over a new installation, which is stopped when this returns.
///
/// # Errors
/// If the storm itself could not be: `up` ended by itself, or does not answer.
pub fn run(installation: &mut Installation, plan: Plan) -> anyhow::Result<Report> {
    let mut random = Random::new(plan.seed);
    let node = installation.up().and_then(|mut client| node(&mut client))?;
    let calm = AtomicBool::new(false);
    let sent = thread::scope(|threads| {
        let loads: Vec<_> = (0..LOADS)
            .map(|number| {
                let load = Load::new(installation, &node, number, random.any());
                let calm = &calm;
                threads.spawn(move || load.run(calm))
            })
            .collect();
        let killed = (0..plan.kills).try_for_each(|_| kill_once(installation, &mut random));
        calm.store(true, Ordering::Release);
        let all = loads.into_iter().map(|load| load.join().expect("a load does not panic"));
        let sent = all.fold(Sent::default(), Sent::and);
        killed.map(|()| sent)
    })?;
    let mut client = installation.wait_ready()?;
    let workloads = calm_down(&mut client, &node)?;
    let records = record::read(installation.beside())?;
    let mut report = judge::judge(&sent, &workloads, &records);
    report.kills = plan.kills;
    report.unowned = unowned(installation);
    installation.stop()?;
    report.unowned.extend(unowned(installation));
    Ok(report)
}

/// Kills it and starts it again: half of the times as soon as it might be starting, half of the times when it surely works.
fn kill_once(installation: &mut Installation, random: &mut Random) -> anyhow::Result<()> {
    if random.below(2) == 0 {
        installation.wait_ready()?;
    }
    thread::sleep(Duration::from_millis(random.below(MOMENT_MAX_MS)));
    installation.kill()?;
    installation.start()
}

fn node(client: &mut Client) -> anyhow::Result<String> {
    let nodes = client.read("nodes")?;
    Ok(nodes[0]["name"].as_str().context("there is no node")?.to_owned())
}

/// Ends what never ends, returns the node, and waits until everything is over. Gives all workloads there are.
fn calm_down(client: &mut Client, node: &str) -> anyhow::Result<Vec<Value>> {
    client.post(&format!("nodes/{node}/resume"), &json!({}))?;
    for workload in all(client)?.iter().filter(|workload| workload["finished_ms"].is_null()) {
        if workload["name"].as_str().is_some_and(load::never_ends) {
            client.post(&format!("workloads/{}/cancel", workload["id"]), &json!({}))?;
        }
    }
    let until = Instant::now() + CALM_MAX;
    loop {
        let workloads = all(client)?;
        let over = workloads.iter().all(|workload| !workload["finished_ms"].is_null());
        if over || Instant::now() > until {
            return Ok(workloads);
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn all(client: &mut Client) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut before = String::new();
    loop {
        let page = client.read(&format!("workloads?limit=500{before}"))?;
        all.extend(page["workloads"].as_array().cloned().unwrap_or_default());
        match page["next"].as_u64() {
            None => return Ok(all),
            Some(next) => before = format!("&before={next}"),
        }
    }
}

/// Processes that are there although everything is over, but for `up` itself.
fn unowned(installation: &Installation) -> Vec<String> {
    let until = Instant::now() + LEAVING_MAX;
    loop {
        let own = installation.pid();
        let left = leftover::processes(installation.beside());
        let left: Vec<i32> = left.into_iter().filter(|pid| u32::try_from(*pid).ok() != own).collect();
        if left.is_empty() || Instant::now() > until {
            return left.into_iter().map(leftover::words).collect();
        }
        thread::sleep(Duration::from_millis(20));
    }
}
