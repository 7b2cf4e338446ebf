//! Limits that hold a queue back while others leave devices idle.

use fleet::history::QueueRecord;
use fleet::quantity::MilliDevice;
use replay::scenario::Change;

use super::Candidate;
use super::owner;
use crate::ground::Ground;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    let limited = ground.setup.queues.iter().filter(|queue| {
        queue.limit_milli.is_some()
            || queue.limit_per_user_milli.is_some()
            || queue.limit_running.is_some()
            || queue.limit_running_per_user.is_some()
    });
    limited.flat_map(|queue| [doubled(ground, queue), lifted(ground, queue)]).collect()
}

fn doubled(ground: &Ground, queue: &QueueRecord) -> Candidate {
    let twice = |limit: Option<MilliDevice>| limit.map(|limit| limit.times(2));
    let rules = QueueRecord {
        limit_milli: twice(queue.limit_milli),
        limit_per_user_milli: twice(queue.limit_per_user_milli),
        limit_running: queue.limit_running.map(|limit| limit.saturating_mul(2)),
        limit_running_per_user: queue.limit_running_per_user.map(|limit| limit.saturating_mul(2)),
        ..queue.clone()
    };
    candidate(ground, queue, rules, format!("Double the limits of queue `{}`", queue.name))
}

fn lifted(ground: &Ground, queue: &QueueRecord) -> Candidate {
    let rules = QueueRecord {
        limit_milli: None,
        limit_per_user_milli: None,
        limit_running: None,
        limit_running_per_user: None,
        ..queue.clone()
    };
    candidate(ground, queue, rules, format!("Lift the limits of queue `{}`", queue.name))
}

fn candidate(ground: &Ground, before: &QueueRecord, after: QueueRecord, title: String) -> Candidate {
    Candidate {
        title,
        because: vec![format!("Queue `{}` is held to {}.", before.name, words(ground, before))],
        change: owner::limits(ground, before, &after),
        undo: owner::limits(ground, &after, before),
        scenario: ground.options.baseline.with(Change::Queue { rules: after }),
        risks: vec!["A queue with room can fill the fleet with long work that nobody can move.".into()],
    }
}

fn devices(amount: MilliDevice) -> u64 {
    amount.0 / MilliDevice::WHOLE
}

fn words(ground: &Ground, rules: &QueueRecord) -> String {
    let unit = super::unit(ground);
    let parts = [
        rules.limit_milli.map(|limit| format!("{} {unit}s", devices(limit))),
        rules.limit_per_user_milli.map(|limit| format!("{} {unit}s a user", devices(limit))),
        rules.limit_running.map(|limit| format!("{limit} running workloads")),
        rules.limit_running_per_user.map(|limit| format!("{limit} running workloads a user")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
