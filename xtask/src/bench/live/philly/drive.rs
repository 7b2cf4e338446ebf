//! Hands the workloads in when they are due, and asks meanwhile why some wait.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use live_rig::{Client, Installation, Random};
use serde_json::{Value, json};

use super::slice::{Job, Slice};

/// One waits between questions.
const EVERY: Duration = Duration::from_millis(250);
/// How often those are counted who wait.
const COUNTED: Duration = Duration::from_secs(1);
/// The longest that all of it may take.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// An answer to `why` of one that waited.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) workload: u32,
    pub(super) asked_ms: i64,
    pub(super) told: Value,
}

#[derive(Debug, Default)]
pub(super) struct Lived {
    pub(super) answers: Vec<Answer>,
    pub(super) most_waiting: u64,
}

pub(super) fn live(installation: &mut Installation, slice: &Slice) -> anyhow::Result<Lived> {
    let mut client = installation.up()?;
    let nodes = client.read("nodes")?;
    ensure!(nodes[0]["has"]["devices_milli"] == json!(super::DEVICES * 1_000), "the devices are not seen: {nodes}");
    limit(installation, &slice.jobs)?;
    let mut lived = Lived::default();
    let mut random = Random::new(7);
    let mut open: Vec<u32> = Vec::new();
    let (mut handed, mut next_question, mut next_count) = (0, EVERY, COUNTED);
    let begun = Instant::now();
    loop {
        let now = begun.elapsed();
        if now > PATIENCE {
            bail!("it is not over after {PATIENCE:?}");
        }
        let due = slice.jobs[handed..].iter().take_while(|job| job.at_s <= now.as_secs_f64()).count();
        if due > 0 {
            open.extend(hand_in(&mut client, &slice.jobs[handed..handed + due])?);
            handed += due;
        }
        if now >= next_question {
            next_question = now + EVERY;
            lived.answers.extend(ask(&mut client, &mut open, &mut random)?);
        }
        if now >= next_count {
            next_count = now + COUNTED;
            let counts = client.read("workloads?limit=1")?["counts"].take();
            let count = |state: &str| counts[state].as_u64().unwrap_or(0);
            lived.most_waiting = lived.most_waiting.max(count("waiting"));
            if handed == slice.jobs.len() && ["waiting", "starting", "running"].into_iter().all(|it| count(it) == 0) {
                installation.stop()?;
                return Ok(lived);
            }
        }
        sleep(Duration::from_millis(5));
    }
}

/// Sets limits on the two queues that have most of the work, so that these are reasons to wait, too: a tenth more devices than would be
/// the share of the one, and a tenth more workloads than would fill that of the other if they were of their mean size.
fn limit(installation: &Installation, jobs: &[Job]) -> anyhow::Result<()> {
    let mut queues: BTreeMap<&str, Load> = BTreeMap::new();
    for job in jobs {
        queues.entry(&job.queue).or_default().add(job);
    }
    let all: f64 = queues.values().map(|load| load.work).sum();
    let mut queues: Vec<(&str, Load)> = queues.into_iter().collect();
    queues.sort_by(|a, b| b.1.work.total_cmp(&a.1.work));
    ensure!(queues.len() >= 2, "the slice has one queue");
    let devices = |load: &Load| 1.1 * f64::from(super::DEVICES) * load.work / all;
    for (place, (name, load)) in queues.iter().enumerate() {
        let rule = match place {
            0 => Some(("--limit", devices(load).ceil().max(f64::from(load.largest)))),
            1 => Some(("--limit-running", (devices(load) / (load.work / load.run_s)).ceil())),
            _ => None,
        };
        let mut set = installation.command(&["queues", "set", name]);
        set.args(rule.iter().flat_map(|(option, value)| [(*option).to_owned(), value.to_string()]));
        let output = set.output()?;
        ensure!(output.status.success(), "queue {name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// What a queue is given to do.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    /// Devices, each for its seconds.
    work: f64,
    run_s: f64,
    largest: u32,
}

impl Load {
    fn add(&mut self, job: &Job) {
        self.work += f64::from(job.devices) * job.run_s;
        self.run_s += job.run_s;
        self.largest = self.largest.max(job.devices);
    }
}

fn hand_in(client: &mut Client, jobs: &[Job]) -> anyhow::Result<Vec<u32>> {
    let workload = |job: &Job| {
        json!({
            "command": ["sleep", format!("{:.3}", job.run_s)],
            "directory": "/",
            "queue": job.queue,
            "request": { "cpu_milli": 10, "devices_milli": u64::from(job.devices) * 1_000 },
        })
    };
    let body = json!({ "workloads": jobs.iter().map(workload).collect::<Vec<Value>>() });
    let answer = client.post("workloads", &body)?;
    ensure!(answer.status == 201, "{}", answer.json());
    let ids = answer.json()["ids"].take();
    serde_json::from_value(ids).context("the ids are not told")
}

/// Asks about one that waits, whichever; those that do not any more are asked about no more.
fn ask(client: &mut Client, open: &mut Vec<u32>, random: &mut Random) -> anyhow::Result<Option<Answer>> {
    while !open.is_empty() {
        let place = random.below(open.len() as u64) as usize;
        let workload = open[place];
        let asked_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
        let told = client.read(&format!("workloads/{workload}/why"))?;
        if told["expected_start"].is_object() {
            return Ok(Some(Answer { workload, asked_ms, told }));
        }
        open.swap_remove(place);
    }
    Ok(None)
}

/// How the intervals fared.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) asked: usize,
    held: usize,
    pub(super) median_width: f64,
}

impl Held {
    pub(super) fn share_pct(&self) -> f64 {
        100.0 * self.held as f64 / self.asked as f64
    }
}

/// What is not known has no end; where nothing is told, nothing was promised, and that counts as not held.
pub(super) fn held(answers: &[Answer], starts: &BTreeMap<u32, i64>) -> Held {
    let mut held = Held::default();
    let mut widths = Vec::new();
    for answer in answers {
        let Some(start) = starts.get(&answer.workload) else { continue };
        let end = |name: &str| answer.told["expected_start"][name].as_i64();
        held.asked += 1;
        let Some(low) = end("low_ms") else { continue };
        held.held += usize::from(low <= *start && end("high_ms").is_none_or(|high| *start <= high));
        if let Some(high) = end("high_ms") {
            widths.push((high - low) as f64 / (start - answer.asked_ms).max(1_000) as f64);
        }
    }
    widths.sort_by(f64::total_cmp);
    held.median_width = widths.get(widths.len() / 2).copied().unwrap_or(f64::INFINITY);
    held
}
