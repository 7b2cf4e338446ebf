//! Time limits far above what runs: backfill cannot use gaps that it believes too short.

use std::collections::BTreeMap;

use fleet::policy::Order;
use fleet::quantity::Millis;
use fleet::recommendation::Step;
use replay::scenario::{Change, Limit, Who};

use super::Candidate;
use crate::ground::Ground;

/// The rule's name.
pub(super) const RULE: &str = "time-limit";
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
        let own = queues.entry(recorded.workload.queue.index()).or_default();
        let of_user = recorded.workload.user.map(|user| users.entry(user.index()).or_default());
        for habit in [Some(&mut all), Some(own), of_user].into_iter().flatten() {
            habit.add(limit, use_permille, unused);
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
    /// How often which limit was asked for.
    limits: BTreeMap<Millis, u32>,
}

impl Habit {
    fn add(&mut self, limit: Millis, use_permille: u32, unused: i128) {
        *self.limits.entry(limit).or_default() += 1;
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
    let count = habit.use_permille.len();
    let past = count - habit.use_permille.partition_point(|&used| used <= permille);
    let (change, undo) = steps(habit, permille, words);
    Some(Candidate {
        title: format!("Ask {words} for time limits at {percent} % of today's"),
        because: vec![format!(
            "Half of the workloads of {words} use less than {:.0} % of the limit they ask for, 95 of a hundred less than {:.0} %.",
            (f64::from(median) / 10.0).max(1.0),
            (f64::from(high) / 10.0).max(1.0),
        )],
        scenario: ground.options.baseline.with(Change::TimeLimit { who, limit: Limit::Scaled { permille } }),
        change: vec![change],
        undo: vec![undo],
        risks: vec![format!(
            "{past} of {count} workloads ran longer than that and have to ask for more, or are cut off; the replay gives those exactly \
             what they ran."
        )],
    })
}

/// What to ask for in the place of the limits that are asked for most, and those.
fn steps(habit: &Habit, permille: u32, words: &str) -> (Step, Step) {
    const MOST: usize = 4;
    let mut limits: Vec<(Millis, u32)> = habit.limits.iter().map(|(&limit, &times)| (limit, times)).collect();
    limits.sort_by_key(|&(limit, times)| (std::cmp::Reverse(times), limit));
    let minutes = |limit: Millis| (limit.0 as u64).div_ceil(60_000).max(1);
    let less = |limit: Millis| Millis((limit.0 as u64 * u64::from(permille)).div_ceil(1_000) as i64);
    let (mut change, mut undo) = (Vec::new(), Vec::new());
    for &(limit, times) in limits.iter().take(MOST) {
        let (before, after) = (clock(minutes(limit)), clock(minutes(less(limit))));
        change.push(format!("sbatch --time={after}   # {words}, instead of --time={before} ({times} workloads)"));
        undo.push(format!("sbatch --time={before}   # {words}, instead of --time={after}"));
    }
    if limits.len() > MOST {
        let others: u32 = limits[MOST..].iter().map(|(_, times)| times).sum();
        change.push(format!("# and {} of every other limit ({others} workloads)", permille_words(permille)));
    }
    let step = |lines: Vec<String>| Step { system: "users".into(), text: lines.join("\n") };
    (step(change), step(undo))
}

fn permille_words(permille: u32) -> String {
    format!("{} %", permille.div_ceil(10))
}

/// Minutes as Slurm writes a time limit: days-hours:minutes, or hours:minutes:seconds below a day.
fn clock(minutes: u64) -> String {
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    if days > 0 { format!("{days}-{hours:02}:{minutes:02}") } else { format!("{hours:02}:{minutes:02}:00") }
}
