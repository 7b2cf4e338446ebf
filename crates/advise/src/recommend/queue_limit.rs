//! Limits that hold a queue back while others leave devices idle.

use fleet::history::QueueRecord;
use fleet::quantity::MilliDevice;
use replay::scenario::Change;

use super::Candidate;
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
    let step = |rules: &QueueRecord| ground.step(Some(("sacctmgr", slurm(rules))), fleet_file(rules));
    Candidate {
        title,
        because: vec![format!("Queue `{}` is held to {}.", before.name, words(before))],
        change: vec![step(&after)],
        undo: vec![step(before)],
        scenario: ground.options.baseline.with(Change::Queue { rules: after }),
        risks: vec!["A queue without a limit can fill the fleet with long work that nobody can move.".into()],
    }
}

fn devices(amount: MilliDevice) -> u64 {
    amount.0 / MilliDevice::WHOLE
}

fn words(rules: &QueueRecord) -> String {
    let parts = [
        rules.limit_milli.map(|limit| format!("{} devices", devices(limit))),
        rules.limit_per_user_milli.map(|limit| format!("{} devices a user", devices(limit))),
        rules.limit_running.map(|limit| format!("{limit} running workloads")),
        rules.limit_running_per_user.map(|limit| format!("{limit} running workloads a user")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The command that sets these limits; -1 clears a limit (sacctmgr's manual, "modify").
fn slurm(rules: &QueueRecord) -> String {
    let tres = |limit: Option<MilliDevice>| limit.map_or("-1".to_owned(), |limit| devices(limit).to_string());
    let count = |limit: Option<u32>| limit.map_or("-1".to_owned(), |limit| limit.to_string());
    format!(
        "sacctmgr --immediate modify qos {} set GrpTRES=gres/gpu={} MaxTRESPerUser=gres/gpu={} GrpJobs={} MaxJobsPerUser={}",
        rules.name,
        tres(rules.limit_milli),
        tres(rules.limit_per_user_milli),
        count(rules.limit_running),
        count(rules.limit_running_per_user),
    )
}

fn fleet_file(rules: &QueueRecord) -> String {
    let mut text = format!("[[queues]]\nname = \"{}\"", rules.name);
    let lines = [
        ("limit_devices", rules.limit_milli.map(devices)),
        ("limit_devices_per_user", rules.limit_per_user_milli.map(devices)),
        ("limit_running", rules.limit_running.map(u64::from)),
        ("limit_running_per_user", rules.limit_running_per_user.map(u64::from)),
    ];
    for (key, value) in lines {
        match value {
            Some(value) => text.push_str(&format!("\n{key} = {value}")),
            None => text.push_str(&format!("\n# no {key}")),
        }
    }
    text
}
