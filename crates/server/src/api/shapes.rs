//! The shapes of the API: what is sent and answered. Times are milliseconds since 1970-01-01T00:00:00Z.

use std::collections::BTreeMap;

use fleet::ids::WorkloadId;
use fleet::live::{ArrayPlace, DEFAULT_QUEUE, Live, Run, Submission};
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use serde::{Deserialize, Serialize};
use store::{Row, State};
use utoipa::ToSchema;

use crate::object;

/// What each workload asks for, or has.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Amount {
    /// Thousandths of cores.
    #[serde(default)]
    pub(crate) cpu_milli: u64,
    /// Bytes of memory; zero: not counted.
    #[serde(default)]
    pub(crate) memory_bytes: u64,
    /// Thousandths of accelerators.
    #[serde(default)]
    pub(crate) devices_milli: u64,
}

impl From<Resources> for Amount {
    fn from(amount: Resources) -> Self {
        Self { cpu_milli: amount.cpu.0, memory_bytes: amount.memory.0, devices_milli: amount.devices.0 }
    }
}

impl From<Amount> for Resources {
    fn from(amount: Amount) -> Self {
        Self {
            cpu: MilliCpu(amount.cpu_milli),
            memory: Bytes(amount.memory_bytes),
            devices: MilliDevice(amount.devices_milli),
        }
    }
}

/// A workload that is handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWorkload {
    /// The program and its arguments; no shell reads them.
    command: Vec<String>,
    /// Where it starts: an absolute path.
    directory: String,
    /// Its environment.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// What its owner calls it.
    name: Option<String>,
    /// Where it waits; `default` if absent.
    queue: Option<String>,
    /// Whose it is; whoever the token names, if absent.
    user: Option<String>,
    /// Higher goes first within the queue.
    #[serde(default)]
    priority: i32,
    /// What it asks for.
    #[serde(default, deserialize_with = "object::one")]
    request: Amount,
    /// Device models it is tied to.
    #[serde(default)]
    models: Vec<String>,
    /// The longest it may run.
    time_limit_ms: Option<i64>,
    /// How long it has to stop when asked to; 30 s if absent.
    grace_ms: Option<i64>,
    /// Workloads that must have completed first.
    #[serde(default)]
    depends_on: Vec<u32>,
    /// The places, from 0, of those before it in this list that must have completed first.
    #[serde(default)]
    pub(crate) after: Vec<usize>,
    /// How often it is tried again after it failed.
    #[serde(default)]
    retries: u32,
    /// Its place in an array.
    #[serde(default, deserialize_with = "object::some")]
    array: Option<Place>,
    /// So many of it, an array: each finds its number in TRIMTAB_ARRAY_INDEX.
    array_count: Option<u32>,
}

/// A place in an array.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// From 0.
    index: u32,
    /// How many there are.
    count: u32,
}

impl NewWorkload {
    /// How many workloads it stands for.
    pub(crate) fn members(&self) -> usize {
        self.array_count.map_or(1, |count| count as usize)
    }

    /// The workloads it stands for, with no word yet of those before them in the list.
    pub(crate) fn into_submissions(self, caller: &str) -> Vec<Submission> {
        let submission = Submission {
            command: self.command,
            directory: self.directory,
            environment: self.environment,
            name: self.name,
            queue: self.queue.unwrap_or_else(|| DEFAULT_QUEUE.into()),
            user: Some(self.user.unwrap_or_else(|| caller.to_owned())),
            priority: self.priority,
            request: self.request.into(),
            models: self.models,
            time_limit_ms: self.time_limit_ms.map(Millis),
            grace: self.grace_ms.map_or(Millis::seconds(30), Millis),
            depends_on: self.depends_on.into_iter().map(WorkloadId).collect(),
            retries: self.retries,
            array: self.array.map(|Place { index, count }| ArrayPlace { index, count }),
        };
        let Some(count) = self.array_count else { return vec![submission] };
        let member = |index| Submission { array: Some(ArrayPlace { index, count }), ..submission.clone() };
        (0..count).map(member).collect()
    }
}

/// A workload in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listed {
    /// Its id.
    id: u32,
    /// Where it stands: held, waiting, backing_off, starting, running, completed, failed, cancelled, timed_out, out_of_memory,
    /// node_failed.
    state: &'static str,
    /// What its owner calls it.
    name: Option<String>,
    /// Its command, cut to 200 characters.
    command: String,
    /// Its queue.
    queue: String,
    /// Whose it is.
    user: String,
    /// What it asks for.
    request: Amount,
    /// When it was handed in.
    submitted_ms: i64,
    /// When its last run began.
    started_ms: Option<i64>,
    /// When it was over.
    finished_ms: Option<i64>,
    /// How many runs it had.
    runs: u64,
}

impl From<Row> for Listed {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.0,
            state: row.state.name(),
            name: row.name,
            command: row.command,
            queue: row.queue,
            user: row.user,
            request: row.request.into(),
            submitted_ms: row.submitted.0,
            started_ms: row.started.map(|at| at.0),
            finished_ms: row.finished.map(|at| at.0),
            runs: row.runs,
        }
    }
}

/// A page of workloads, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkloadPage {
    /// Its rows.
    pub(crate) workloads: Vec<Listed>,
    /// Ask for `before` this one for the next page; absent: there is none.
    pub(crate) next: Option<u32>,
    /// How many there are of each state.
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

/// A workload and all that became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Workload {
    /// Its id.
    id: u32,
    /// Where it stands.
    state: &'static str,
    /// What its owner calls it.
    name: Option<String>,
    /// The program and its arguments.
    command: Vec<String>,
    /// Where it starts.
    directory: String,
    /// Its queue.
    queue: String,
    /// Whose it is.
    user: Option<String>,
    /// What it asks for.
    request: Amount,
    /// The longest it may run.
    time_limit_ms: Option<i64>,
    /// What had to complete first.
    depends_on: Vec<u32>,
    /// How often it is tried again.
    retries: u32,
    /// Its place in an array.
    array: Option<Place>,
    /// When it was handed in.
    submitted_ms: i64,
    /// When it could first have started.
    eligible_ms: Option<i64>,
    /// Not tried again before this.
    not_before_ms: Option<i64>,
    /// When it was over.
    finished_ms: Option<i64>,
    /// Why, where its state does not say it all.
    reason: Option<String>,
    /// Whether it was asked to stop.
    stopping: bool,
    /// Its runs, and starts that failed.
    runs: Vec<Attempt>,
}

/// A run, or a start that failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attempt {
    /// When it was decided.
    decided_ms: i64,
    /// When it began.
    started_ms: Option<i64>,
    /// How long it ran.
    ran_ms: Option<i64>,
    /// How it ended, in words.
    ended: Option<String>,
    /// The devices it was given.
    devices: Vec<u32>,
    /// Core time it used.
    cpu_ms: Option<i64>,
    /// The largest memory it used.
    memory_peak_bytes: Option<u64>,
}

impl From<Live> for Workload {
    fn from(live: Live) -> Self {
        let asked = live.submission;
        let not_before_ms = match live.phase {
            fleet::live::Phase::BackingOff { after } => Some(after.0),
            _ => None,
        };
        Self {
            id: live.id.0,
            state: State::of(live.phase).name(),
            name: asked.name,
            command: asked.command,
            directory: asked.directory,
            queue: asked.queue,
            user: asked.user,
            request: asked.request.into(),
            time_limit_ms: asked.time_limit_ms.map(|limit| limit.0),
            depends_on: asked.depends_on.iter().map(|id| id.0).collect(),
            retries: asked.retries,
            array: asked.array.map(|ArrayPlace { index, count }| Place { index, count }),
            submitted_ms: live.submitted.0,
            eligible_ms: live.eligible.map(|at| at.0),
            not_before_ms,
            finished_ms: live.finished.map(|at| at.0),
            reason: live.reason,
            stopping: live.stopping.is_some(),
            runs: live.runs.into_iter().map(Attempt::from).collect(),
        }
    }
}

impl From<Run> for Attempt {
    fn from(run: Run) -> Self {
        let devices = run.slots.iter().flat_map(|slot| (0..64).filter(move |device| slot.devices >> device & 1 == 1));
        let failed = run.start_failed.map(|reason| format!("did not start: {reason}"));
        Self {
            decided_ms: run.decided.0,
            started_ms: run.started.map(|at| at.0),
            ran_ms: run.end.map(|end| end.ran.0),
            ended: run.end.map(|end| end.exit.words_with(end.cause)).or(failed),
            devices: devices.collect(),
            cpu_ms: run.end.and_then(|end| end.used.cpu).map(|cpu| cpu.0),
            memory_peak_bytes: run.end.and_then(|end| end.used.memory_peak).map(|peak| peak.0),
        }
    }
}

/// Something was done, or needed not to be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// Whether anything changed.
    pub(crate) changed: bool,
}

impl From<control::Reply> for Done {
    fn from(reply: control::Reply) -> Self {
        Self { changed: reply != control::Reply::Nothing }
    }
}
