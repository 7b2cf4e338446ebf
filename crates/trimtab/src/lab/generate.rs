//! Turns habits into workloads: who hands in what, and what truly becomes of it once it runs. When it starts is not decided
//! here.

use fleet::event::EndCause;
use fleet::history::{Attempt, Used, WorkloadRecord};
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::time::Timestamp;
use fleet::workload::Spread;

use super::draw::Draw;
use super::habit::{self, Habit};

/// Monday, 1 September 2025, midnight in [`ZONE`].
pub(super) const BEGIN: Timestamp = Timestamp(1_756_677_600_000);
/// The days in which work is handed in.
pub(super) const DAYS: i64 = 30;
/// The laboratory's zone; in all of that month it is two hours before UTC.
pub(super) const ZONE: &str = "Europe/Berlin";

/// The month's workloads in order of submission, each with the run it will have and no start.
pub(super) fn workloads(seed: u64) -> Vec<WorkloadRecord> {
    let mut all = Vec::new();
    for (number, habit) in habit::ALL.iter().enumerate() {
        let mut draw = Draw::fork(seed, number as u64);
        for minute in 0..DAYS * 24 * 60 {
            if draw.happens(arrivals_per_million(habit, minute)) {
                let at = BEGIN + Millis::minutes(minute) + Millis(draw.between(0, 59_999));
                submit(habit, seed, at, minute, &mut draw, &mut all);
            }
        }
    }
    all.sort_by_key(|workload| workload.submit);
    for (index, workload) in all.iter_mut().enumerate() {
        workload.id = format!("{}", 10_001 + index);
    }
    all
}

/// How likely somebody hands in work of a kind in a minute.
fn arrivals_per_million(habit: &Habit, minute: i64) -> u64 {
    const MINUTES_PER_WEEK: u64 = 7 * 24 * 60;
    let (day, hour) = (minute / (24 * 60), minute / 60 % 24);
    let weekend = day % 7 >= 5;
    habit.per_week * 1_000_000 * habit.rhythm.weight(hour as u32, weekend) / (MINUTES_PER_WEEK * 100)
}

/// One hand-in: a workload, or a sweep of like ones a second apart.
fn submit(habit: &Habit, seed: u64, at: Timestamp, minute: i64, draw: &mut Draw, all: &mut Vec<WorkloadRecord>) {
    let user = draw.pick(habit.users);
    let name = draw.pick(habit.names);
    let week = minute / (7 * 24 * 60);
    let usual = usual_minutes(habit, seed, user, name, week);
    let count = draw.between(habit.at_once.0, habit.at_once.1);
    let array = (count > 1).then(|| format!("{}-{}", habit.queue, at.since(BEGIN).0 / 1_000));
    let size = Size::draw(habit, draw);
    let limit = Millis::hours(draw.weighted(habit.limit_hours));
    for place in 0..count {
        let work = Millis(usual * 60 * draw.quantile(habit.noise)).max(Millis::seconds(20));
        let (run, cause) = end(habit, work, limit, draw);
        all.push(WorkloadRecord {
            queue: habit.queue.to_owned(),
            user: Some(user.to_owned()),
            name: Some(format!("{name}-{}", week + 1)),
            account: Some(habit.queue.to_owned()),
            array: array.clone(),
            submit: at + Millis::seconds(place),
            tasks: size.tasks,
            request: size.request(),
            spread: Spread::Packed,
            time_limit_ms: Some(limit),
            checkpoint_every_ms: habit.checkpoint_minutes.map(Millis::minutes),
            attempts: vec![Attempt { start: None, run: Some(run), cause, nodes: Vec::new(), ..Attempt::default() }],
            used: size.used(habit, run, draw),
            ..WorkloadRecord::default()
        });
    }
}

/// How long the runs of a project usually take: drawn once for each user, name and week.
fn usual_minutes(habit: &Habit, seed: u64, user: &str, name: &str, week: i64) -> i64 {
    // FNV-1a (Fowler, Noll, Vo): the names as a number, the same on every machine.
    let text = [habit.queue, "/", user, "/", name].concat();
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Draw::fork(seed, hash.wrapping_add(week as u64)).quantile(habit.minutes)
}

/// How long a run lasts and how it ends.
fn end(habit: &Habit, work: Millis, limit: Millis, draw: &mut Draw) -> (Millis, EndCause) {
    let ends = habit.ends;
    let lot = draw.between(0, 999) as u64;
    let (run, cause) = if lot < ends.failed {
        (Millis(work.0 * draw.quantile(habit::FAILS_AT) / 1_000), EndCause::Failed)
    } else if lot < ends.failed + ends.out_of_memory {
        (Millis(work.0 * draw.between(10, 300) / 1_000), EndCause::OutOfMemory)
    } else if lot < ends.failed + ends.out_of_memory + ends.cancelled {
        (Millis(work.0 * draw.between(200, 1_000) / 1_000), EndCause::Cancelled)
    } else {
        (work, EndCause::Completed)
    };
    let run = run.max(Millis::seconds(5));
    // Whole seconds, as job logs have them.
    let run = Millis(run.0 / 1_000 * 1_000);
    if run > limit { (limit, EndCause::TimedOut) } else { (run, cause) }
}

/// What a workload asks for: whole nodes of eight as a task each with eight devices, anything smaller as one task.
#[derive(Clone, Copy)]
struct Size {
    tasks: u32,
    devices: u32,
    cores: u64,
    memory_gib: u64,
}

impl Size {
    fn draw(habit: &Habit, draw: &mut Draw) -> Self {
        let devices = draw.weighted(habit.devices);
        let tasks = (devices / 8).max(1);
        Self {
            tasks,
            devices: devices / tasks,
            cores: draw.weighted(habit.cores_per_device),
            memory_gib: draw.weighted(habit.memory_gib_per_device),
        }
    }

    fn request(self) -> Resources {
        let devices = u64::from(self.devices);
        Resources {
            cpu: MilliCpu::whole(self.cores * devices),
            memory: Bytes::gibi(self.memory_gib * devices),
            devices: MilliDevice::whole(devices),
        }
    }

    fn used(self, habit: &Habit, run: Millis, draw: &mut Draw) -> Used {
        let devices = i64::from(self.devices) * i64::from(self.tasks);
        let share = |amount: i64, range: (i64, i64), draw: &mut Draw| amount / 1_000 * draw.between(range.0, range.1);
        let cores = self.cores as i64 * devices;
        let memory = Bytes::gibi(self.memory_gib).times(self.devices).times(self.tasks);
        Used {
            cpu_ms: Some(Millis(share(run.0 * cores, habit.cores_used, draw))),
            memory_peak_bytes: Some(Bytes(share(memory.0 as i64, habit.memory_used, draw) as u64)),
            device_busy_ms: Some(Millis(share(run.0 * devices, habit.device_busy, draw))),
        }
    }
}
