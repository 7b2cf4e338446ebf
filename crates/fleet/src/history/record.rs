//! The records of a history file.

use serde::{Deserialize, Serialize};

use crate::event::EndCause;
use crate::money::Money;
use crate::node::Resources;
use crate::policy::Policy;
use crate::quantity::{Bytes, MilliDevice, Millis};
use crate::time::Timestamp;
use crate::workload::Spread;

/// The version this code writes. It reads this one.
pub const VERSION: u32 = 1;

/// One line of a history file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The first line.
    Header(Header),
    /// A node the fleet has.
    Node(NodeRecord),
    /// A queue and its rules.
    Queue(QueueRecord),
    /// The rules of scheduling from a moment on.
    Policy(PolicyRecord),
    /// A node came, went, was drained or returned.
    NodeEvent(NodeEvent),
    /// A workload and all that became of it.
    Workload(Box<WorkloadRecord>),
    /// The last line.
    End(End),
}

/// Where a history comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format's version.
    pub version: u32,
    /// What it was read from: `slurm`, `swf`, `philly`, `csv`, `trimtab`.
    pub source: String,
    /// Which program wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_by: Option<String>,
    /// What the queues are in the words of the source, where it has several things with limits. Slurm's: `partitions`,
    /// `accounts` or `qos`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queues_are: Option<String>,
    /// The zone in which the source wrote its times; days and hours of day are told in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Made up by a generator; every report that uses it says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub synthetic: bool,
    /// What whoever reads it should know, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A node the fleet has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRecord {
    /// Its name, unique in the history.
    pub name: String,
    /// When it came; absent: it was there from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The pools (partitions) it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<String>,
    /// Thousandths of cores; absent: unknown, and then cores never block anything there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_milli: Option<u64>,
    /// Memory; absent: unknown, and then memory never blocks anything there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// How many accelerators.
    #[serde(default)]
    pub devices: u32,
    /// Their model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The kind of node it is, for telling kinds apart; absent: nodes alike are one kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What it costs an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_hour: Option<Money>,
    /// It is under a contract (a reservation, a lease): no recommendation gives it up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub committed: bool,
}

/// A queue and its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueRecord {
    /// Its name, unique in the history.
    pub name: String,
    /// What it may use before it borrows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_milli: Option<MilliDevice>,
    /// What it may never pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_milli: Option<MilliDevice>,
    /// What one of its users may never pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_per_user_milli: Option<MilliDevice>,
    /// How many workloads may run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_running: Option<u32>,
    /// How many workloads of one user may run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_running_per_user: Option<u32>,
    /// Higher goes first among queues.
    #[serde(default)]
    pub priority: i32,
    /// The longest a workload may ask to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_max_ms: Option<Millis>,
    /// The time limit of a workload that asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_default_ms: Option<Millis>,
    /// The pools its workloads may use; absent: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<String>,
    /// Its workloads may be put back at any time to make room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preemptible: bool,
    /// No recommendation may make this queue wait longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// What its users were promised: 95 of 100 of its workloads wait no longer. No recommendation may break it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_p95_max_ms: Option<Millis>,
}

/// The rules of scheduling from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRecord {
    /// From when; absent: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The rules.
    pub policy: Policy,
    /// How long after the end of a run its room is free again: the system cleans up. Absent: at once.
    #[serde(default, rename = "completing_ms", skip_serializing_if = "Option::is_none")]
    pub completing: Option<Millis>,
}

/// What became of a node at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeEvent {
    /// When.
    pub at: Timestamp,
    /// Which node.
    pub node: String,
    /// What.
    pub change: NodeChange,
    /// Why, in the source's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What can become of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeChange {
    /// Gone, with all that ran there.
    Lost,
    /// Nothing new starts there.
    Drained,
    /// Usable again.
    Returned,
}

/// A workload and all that became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadRecord {
    /// Its id in the source, unique in the history.
    pub id: String,
    /// Where it waited.
    pub queue: String,
    /// Who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What its owner called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The project or account that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The array it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// Ids of what had to end before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// When it was handed in.
    pub submit: Timestamp,
    /// When it could first have started; absent: when it was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligible: Option<Timestamp>,
    /// How many tasks.
    pub tasks: u32,
    /// What each task asked for; an absent part is unknown and then blocks nothing.
    pub request: Resources,
    /// How the tasks may lie.
    #[serde(default)]
    pub spread: Spread,
    /// Pools it was tied to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<String>,
    /// Device models it was tied to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Higher goes first within its queue.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// The longest it may run, as asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_ms: Option<Millis>,
    /// How often it writes checkpoints, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_every_ms: Option<Millis>,
    /// Its runs, in order of time. Empty: it never started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// For a workload that never started: when it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
    /// What it used, where the source measured it.
    #[serde(default, skip_serializing_if = "Used::is_empty")]
    pub used: Used,
}

impl WorkloadRecord {
    /// When it could first have started.
    #[must_use]
    pub fn eligible_at(&self) -> Timestamp {
        self.eligible.unwrap_or(self.submit).max(self.submit)
    }

    /// All its runs together.
    #[must_use]
    pub fn run(&self) -> Option<Millis> {
        let mut sum = Millis::ZERO;
        for attempt in &self.attempts {
            sum += attempt.run?;
        }
        (!self.attempts.is_empty()).then_some(sum)
    }
}

/// One run of a workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// When it began; absent where the source does not say (Philly's list has run times only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// How long it ran; absent while it still runs at the end of the window.
    #[serde(default, rename = "run_ms", skip_serializing_if = "Option::is_none")]
    pub run: Option<Millis>,
    /// How it ended.
    pub cause: EndCause,
    /// The nodes it ran on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// For how long its room was given to it before it began: images are fetched, processes made. Absent: it began at once.
    #[serde(default, rename = "starting_ms", skip_serializing_if = "Option::is_none")]
    pub starting: Option<Millis>,
    /// How long after its end its room was free again; absent: as the policy's `completing_ms` tells.
    #[serde(default, rename = "completing_ms", skip_serializing_if = "Option::is_none")]
    pub completing: Option<Millis>,
}

/// What a workload used, over all its tasks and attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// Core time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<Millis>,
    /// The largest memory of the whole gang at one moment, as far as the source can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<Bytes>,
    /// Device time in which the device did something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_busy_ms: Option<Millis>,
}

impl Used {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The last line: what a reader should have seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Workload records written.
    pub workloads: u64,
    /// Rows of the source that could not be read.
    #[serde(default)]
    pub rows_left_out: u64,
    /// The moment observation began, where the source says; else the first submit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The moment observation ended, where the source says; else the last end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

fn is_zero(value: &i32) -> bool {
    *value == 0
}
