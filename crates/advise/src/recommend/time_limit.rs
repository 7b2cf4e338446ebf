//! Time limits far above what runs: backfill cannot use gaps that it believes too short.

use std::collections::BTreeMap;

use fleet::policy::Order;
use replay::scenario::{Change, Limit, Who};

use super::Candidate;
use crate::ground::Ground;

/// Fewer workloads than this say nothing about a queue's or a user's habit.
const ENOUGH: usize = 30;
/// So many queues and users, those who over-ask most, are looked at one by one.
const MOST: usize = 3;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    if ground.setup.policy.order != Order::Backfill {
        return Vec::new();
    }
    let mut all = Habit::default();
    let mut queues: BTreeMap<usize, Habit> = BTreeMap::new();
    let mut users: BTreeMap<usize, Habit> = BTreeMap::new();
    for (index, recorded) in ground.history.workloads.iter().enumerate() {
        let (Some(limit), run) = (ground.setup.limit(index), recorded.run().0) else { continue };
        if limit.0 <= 0 || recorded.attempts.is_empty() {
            continue;
        }
        let use_permille = (run.saturating_mul(1_000) / limit.0).clamp(0, 1_000) as u32;
        let unused = i128::from(ground.history.meter(&recorded.workload).0) * i128::from((limit.0 - run).max(0));
        all.add(use_permille, unused);
        queues.entry(recorded.workload.queue.index()).or_default().add(use_permille, unused);
        if let Some(user) = recorded.workload.user {
            users.entry(user.index()).or_default().add(use_permille, unused);
        }
    }
    let mut candidates = Vec::new();
    candidates.extend(candidate(ground, Who::default(), "everyone", &mut all));
    for (queue, mut habit) in most(queues) {
        let name = ground.history.names.queues.name(queue).to_owned();
        let words = format!("queue `{name}`");
        candidates.extend(candidate(ground, Who { queue: Some(name), ..Who::default() }, &words, &mut habit));
    }
    for (user, mut habit) in most(users) {
        let name = ground.history.names.users.name(user).to_owned();
        let words = format!("user `{name}`");
        candidates.extend(candidate(ground, Who { user: Some(name), ..Who::default() }, &words, &mut habit));
    }
    candidates
}

/// How much of their limits somebody's workloads use.
#[derive(Debug, Default)]
struct Habit {
    use_permille: Vec<u32>,
    unused: i128,
}

impl Habit {
    fn add(&mut self, use_permille: u32, unused: i128) {
        self.use_permille.push(use_permille);
        self.unused += unused;
    }
}

fn most(habits: BTreeMap<usize, Habit>) -> Vec<(usize, Habit)> {
    let mut habits: Vec<(usize, Habit)> = habits.into_iter().collect();
    habits.sort_by_key(|(index, habit)| (std::cmp::Reverse(habit.unused), *index));
    habits.truncate(MOST);
    habits
}

fn candidate(ground: &Ground, who: Who, words: &str, habit: &mut Habit) -> Option<Candidate> {
    if habit.use_permille.len() < ENOUGH {
        return None;
    }
    habit.use_permille.sort_unstable();
    let median = habit.use_permille[habit.use_permille.len() / 2].max(1);
    let high = habit.use_permille[habit.use_permille.len() * 19 / 20];
    // Half as much again as 95 of a hundred need.
    let permille = (high * 3 / 2).max(50);
    if permille >= 800 {
        return None;
    }
    let percent = permille.div_ceil(10);
    Some(Candidate {
        title: format!("Ask {words} for time limits at {percent} % of today's"),
        because: vec![format!(
            "Half of the workloads of {words} use less than {:.0} % of the limit they ask for, 95 of a hundred less than {:.0} %.",
            f64::from(median) / 10.0,
            f64::from(high) / 10.0,
        )],
        scenario: ground.options.baseline.with(Change::TimeLimit { who, limit: Limit::Scaled { permille } }),
        change: vec![fleet::recommendation::Step {
            system: "users".into(),
            text: format!("sbatch --time: ask for {percent} % of what was asked so far ({words})"),
        }],
        undo: vec![fleet::recommendation::Step { system: "users".into(), text: "sbatch --time: as before".into() }],
        risks: vec![
            "Whoever runs longer than usual is cut off; the replay keeps limits above every recorded run.".into(),
        ],
    })
}
