//! Work that can be interrupted stands behind work that cannot: it moves to a queue that may be preempted, and that goes last.

use std::collections::BTreeMap;

use fleet::fleet_file::QueueEntry;
use fleet::history::QueueRecord;
use fleet::ids::QueueId;
use fleet::recommendation::Step;
use replay::scenario::{Change, Scenario, Who};

use super::Candidate;
use super::owner;
use crate::ground::Ground;
use crate::hours::Hours;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = behind(ground).collect();
    let found = interruptible(ground);
    let to = target(ground);
    for (queue, work) in &found {
        let name = &ground.setup.queues[queue.index()].name;
        let who = Who { queue: Some(name.clone()), checkpointed: true, ..Who::default() };
        candidates.push(moved(ground, &to, who, &format!("of queue `{name}`"), *work));
    }
    if found.len() > 1 {
        let all = found.values().fold(Work::default(), |sum, work| sum.plus(*work));
        candidates.push(moved(ground, &to, Who { checkpointed: true, ..Who::default() }, "of all queues", all));
    }
    candidates
}

/// Work that writes checkpoints, and all there is beside it.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    count: u64,
    of: u64,
    held: Hours,
}

impl Work {
    fn plus(self, other: Self) -> Self {
        Self { count: self.count + other.count, of: self.of + other.of, held: self.held + other.held }
    }
}

/// By queue that may not be preempted: its work that writes checkpoints.
fn interruptible(ground: &Ground) -> BTreeMap<QueueId, Work> {
    let mut found: BTreeMap<QueueId, Work> = BTreeMap::new();
    for (index, recorded) in ground.history.workloads.iter().enumerate() {
        let queue = ground.setup.queue_of(index);
        if ground.setup.queues[queue.index()].preemptible {
            continue;
        }
        let work = found.entry(queue).or_default();
        work.of += 1;
        if recorded.checkpoint_every.is_some() {
            work.count += 1;
            work.held += Hours::held(ground.history.meter(&recorded.workload).0, recorded.run());
        }
    }
    found.retain(|_, work| work.count > 0);
    // Work that is everything has nobody to let pass.
    let all = ground.history.workloads.len() as u64;
    if found.values().map(|work| work.count).sum::<u64>() == all && found.len() == 1 {
        found.clear();
    }
    found
}

/// Where it goes: the queue that is there for it, or a new one behind all others.
struct Target {
    rules: QueueRecord,
    new: bool,
}

fn target(ground: &Ground) -> Target {
    if let Some(queue) = ground.setup.queues.iter().find(|queue| queue.preemptible) {
        return Target { rules: queue.clone(), new: false };
    }
    let taken = |name: &str| ground.setup.queues.iter().any(|queue| queue.name == name);
    let names = std::iter::once("preemptible".to_owned()).chain((2..).map(|number| format!("preemptible-{number}")));
    let name = names.into_iter().find(|name| !taken(name)).expect("there are more numbers than queues");
    let rules = QueueRecord { name, preemptible: true, priority: last(ground) - 1, ..QueueRecord::default() };
    Target { rules, new: true }
}

/// The lowest priority of a queue.
fn last(ground: &Ground) -> i32 {
    ground.setup.queues.iter().map(|queue| queue.priority).min().unwrap_or(0)
}

fn moved(ground: &Ground, to: &Target, who: Who, whose: &str, work: Work) -> Candidate {
    let name = &to.rules.name;
    let mut scenario: Scenario = ground.options.baseline.clone();
    if to.new {
        scenario = scenario.with(Change::NewQueue { rules: to.rules.clone() });
    }
    let scenario = scenario.with(Change::Move { who, to: name.clone() });
    let (change, undo) = if owner::is_slurm(ground) { in_slurm(ground, to, whose) } else { in_fleet_file(to, whose) };
    Candidate {
        title: format!("Move interruptible work {whose} to `{name}`"),
        because: vec![
            format!(
            "{} of {} workloads {whose} write checkpoints ({} {}-hours): they can stop and go on, so they need not stand before work \
             that cannot.",
            work.count,
            work.of,
            work.held,
            super::unit(ground),
        ),
            if to.new { format!("`{name}` is a new queue behind all others, which may be preempted.") } else { format!("`{name}` may be preempted.") },
        ],
        scenario,
        change,
        undo,
        risks: vec![
            "The replay lets this work wait behind all other work; it does not yet put it back once it runs, so a queue that is \
             preempted in life waits longer than this, and all others less."
                .into(),
        ],
    }
}

fn in_fleet_file(to: &Target, whose: &str) -> (Vec<Step>, Vec<Step>) {
    let name = &to.rules.name;
    let users = |text: String| Step { system: "users".into(), text };
    let mut change = vec![users(format!("hand work {whose} that writes checkpoints in to queue `{name}`"))];
    let mut undo = vec![users("hand it in to the queues of before".into())];
    if to.new {
        change.insert(0, owner::in_fleet_file(QueueEntry::of(&to.rules).to_toml()));
        undo.push(owner::in_fleet_file(format!("# without the table of queue `{name}`")));
    }
    (change, undo)
}

/// Slurm's manual, "Preemption": a quality of service, or a partition, whose jobs others may put back.
fn in_slurm(ground: &Ground, to: &Target, whose: &str) -> (Vec<Step>, Vec<Step>) {
    let name = owner::shell_word(&to.rules.name);
    let users = |text: String| Step { system: "users".into(), text };
    let (mut change, mut undo) = (Vec::new(), Vec::new());
    let partitions = ground.history.header.queues_are.as_deref().is_none_or(|what| what == "partitions");
    let option = if partitions { format!("--partition={name}") } else { format!("--qos={name}") };
    if to.new && partitions {
        let lines = "PreemptType=preempt/partition_prio\nPreemptMode=REQUEUE";
        let line = format!("PartitionName={name} Nodes=ALL PriorityTier=0 PreemptMode=REQUEUE");
        let others = "# every other partition: PriorityTier=1 or more, PreemptMode=OFF";
        change.push(owner::in_slurm("slurm.conf", format!("{lines}\n{line}\n{others}")));
        undo.push(owner::in_slurm("slurm.conf", format!("# without these lines; PriorityTier as before\n# {line}")));
    } else if to.new {
        change.push(owner::in_slurm("slurm.conf", "PreemptType=preempt/qos\nPreemptMode=REQUEUE".into()));
        let others = "for qos in $(sacctmgr -nP show qos format=name); do";
        let text = format!(
            "sacctmgr --immediate add qos {name} set Priority=0 PreemptMode=requeue\n{others} [ \"$qos\" = {name} ] || sacctmgr \
             --immediate modify qos \"$qos\" set Preempt+={name}; done"
        );
        change.push(owner::in_slurm("sacctmgr", text));
        undo.push(owner::in_slurm("sacctmgr", format!("sacctmgr --immediate delete qos {name}")));
        undo.push(owner::in_slurm("slurm.conf", "# PreemptType and PreemptMode as before".into()));
    }
    change.push(users(format!("sbatch {option} --requeue   # work {whose} that writes checkpoints")));
    undo.push(users("sbatch as before".into()));
    (change, undo)
}

/// Queues that may be preempted and yet stand before or among others.
fn behind<'a>(ground: &'a Ground) -> impl Iterator<Item = Candidate> + 'a {
    let queues = &ground.setup.queues;
    let others_first =
        |queue: &QueueRecord| queues.iter().any(|other| !other.preemptible && other.priority <= queue.priority);
    queues.iter().filter(move |queue| queue.preemptible && others_first(queue)).map(|queue| {
        let least = queues.iter().filter(|other| !other.preemptible).map(|other| other.priority).min().unwrap_or(0);
        let rules = QueueRecord { priority: least - 1, ..queue.clone() };
        Candidate {
            title: format!("Let queue `{}`, which may be preempted, wait behind all others", queue.name),
            because: vec![format!(
                "Queue `{}` may be put back at any time, and stands before others all the same.",
                queue.name
            )],
            change: vec![owner::priority(ground, &rules)],
            undo: vec![owner::priority(ground, queue)],
            scenario: ground.options.baseline.with(Change::Queue { rules }),
            risks: vec!["The replay lets this work wait; it does not yet put it back once it runs.".into()],
        }
    })
}
