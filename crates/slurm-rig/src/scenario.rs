//! What the rig's jobs do: two lists of work that tests and benchmarks share.
//!
//! [`contention`] is for comparing schedulers: more sleeping jobs than fit, nothing that a replay could not know.
//! [`every_end`] is for importers: each way a job can wait and end, beside enough ordinary jobs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::daemon::wait_for;
use crate::job::{After, Job, Work};

/// Users that every Debian machine and every cluster of ours has.
const USERS: [&str; 3] = ["games", "news", "mail"];

/// A job and when it is submitted, counted from the beginning.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When.
    pub after: Duration,
    /// What.
    pub job: Job,
}

/// So many sleeping jobs of 1, 2, 4, 8, 16 and 32 GPUs, arriving faster than 32 GPUs can take them, with time limits far
/// above their sleeps. 220 of them take about five minutes. The same seed gives the same jobs.
///
/// Who may go ahead hangs on fractions of a second here, and one who does can hold up others for the whole of its limit: Slurm
/// itself does otherwise the next time.
#[must_use]
pub fn contention(jobs: u32, seed: u64) -> Vec<Arrival> {
    sleepers(
        jobs,
        seed,
        &Pace { gap_max_ms: 2_000, seconds: [2, 3, 4, 5, 6, 7, 9, 12, 18], limits: [1, 1, 2, 3, 5, 10] },
    )
}

/// The same sizes, sleeping half as long again, arriving faster, and all with a limit of ten minutes, as where nobody asks for less
/// than the default: fractions of a second decide little, so that two runs are much alike. 300 of them take about twelve minutes.
#[must_use]
pub fn rush(jobs: u32, seed: u64) -> Vec<Arrival> {
    sleepers(jobs, seed, &Pace { gap_max_ms: 1_500, seconds: [3, 4, 6, 7, 9, 10, 13, 18, 27], limits: [10; 6] })
}

/// How fast jobs come, how long they sleep, and what limits they ask for, in minutes.
struct Pace {
    gap_max_ms: u32,
    seconds: [u32; 9],
    limits: [u32; 6],
}

fn sleepers(jobs: u32, seed: u64, pace: &Pace) -> Vec<Arrival> {
    let mut dice = Dice(seed | 1);
    let mut at_ms = 0;
    let mut arrivals = Vec::new();
    for number in 0..jobs {
        // In hundredths: many small jobs, few that take the whole cluster.
        let gpus = match dice.below(100) {
            0..30 => 1,
            30..50 => 2,
            50..70 => 4,
            70..88 => 8,
            88..97 => 16,
            _ => 32,
        };
        let seconds = pace.seconds[dice.below(9) as usize];
        let limit_minutes = pace.limits[dice.below(6) as usize];
        let mut job = Job::sleeping(&format!("sleep-{number}"), gpus, seconds, limit_minutes);
        job.user = Some(USERS[dice.below(3) as usize]);
        arrivals.push(Arrival { after: Duration::from_millis(at_ms), job });
        at_ms += u64::from(dice.below(pace.gap_max_ms));
    }
    arrivals
}

/// Submits each job at its time and waits until all have ended. Tells the jobs' ids, in the order of the arrivals.
///
/// # Errors
/// What Slurm refuses, and jobs that do not end within `at_most`.
pub fn live(cluster: &Cluster, arrivals: &[Arrival], at_most: Duration) -> Result<Vec<u64>> {
    let begin = Instant::now();
    let mut ids = Vec::new();
    for arrival in arrivals {
        std::thread::sleep(arrival.after.saturating_sub(begin.elapsed()));
        ids.push(cluster.submit(&arrival.job)?);
    }
    cluster.wait_until_idle(at_most.saturating_sub(begin.elapsed()))?;
    Ok(ids)
}

/// What was made to happen, to compare with what an importer reads.
#[derive(Clone, Debug, Default)]
pub struct Happened {
    /// Jobs that ended well, arrays' tasks counted one by one; the requeued job's second run among them.
    pub completed: u64,
    /// Jobs that ended with an error.
    pub failed: u64,
    /// Jobs cancelled while they ran.
    pub cancelled_running: u64,
    /// Jobs cancelled before they started.
    pub cancelled_waiting: u64,
    /// Jobs and tasks cancelled before they could have started (held, or waiting for another). When asked for a span of
    /// time, `sacct` does not tell of jobs that were never eligible.
    pub never_eligible: u64,
    /// Jobs that ran into their time limit.
    pub timed_out: u64,
    /// Jobs that took more memory than they had asked for.
    pub out_of_memory: u64,
    /// The job that was put back once and then ended well.
    pub requeued: u64,
    /// A job, and the one that waited for its end.
    pub dependency: (u64, u64),
    /// The array, of six tasks that ended well, two at a time.
    pub array: u64,
    /// The job that was held and let go.
    pub held: u64,
    /// The job that ran in a reservation.
    pub reserved: u64,
    /// The job that computed rather than slept, for so many seconds.
    pub burned: (u64, u32),
    /// The node that was drained and resumed.
    pub drained: &'static str,
    /// The queue-wide limits set: the quality of service `short` may use so many GPUs, and each of its users so many.
    pub short_limits: (u64, u64),
}

impl Happened {
    /// How many jobs there were in all.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        self.completed
            + self.failed
            + self.cancelled_running
            + self.cancelled_waiting
            + self.timed_out
            + self.out_of_memory
    }
}

/// Makes about two hundred jobs wait and end in every way there is. Takes about three minutes, most of them waiting for
/// the shortest time limit that Slurm can set (a minute) and for its look at limits (every half minute).
///
/// # Errors
/// What Slurm refuses, and jobs that do not end in time.
pub fn every_end(cluster: &Cluster) -> Result<Happened> {
    let mut happened = Happened { drained: "n3", short_limits: (12, 4), ..Happened::default() };
    cluster.run("sacctmgr", ["-i", "add", "qos", "short"])?;
    cluster.run(
        "sacctmgr",
        [
            "-i",
            "modify",
            "qos",
            "short",
            "set",
            "GrpTRES=gres/gpu=12",
            "MaxTRESPU=gres/gpu=4",
            "MaxJobsPU=3",
            "MaxWall=10",
        ],
    )?;
    for user in USERS {
        cluster.run("sacctmgr", ["-i", "modify", "user", user, "set", "qos+=short"])?;
    }

    let late = start_odd_jobs(cluster, &mut happened)?;
    cluster.run("scontrol", ["update", "nodename=n3", "state=drain", "reason=fan"])?;
    for arrival in contention(150, 7) {
        // All at once: here the queue matters and not the order of arrival.
        let mut job = arrival.job;
        if let Work::Sleep { seconds } = &mut job.work {
            *seconds = (*seconds).min(6);
        }
        if job.gpus > 16 {
            job.gpus = 16;
        }
        if happened.completed % 10 == 3 && job.gpus <= 4 {
            job.qos = Some("short");
        }
        cluster.submit(&job)?;
        happened.completed += 1;
    }
    for id in late.to_cancel_running {
        wait_for("a job to run", Duration::from_secs(60), || state(cluster, id).map(|state| state == "RUNNING"))?;
        cluster.run("scancel", [id.to_string()])?;
        happened.cancelled_running += 1;
    }
    let requeued = happened.requeued;
    wait_for("a job to run", Duration::from_secs(60), || state(cluster, requeued).map(|state| state == "RUNNING"))?;
    // What accounting has not yet heard of when it is put back is not told as a run of its own; and it counts in seconds.
    cluster.wait_until_accounted(requeued, "RUNNING")?;
    std::thread::sleep(Duration::from_secs(2));
    cluster.run("scontrol", ["requeue", &requeued.to_string()])?;
    for id in late.to_cancel_waiting {
        cluster.run("scancel", [id])?;
    }
    // Long enough for the accounting, which counts in seconds, to see it.
    std::thread::sleep(Duration::from_secs(5));
    cluster.run("scontrol", ["update", "nodename=n3", "state=resume"])?;
    cluster.run("scontrol", ["release", &happened.held.to_string()])?;
    cluster.wait_until_idle(Duration::from_secs(400))?;
    Ok(happened)
}

struct Late {
    to_cancel_running: Vec<u64>,
    to_cancel_waiting: Vec<String>,
}

fn start_odd_jobs(cluster: &Cluster, happened: &mut Happened) -> Result<Late> {
    let user = Some("games");
    let sleeping = |name: &str, gpus, seconds, limit| Job { user, ..Job::sleeping(name, gpus, seconds, limit) };
    let submit = |job: Job| cluster.submit(&job).with_context(|| format!("failed to submit `{}`", job.name));

    // Before any job: Slurm reserves no node on which others run.
    cluster.run(
        "scontrol",
        ["create", "reservation", "reservationname=lesson", "starttime=now", "duration=2", "nodes=n4", "users=games"],
    )?;

    for number in 0..6 {
        submit(sleeping(&format!("too-long-{number}"), 1, 600, 1))?;
        happened.timed_out += 1;
    }
    let to_cancel_running = (0..6).map(|_| submit(sleeping("unwanted", 1, 600, 20))).collect::<Result<_>>()?;
    happened.requeued = submit(sleeping("put-back", 2, 12, 5))?;
    happened.completed += 1;
    for number in 0..12 {
        submit(Job { work: Work::Fail { seconds: 1 + number % 3 }, ..sleeping("broken", 1 + number % 2, 0, 2) })?;
        happened.failed += 1;
    }
    if cluster.holds_jobs_to_their_memory() {
        for _ in 0..8 {
            submit(Job { work: Work::Swell, memory_mib: 60, ..sleeping("swollen", 1, 0, 2) })?;
            happened.out_of_memory += 1;
        }
    }
    let first = submit(sleeping("first", 1, 8, 2))?;
    let second = submit(Job { after: Some(After::Ok(first)), ..sleeping("second", 1, 2, 2) })?;
    happened.dependency = (first, second);
    happened.array = submit(Job { array: Some("0-5%2"), ..sleeping("array", 1, 3, 2) })?;
    let seconds = 6;
    let burning = Job { work: Work::Burn { seconds }, memory_mib: 400, ..sleeping("burning", 1, 0, 2) };
    happened.burned = (submit(burning)?, seconds);
    happened.held = submit(Job { held: true, ..sleeping("held", 1, 2, 2) })?;
    happened.completed += 2 + 6 + 1 + 1;

    happened.reserved = submit(Job { reservation: Some("lesson"), ..sleeping("lesson", 8, 4, 2) })?;
    happened.completed += 1;

    // More nodes than stay free: they wait until they are given up.
    let mut to_cancel_waiting = Vec::new();
    let mut last = 0;
    for _ in 0..6 {
        last = submit(sleeping("given-up", 32, 5, 60))?;
        to_cancel_waiting.push(last.to_string());
        happened.cancelled_waiting += 1;
    }
    let job = sleeping("never-let-go", 2, 5, 2);
    let held = submit(Job { held: true, ..job.clone() })?;
    let array = submit(Job { array: Some("1-4"), after: Some(After::Any(last)), ..job })?;
    to_cancel_waiting.insert(0, held.to_string());
    to_cancel_waiting.insert(0, array.to_string());
    happened.never_eligible += 1 + 4;
    Ok(Late { to_cancel_running, to_cancel_waiting })
}

fn state(cluster: &Cluster, id: u64) -> Result<String> {
    let said = cluster.run("squeue", ["--noheader", "--format=%T", "--jobs", &id.to_string()])?;
    Ok(String::from_utf8_lossy(&said).trim().to_owned())
}

/// A small generator of numbers (xorshift64*, Vigna 2016): jobs must be the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        ((number * u64::from(sides)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contention_asks_for_more_than_the_cluster_has() {
        let arrivals = contention(220, 1);
        let span_s = arrivals.last().expect("jobs").after.as_secs();
        let asked: u64 = arrivals
            .iter()
            .map(|arrival| match arrival.job.work {
                Work::Sleep { seconds } => u64::from(arrival.job.gpus * seconds),
                _ => 0,
            })
            .sum();
        assert!((150..320).contains(&span_s), "{span_s} s");
        assert!(asked > 32 * span_s, "{asked} GPU-seconds in {span_s} s");
        assert!(arrivals.iter().all(|arrival| !matches!(arrival.job.work, Work::Sleep { seconds } if
            seconds >= arrival.job.limit_minutes * 60)));
    }
}
