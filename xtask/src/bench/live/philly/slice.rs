//! The part of the list that is lived, and how much faster.

use std::path::Path;

use anyhow::ensure;
use fleet::time::Timestamp;

use super::DEVICES;
use crate::bench::philly;

/// So many of the list are left out before the first: what follows are four days of October 2017, of the busiest.
const SKIPPED: usize = 28_000;
const COUNT: usize = 4_000;
/// What half of them run, at the least.
const MEDIAN_S: f64 = 2.2;
/// Whoever would run longer here is left out: the last would run for hours after all others.
const LONGEST_S: f64 = 120.0;

/// A workload.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// When it is handed in, in seconds from the beginning.
    pub(super) at_s: f64,
    pub(super) run_s: f64,
    pub(super) devices: u32,
    pub(super) queue: String,
}

/// All of them, in order of time.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    pub(super) jobs: Vec<Job>,
    faster: f64,
}

impl Slice {
    pub(super) fn median_s(&self) -> f64 {
        median(&self.jobs)
    }

    pub(super) fn words(&self) -> String {
        format!("{} of Philly's jobs, {:.0} times as fast, on {DEVICES} devices", self.jobs.len(), self.faster)
    }
}

pub(super) fn choose(path: &Path) -> anyhow::Result<Slice> {
    let history = philly::read(path, &philly::eights(1))?;
    let part = history.workloads.iter().skip(SKIPPED).take(COUNT);
    let jobs: Vec<(Timestamp, Job)> = part
        .filter(|recorded| recorded.workload.tasks <= DEVICES)
        .map(|recorded| {
            let queue = history.names.queues.name(recorded.workload.queue.index()).to_owned();
            let run_s = recorded.run().0 as f64 / 1e3;
            (recorded.eligible, Job { at_s: 0.0, run_s, devices: recorded.workload.tasks, queue })
        })
        .collect();
    ensure!(jobs.len() > COUNT / 2, "the list is too short");
    let mut jobs: Vec<Job> = {
        let first = jobs[0].0;
        jobs.into_iter().map(|(at, job)| Job { at_s: at.since(first).0 as f64 / 1e3, ..job }).collect()
    };
    let longest_s = LONGEST_S * median(&jobs) / MEDIAN_S;
    jobs.retain(|job| job.run_s <= longest_s);
    let faster = median(&jobs) / MEDIAN_S;
    for job in &mut jobs {
        (job.at_s, job.run_s) = (job.at_s / faster, job.run_s / faster);
    }
    Ok(Slice { jobs, faster })
}

fn median(jobs: &[Job]) -> f64 {
    let mut runs: Vec<f64> = jobs.iter().map(|job| job.run_s).collect();
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}
