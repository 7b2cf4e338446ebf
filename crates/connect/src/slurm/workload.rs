//! A record of `sacct` as a workload of a history. Pure.

use fleet::event::EndCause;
use fleet::history::{Attempt, Used, WorkloadRecord};
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::time::Timestamp;
use fleet::workload::Spread;

use super::QueuesAre;
use super::hosts;
use super::row::{JobRow, Part};
use super::tres::Tres;
use super::word::State;
use crate::bound;
use crate::import::BadRow;

/// What is known of the cluster when its jobs are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// What a queue is.
    pub(super) queues_are: QueuesAre,
    /// Stands before every id.
    pub(super) id_prefix: String,
    /// The most GPUs that one node has, where the nodes are known.
    pub(super) devices_per_node: Option<u64>,
}

/// What a record comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The workload, with the attempt of this record.
    pub(super) workload: WorkloadRecord,
    /// The tasks of an array it stands for beside itself; each is a workload like it.
    pub(super) more: Vec<String>,
    /// Whether a further record of the same job follows.
    pub(super) goes_on: bool,
    /// What was odd about it.
    pub(super) remarks: Vec<&'static str>,
}

/// Reads a record. `None` for those that are of no job that was ever to run here; with the reason, as a remark.
pub(super) fn read(row: &JobRow, place: &Place) -> Result<Result<Read, &'static str>, BadRow> {
    if row.state == State::Revoked {
        return Ok(Err("jobs that another cluster of the federation ran were left out"));
    }
    let Some(Times { eligible, attempt, withdrawn }) = times(row)? else {
        return Ok(Err("held jobs, which could not have started yet, were left out"));
    };
    let asked = if attempt.is_some() { held(row) } else { row.requested.clone() };
    let (tasks, request, spread) = shape(&asked, row, place)?;
    let (id, array, more) = ids(row, place);
    let partitions: Vec<String> = row.partition.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let (queue, pools) = match place.queues_are {
        QueuesAre::Partitions => (partitions.first().cloned().unwrap_or_default(), partitions),
        QueuesAre::Accounts => (row.account.clone(), partitions),
        QueuesAre::Qos => (row.qos.clone(), partitions),
    };
    if queue.is_empty() {
        let field = place.queues_are.field();
        return Err(BadRow::field(field, "it is not told, so the job's queue is unknown; export this column too"));
    }
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    let remarks = remarks(row, &asked);
    let goes_on = matches!(row.state, State::Requeued | State::Preempted | State::Resized)
        || row.state == State::Ended(EndCause::NodeFailed);
    let workload = WorkloadRecord {
        id,
        queue,
        user: some(&row.user),
        name: some(&row.name),
        account: some(&row.account),
        array,
        submit: row.submit,
        eligible: eligible.filter(|&eligible| eligible != row.submit),
        tasks,
        request,
        spread,
        pools,
        models: models(&row.requested),
        time_limit_ms: row.limit.length(),
        attempts: attempt.into_iter().collect(),
        withdrawn,
        used: used(row)?,
        ..WorkloadRecord::default()
    };
    Ok(Ok(Read { workload, more, goes_on, remarks }))
}

struct Times {
    eligible: Option<Timestamp>,
    attempt: Option<Attempt>,
    withdrawn: Option<Timestamp>,
}

/// When it could start, ran, or was given up; `None` where it still waits and never could have started.
fn times(row: &JobRow) -> Result<Option<Times>, BadRow> {
    let nodes = hosts::expand(&row.nodes).map_err(|reason| BadRow::field("nodes", reason))?;
    // Older releases tell a job that was cancelled while it waited as one that started when it ended, nowhere.
    let never_ran = nodes.is_empty() && row.start == row.end && !row.nodes.contains("UNKNOWN");
    let start = row.start.filter(|_| row.state != State::Pending && !(never_ran && row.start.is_some()));
    if let Some(start) = start {
        if start < row.submit {
            let reason = format!("it starts ({start}) before it is submitted ({})", row.submit);
            return Err(BadRow::field("start", reason));
        }
        let (run, cause) = ended(row, start)?;
        // A clock may tick between the two moments.
        let eligible = row.eligible.map(|eligible| eligible.clamp(row.submit, start));
        return Ok(Some(Times {
            eligible,
            attempt: Some(Attempt { start: Some(start), run, cause, nodes, ..Attempt::default() }),
            withdrawn: None,
        }));
    }
    match row.state {
        State::Pending if row.eligible.is_none() => Ok(None),
        State::Pending => Ok(Some(Times { eligible: row.eligible, attempt: None, withdrawn: None })),
        State::Running => Err(BadRow::field("start", "the job runs and has no start; expected a time")),
        _ => {
            let end = row.end.ok_or_else(|| BadRow::field("end", "the job is over and has no end; expected a time"))?;
            if end < row.submit {
                let reason = format!("it ends ({end}) before it is submitted ({})", row.submit);
                return Err(BadRow::field("end", reason));
            }
            // Held, or too early: it was given up without having waited for room.
            let eligible = row.eligible.map_or(end, |eligible| eligible.clamp(row.submit, end));
            Ok(Some(Times { eligible: Some(eligible), attempt: None, withdrawn: Some(end) }))
        }
    }
}

fn ended(row: &JobRow, start: Timestamp) -> Result<(Option<Millis>, EndCause), BadRow> {
    let cause = match row.state {
        State::Pending | State::Running | State::Revoked => return Ok((None, EndCause::Unknown)),
        State::Ended(cause) => cause,
        State::Requeued | State::Preempted | State::Resized => EndCause::Requeued,
    };
    let end = row.end.ok_or_else(|| BadRow::field("end", "the job is over and has no end; expected a time"))?;
    if end < start {
        return Err(BadRow::field("end", format!("it ends ({end}) before it starts ({start})")));
    }
    let run = end.since(start);
    if run > bound::LENGTH_MAX {
        return Err(BadRow::field("end", format!("it ran for {run}; expected at most {}", bound::LENGTH_MAX)));
    }
    Ok((Some(run), cause))
}

/// What a job that ran held: whole nodes where it asked for some, cores rounded up to what Slurm hands out.
fn held(row: &JobRow) -> Tres {
    let (asked, got) = (&row.requested, &row.allocated);
    Tres {
        cpus: got.cpus.max(asked.cpus),
        memory: got.memory.max(asked.memory),
        nodes: got.nodes.or(row.node_count).or(asked.nodes),
        gpus: Some(got.devices().max(asked.devices())).filter(|&gpus| gpus > 0),
        models: got.models.clone(),
        shares: got.shares || asked.shares,
    }
}

/// How many tasks of what size, and how they may lie. Slurm's records tell totals and node counts only.
fn shape(tres: &Tres, row: &JobRow, place: &Place) -> Result<(u32, Resources, Spread), BadRow> {
    let gpus = tres.devices();
    let asked_nodes = row.requested.nodes.unwrap_or(1).max(1);
    let got_nodes =
        row.allocated.nodes.or(row.node_count).filter(|_| row.start.is_some()).unwrap_or(asked_nodes).max(1);
    let fits = |nodes: u64| place.devices_per_node.is_none_or(|most| gpus.div_ceil(nodes) <= most.max(1));
    let even = |nodes: u64| gpus.is_multiple_of(nodes);
    let (tasks, spread) = if asked_nodes == 1 && got_nodes == 1 && fits(1) {
        (1, Spread::Packed)
    } else if asked_nodes == got_nodes && even(asked_nodes) && fits(asked_nodes) {
        (asked_nodes, Spread::OnePerNode)
    } else if gpus > 0 {
        // So many GPUs on however many nodes: a task for each.
        (gpus, Spread::Any)
    } else {
        (got_nodes, Spread::OnePerNode)
    };
    let count = u32::try_from(tasks).ok().filter(|&tasks| tasks <= bound::TASKS_MAX);
    let count = count.ok_or_else(|| BadRow::field("nodes", format!("{tasks} tasks; expected fewer")))?;
    let cpus = tres.cpus.unwrap_or(0).div_ceil(tasks);
    let memory = Bytes(tres.memory.map_or(0, |memory| memory.0.div_ceil(tasks)));
    if memory > bound::MEMORY_MAX {
        let reason = format!("{memory} a task; expected at most {}", bound::MEMORY_MAX);
        return Err(BadRow::field("memory", reason));
    }
    let request = Resources { cpu: MilliCpu::whole(cpus), memory, devices: MilliDevice::whole(gpus / tasks) };
    Ok((count, request, spread))
}

/// The models it was tied to: those it named.
fn models(asked: &Tres) -> Vec<String> {
    let mut models: Vec<String> = asked.models.iter().map(|(model, _)| model.clone()).collect();
    models.sort_unstable();
    models.dedup();
    models
}

/// Its id, its array's, and the ids of the further tasks it stands for.
fn ids(row: &JobRow, place: &Place) -> (String, Option<String>, Vec<String>) {
    let prefix = &place.id_prefix;
    match &row.id.part {
        Part::Whole => (format!("{prefix}{}", row.id.raw), None, Vec::new()),
        Part::Task { array, task } => (format!("{prefix}{array}_{task}"), Some(format!("{prefix}{array}")), Vec::new()),
        Part::Component { job, offset } => (format!("{prefix}{job}+{offset}"), None, Vec::new()),
        Part::Tasks { array, tasks } => {
            let mut ids = tasks.iter().map(|task| format!("{prefix}{array}_{task}"));
            let first = ids.next().unwrap_or_else(|| format!("{prefix}{array}"));
            (first, Some(format!("{prefix}{array}")), ids.collect())
        }
    }
}

fn used(row: &JobRow) -> Result<Used, BadRow> {
    let cpu_ms = match row.used.cpu_ms {
        None => None,
        Some(ms) => Some(i64::try_from(ms).map(Millis).map_err(|_| BadRow::field("TotalCPU", "it is too long"))?),
    };
    Ok(Used { cpu_ms, memory_peak_bytes: row.used.memory, device_busy_ms: None })
}

fn remarks(row: &JobRow, asked: &Tres) -> Vec<&'static str> {
    let mut remarks = Vec::new();
    let mut remark = |odd: bool, what| {
        if odd {
            remarks.push(what);
        }
    };
    remark(row.in_reservation, "jobs ran in reservations, which a replay does not know");
    remark(row.constrained, "jobs asked for node features, which a replay does not know");
    remark(row.suspended, "jobs were suspended; that time counts as run");
    remark(asked.shares, "jobs asked for parts of GPUs (gres/mps or gres/shard); these count as none");
    remark(matches!(row.id.part, Part::Component { .. }), "parts of heterogeneous jobs are told as jobs of their own");
    remark(row.state == State::Resized, "jobs changed their size; each size is told as a run of its own");
    remark(
        row.eligible.is_none() && row.start.is_some(),
        "jobs do not tell since when they could start: taken as since their submit",
    );
    remark(
        row.named == crate::moment::Named::Ambiguous,
        "times fell into an hour that the clock showed twice or not at all",
    );
    remarks
}
