//! A change in the words of the system that owns the resource: Slurm's commands where Slurm ran the fleet, Trimtab's own where
//! `trimtab up` did, else the fleet file.
//! What is told for the fleet file is whole tables: one that stands there is replaced.

use fleet::fleet_file::QueueEntry;
use fleet::history::QueueRecord;
use fleet::policy::{Order, Policy};
use fleet::quantity::MilliDevice;
use fleet::queue::Metered;
use fleet::recommendation::Step;

use crate::ground::Ground;

/// What Slurm calls an amount of what the fleet's queues count.
fn tres(ground: &Ground) -> &'static str {
    match ground.setup.metered {
        Metered::Devices => "gres/gpu",
        Metered::Cores => "cpu",
    }
}

/// Whether Slurm ran this fleet.
pub(super) fn is_slurm(ground: &Ground) -> bool {
    ground.history.header.source == "slurm"
}

/// Whether `trimtab up` ran this fleet.
fn is_trimtab(ground: &Ground) -> bool {
    ground.history.header.source == "trimtab"
}

/// Other limits of a queue, for `QueueRecord`s that differ in nothing else.
pub(super) fn limits(ground: &Ground, from: &QueueRecord, to: &QueueRecord) -> Vec<Step> {
    if is_trimtab(ground) {
        return vec![set_queue(to)];
    }
    if !is_slurm(ground) {
        return vec![in_fleet_file(QueueEntry::of(to).to_toml())];
    }
    // -1 clears a limit (sacctmgr's manual, "modify").
    let amount = |limit: Option<MilliDevice>| {
        let amount = limit.map_or("-1".to_owned(), |limit| (limit.0 / MilliDevice::WHOLE).to_string());
        format!("{}={amount}", tres(ground))
    };
    let count = |limit: Option<u32>| limit.map_or("-1".to_owned(), |limit| limit.to_string());
    let of_accounts = ground.history.header.queues_are.as_deref() == Some("accounts");
    let mut set = Vec::new();
    let mut of_users = Vec::new();
    if from.limit_milli != to.limit_milli {
        set.push(format!("GrpTRES={}", amount(to.limit_milli)));
    }
    if from.limit_running != to.limit_running {
        set.push(format!("GrpJobs={}", count(to.limit_running)));
    }
    if from.limit_per_user_milli != to.limit_per_user_milli {
        let amount = amount(to.limit_per_user_milli);
        if of_accounts {
            of_users.push(format!("GrpTRES={amount}"));
        } else {
            set.push(format!("MaxTRESPerUser={amount}"));
        }
    }
    if from.limit_running_per_user != to.limit_running_per_user {
        let count = count(to.limit_running_per_user);
        set.push(if of_accounts { format!("MaxJobs={count}") } else { format!("MaxJobsPerUser={count}") });
    }
    let mut steps = Vec::new();
    if !set.is_empty() {
        steps.push(in_slurm(
            "sacctmgr",
            format!("sacctmgr --immediate modify {} set {}", whose(ground, to), set.join(" ")),
        ));
    }
    if !of_users.is_empty() {
        let text = format!(
            "sacctmgr --immediate modify user where account={} set {}",
            shell_word(&to.name),
            of_users.join(" ")
        );
        steps.push(in_slurm("sacctmgr", text));
    }
    steps
}

/// What of Slurm has a queue's limits: itself or, of a partition, the quality of service that it names.
fn whose(ground: &Ground, queue: &QueueRecord) -> String {
    let name = shell_word(&queue.name);
    match ground.history.header.queues_are.as_deref() {
        Some("qos") => format!("qos {name}"),
        Some("accounts") => format!("account {name}"),
        _ => format!("qos \"$(scontrol show partition {name} | sed -n 's/.* QoS=\\([^ ]*\\).*/\\1/p')\""),
    }
}

/// A queue's place among the others.
pub(super) fn priority(ground: &Ground, to: &QueueRecord) -> Step {
    if is_trimtab(ground) {
        return set_queue(to);
    }
    if !is_slurm(ground) {
        return in_fleet_file(QueueEntry::of(to).to_toml());
    }
    let (name, priority) = (shell_word(&to.name), to.priority.max(0));
    match ground.history.header.queues_are.as_deref() {
        Some("qos") => in_slurm("sacctmgr", format!("sacctmgr --immediate modify qos {name} set Priority={priority}")),
        Some("accounts") => {
            in_slurm("sacctmgr", format!("sacctmgr --immediate modify account {name} set Priority={priority}"))
        }
        _ => in_slurm(
            "slurm.conf",
            format!(
                "PartitionName={name} PriorityTier={priority}   # in that partition's line, then: scontrol reconfigure"
            ),
        ),
    }
}

/// All rules of queues.
pub(super) fn queues<'a>(ground: &Ground, queues: impl Iterator<Item = &'a QueueRecord>) -> Vec<Step> {
    if is_trimtab(ground) {
        return queues.map(set_queue).collect();
    }
    vec![in_fleet_file(queues.map(|queue| QueueEntry::of(queue).to_toml()).collect::<Vec<_>>().join("\n\n"))]
}

/// Another placement. Slurm knows none but its own.
pub(super) fn placement(ground: &Ground, policy: &Policy) -> Step {
    if is_trimtab(ground) { set_policy(policy) } else { in_fleet_file(policy.to_toml()) }
}

/// Trimtab's command that gives a queue all of its rules.
fn set_queue(rules: &QueueRecord) -> Step {
    let mut words = vec!["trimtab queues set".to_owned(), shell_word(&rules.name)];
    let amount = |limit: MilliDevice| (limit.0 as f64 / MilliDevice::WHOLE as f64).to_string();
    let mut option = |name: &str, value: Option<String>| words.extend(value.map(|value| format!("--{name} {value}")));
    option("quota", rules.quota_milli.map(amount));
    option("limit", rules.limit_milli.map(amount));
    option("limit-per-user", rules.limit_per_user_milli.map(amount));
    option("limit-running", rules.limit_running.map(|count| count.to_string()));
    option("limit-running-per-user", rules.limit_running_per_user.map(|count| count.to_string()));
    option("priority", (rules.priority != 0).then(|| rules.priority.to_string()));
    let seconds = |limit: fleet::quantity::Millis| format!("{}s", limit.0 / 1_000);
    option("time-limit-max", rules.time_limit_max_ms.map(seconds));
    option("time-limit-default", rules.time_limit_default_ms.map(seconds));
    in_trimtab(words.join(" "))
}

/// Trimtab's command that sets the rules of scheduling.
fn set_policy(policy: &Policy) -> Step {
    in_trimtab(format!("trimtab policy set {} --placement {}", policy.order.name(), policy.placement.name()))
}

/// Something to be done in Trimtab.
fn in_trimtab(text: String) -> Step {
    Step { system: Step::TRIMTAB.to_owned(), text }
}

/// Other rules of scheduling. Slurm knows its own two orders; Trimtab's runs in Trimtab alone.
pub(super) fn policy(ground: &Ground, policy: &Policy) -> Step {
    if is_trimtab(ground) {
        return set_policy(policy);
    }
    let scheduler = match policy.order {
        Order::Fifo => Some("sched/builtin"),
        Order::Backfill => Some("sched/backfill"),
        Order::Trimtab => None,
    };
    match scheduler.filter(|_| is_slurm(ground)) {
        Some(scheduler) => in_slurm(
            "slurm.conf",
            format!("SchedulerType={scheduler}   # then restart slurmctld: this is not reread while it runs"),
        ),
        None => in_fleet_file(policy.to_toml()),
    }
}

/// Something to be done in Slurm.
pub(super) fn in_slurm(system: &str, text: String) -> Step {
    Step { system: system.to_owned(), text }
}

/// Something to be written in the fleet file.
pub(super) fn in_fleet_file(text: String) -> Step {
    Step { system: "fleet file".to_owned(), text }
}

/// A name as one word of a shell's command line.
pub(super) fn shell_word(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}
