//! Waits and slowdowns of a replay or of the record itself.

use fleet::quantity::Millis;
use serde::Serialize;

use super::Spread;
use crate::history::History;
use crate::outcome::Outcome;

/// Runs shorter than this count as this long in a slowdown, so that a second's wait of a second's job is no disaster (the
/// bounded slowdown of Feitelson and Rudolph, "Metrics and Benchmarking for Parallel Job Scheduling", 1998, with 10 minutes).
pub const SLOWDOWN_FLOOR: Millis = Millis::minutes(10);

/// Waits of all, of each queue and of each user.
#[derive(Clone, Debug, Serialize)]
pub struct Waits {
    /// Of all workloads that ran.
    pub all: Group,
    /// By queue, in order of the history's queues; those without workloads are left out.
    pub queues: Vec<Group>,
    /// By user, likewise.
    pub users: Vec<Group>,
    /// From the first moment anyone could start to the last end, in seconds.
    pub makespan_s: f64,
    /// Work done again because something was lost, in device-hours (core-hours where there are no devices).
    pub lost_hours: f64,
    /// Workloads that never ran.
    pub never_ran: u64,
}

/// Waits of some workloads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Whose.
    pub name: String,
    /// Completion − eligible − run, in seconds.
    pub wait_s: Spread,
    /// Bounded slowdown.
    pub slowdown: Spread,
}

/// (wait + run) / max(run, floor), at least 1.
#[must_use]
pub fn slowdown(wait: Millis, run: Millis) -> f64 {
    let stretched = (wait.0 + run.0) as f64 / run.0.max(SLOWDOWN_FLOOR.0) as f64;
    stretched.max(1.0)
}

/// Measures a replay.
#[must_use]
pub fn waits(history: &History, outcome: &Outcome) -> Waits {
    let mut all = Sample::default();
    let mut queues = vec![Sample::default(); history.names.queues.len()];
    let mut users = vec![Sample::default(); history.names.users.len()];
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    let mut lost: i128 = 0;
    let mut never_ran = 0;
    for (recorded, fate) in history.workloads.iter().zip(&outcome.workloads) {
        let (Some(wait), Some(end)) = (fate.wait(), fate.end()) else {
            never_ran += 1;
            continue;
        };
        first = first.min(fate.eligible.0);
        last = last.max(end.0);
        let amount = i128::from(history.meter(&recorded.workload).0);
        lost += fate.stints.iter().map(|stint| i128::from(stint.lost.0)).sum::<i128>() * amount;
        let slowdown = slowdown(wait, fate.run());
        let user = recorded.workload.user.map(|user| &mut users[user.index()]);
        for sample in [Some(&mut all), Some(&mut queues[recorded.workload.queue.index()]), user].into_iter().flatten() {
            sample.waits.push(wait.as_seconds());
            sample.slowdowns.push(slowdown);
        }
    }
    let named = |samples: Vec<Sample>, names: Vec<&str>| {
        samples.into_iter().zip(names).filter_map(|(sample, name)| sample.sum_up(name)).collect()
    };
    Waits {
        all: all.sum_up("all").unwrap_or_else(|| Group {
            name: "all".into(),
            wait_s: Spread::default(),
            slowdown: Spread::default(),
        }),
        queues: named(queues, history.names.queues.iter().collect()),
        users: named(users, history.names.users.iter().collect()),
        makespan_s: if last > first { Millis(last - first).as_seconds() } else { 0.0 },
        lost_hours: lost as f64 / 3_600_000.0 / 1_000.0,
        never_ran,
    }
}

impl Waits {
    /// The queue whose workloads wait longest on average.
    #[must_use]
    pub fn worst_queue(&self) -> Option<&Group> {
        longest(&self.queues)
    }

    /// The user whose workloads wait longest on average.
    #[must_use]
    pub fn worst_user(&self) -> Option<&Group> {
        longest(&self.users)
    }
}

fn longest(groups: &[Group]) -> Option<&Group> {
    groups.iter().max_by(|a, b| a.wait_s.mean.total_cmp(&b.wait_s.mean))
}

#[derive(Clone, Debug, Default)]
struct Sample {
    waits: Vec<f64>,
    slowdowns: Vec<f64>,
}

impl Sample {
    fn sum_up(self, name: &str) -> Option<Group> {
        Some(Group { name: name.to_owned(), wait_s: Spread::of(self.waits)?, slowdown: Spread::of(self.slowdowns)? })
    }
}
