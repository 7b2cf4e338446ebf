//! What a history holds, covers and lacks, counted in one pass. Memory grows with the number of nodes, queues and users, not
//! with the number of workloads.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use connect::import::Ids;
use fleet::event::EndCause;
use fleet::history::{End, Header, NodeEvent, NodeRecord, PolicyRecord, QueueRecord, WorkloadRecord};
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::time::Timestamp;
use serde::Serialize;

use super::quantile::Lengths;

/// What a history holds, covers and lacks. Its JSON is documented in docs/HISTORY.md.
#[derive(Debug, Serialize)]
pub(super) struct Survey {
    pub(super) file: String,
    #[serde(flatten)]
    pub(super) header: Header,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) rows_left_out: u64,
    pub(super) workloads: u64,
    pub(super) never_started: u64,
    pub(super) still_running: u64,
    pub(super) runs: u64,
    pub(super) use_of: Hours,
    pub(super) waits: Waits,
    pub(super) nodes: Vec<NodeKind>,
    pub(super) node_events: u64,
    pub(super) policies: Vec<String>,
    pub(super) queues: Vec<Group>,
    pub(super) users: u64,
    pub(super) largest_users: Vec<Group>,
    pub(super) sizes: Vec<Group>,
    pub(super) ends: Vec<Group>,
    pub(super) known: Vec<Known>,
    pub(super) oddities: Vec<Oddity>,
}

/// Use of devices and cores, in hours.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Hours {
    pub(super) device_hours: f64,
    pub(super) core_hours: f64,
}

/// Recorded waits: from eligible to the first start.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Waits {
    pub(super) recorded: u64,
    pub(super) mean_ms: Option<Millis>,
    pub(super) p50_ms: Option<Millis>,
    pub(super) p95_ms: Option<Millis>,
}

/// Nodes that are alike.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NodeKind {
    pub(super) count: u64,
    pub(super) cores: Option<f64>,
    pub(super) memory_bytes: Option<Bytes>,
    pub(super) devices: u32,
    pub(super) model: Option<String>,
    pub(super) priced: bool,
}

/// Workloads that have something in common.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) workloads: u64,
    pub(super) users: u64,
    #[serde(flatten)]
    pub(super) use_of: Hours,
    pub(super) waits: Waits,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rules: Option<QueueRecord>,
}

/// For how many workloads something is known.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Known {
    pub(super) what: &'static str,
    pub(super) workloads: u64,
}

/// Something that should not be.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Oddity {
    pub(super) what: &'static str,
    pub(super) times: u64,
    /// The first workload it happened to.
    pub(super) first: String,
}

/// So many users are told by name.
const USERS_SHOWN: usize = 10;
/// A run may pass its limit by this much (the kill takes time) before it is odd.
const LIMIT_SLACK: Millis = Millis::minutes(5);

/// Counts.
pub(super) struct Surveyor {
    survey: Survey,
    queues: BTreeMap<String, Tally>,
    rules: BTreeMap<String, QueueRecord>,
    users: BTreeMap<String, Tally>,
    sizes: BTreeMap<Size, Tally>,
    ends: BTreeMap<EndCause, Tally>,
    waits: Lengths,
    kinds: BTreeMap<Kind, u64>,
    nodes: BTreeSet<String>,
    nodes_named: BTreeMap<String, String>,
    known: [u64; KNOWN.len()],
    oddities: BTreeMap<&'static str, (u64, String)>,
    ids: Ids,
    use_of: Use,
}

/// What nodes of a kind share: cores, memory, devices, model, whether they have a price.
type Kind = (Option<u64>, Option<u64>, u32, Option<String>, bool);

/// Devices in thousandths, then cores where there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Size {
    Devices(u64),
    Cores(u64),
    Unknown,
}

#[derive(Clone, Copy, Debug, Default)]
struct Use {
    device_ms: i128,
    core_ms: i128,
}

#[derive(Debug, Default)]
struct Tally {
    workloads: u64,
    users: BTreeSet<u64>,
    use_of: Use,
    waits: Lengths,
}

/// Whether something is known of a workload.
type IsKnown = fn(&WorkloadRecord) -> bool;

/// What may be unknown of a workload, and whether it is.
const KNOWN: [(&str, IsKnown); 15] = [
    ("start", |workload| workload.attempts.first().is_some_and(|attempt| attempt.start.is_some())),
    ("how it ended", |workload| workload.attempts.last().is_none_or(|attempt| attempt.cause != EndCause::Unknown)),
    ("nodes it ran on", |workload| workload.attempts.first().is_some_and(|attempt| !attempt.nodes.is_empty())),
    ("user", |workload| workload.user.is_some()),
    ("name", |workload| workload.name.is_some()),
    ("account", |workload| workload.account.is_some()),
    ("time limit", |workload| workload.time_limit_ms.is_some()),
    ("eligible apart from submit", |workload| workload.eligible.is_some()),
    ("devices asked", |workload| workload.request.devices > MilliDevice::ZERO),
    ("cores asked", |workload| workload.request.cpu > MilliCpu::ZERO),
    ("memory asked", |workload| workload.request.memory > Bytes::ZERO),
    ("core time used", |workload| workload.used.cpu_ms.is_some()),
    ("memory used", |workload| workload.used.memory_peak_bytes.is_some()),
    ("device time busy", |workload| workload.used.device_busy_ms.is_some()),
    ("checkpoints", |workload| workload.checkpoint_every_ms.is_some()),
];

impl Surveyor {
    pub(super) fn begin(file: &str, header: &Header) -> Self {
        let survey = Survey {
            file: file.to_owned(),
            header: header.clone(),
            from: None,
            until: None,
            rows_left_out: 0,
            workloads: 0,
            never_started: 0,
            still_running: 0,
            runs: 0,
            use_of: Hours::default(),
            waits: Waits::default(),
            nodes: Vec::new(),
            node_events: 0,
            policies: Vec::new(),
            queues: Vec::new(),
            users: 0,
            largest_users: Vec::new(),
            sizes: Vec::new(),
            ends: Vec::new(),
            known: Vec::new(),
            oddities: Vec::new(),
        };
        Self {
            survey,
            queues: BTreeMap::new(),
            rules: BTreeMap::new(),
            users: BTreeMap::new(),
            sizes: BTreeMap::new(),
            ends: BTreeMap::new(),
            waits: Lengths::default(),
            kinds: BTreeMap::new(),
            nodes: BTreeSet::new(),
            nodes_named: BTreeMap::new(),
            known: [0; KNOWN.len()],
            oddities: BTreeMap::new(),
            ids: Ids::default(),
            use_of: Use::default(),
        }
    }

    pub(super) fn node(&mut self, node: NodeRecord) {
        let kind = (node.cpu_milli, node.memory_bytes, node.devices, node.model, node.price_per_hour.is_some());
        *self.kinds.entry(kind).or_default() += 1;
        self.nodes.insert(node.name);
    }

    pub(super) fn queue(&mut self, queue: QueueRecord) {
        self.queues.entry(queue.name.clone()).or_default();
        self.rules.insert(queue.name.clone(), queue);
    }

    pub(super) fn policy(&mut self, policy: &PolicyRecord) {
        self.survey.policies.push(policy.policy.order.name().to_owned());
    }

    pub(super) fn node_event(&mut self, event: &NodeEvent) {
        self.survey.node_events += 1;
        self.nodes_named.entry(event.node.clone()).or_insert_with(|| "a node event".to_owned());
    }

    pub(super) fn workload(&mut self, workload: &WorkloadRecord) {
        self.survey.workloads += 1;
        self.survey.runs += workload.attempts.len() as u64;
        self.survey.never_started += u64::from(workload.attempts.is_empty());
        self.survey.still_running += u64::from(workload.attempts.last().is_some_and(|attempt| attempt.run.is_none()));
        for (count, (_, is_known)) in self.known.iter_mut().zip(KNOWN) {
            *count += u64::from(is_known(workload));
        }
        let use_of = used(workload);
        self.use_of.add(use_of);
        let wait = workload.attempts.first().and_then(|attempt| Some(attempt.start?.since(workload.eligible_at())));
        if let Some(wait) = wait {
            self.waits.add(wait);
        }
        let user = workload.user.as_deref().map(hash);
        let cause = workload.attempts.last().map(|attempt| attempt.cause);
        let tallies = [
            Some(self.queues.entry(workload.queue.clone()).or_default()),
            workload.user.clone().map(|user| self.users.entry(user).or_default()),
            Some(self.sizes.entry(size(workload)).or_default()),
            cause.map(|cause| self.ends.entry(cause).or_default()),
        ];
        for tally in tallies.into_iter().flatten() {
            tally.workloads += 1;
            tally.users.extend(user);
            tally.use_of.add(use_of);
            if let Some(wait) = wait {
                tally.waits.add(wait);
            }
        }
        self.look_for_oddities(workload);
    }

    fn look_for_oddities(&mut self, workload: &WorkloadRecord) {
        let mut odd = |what: &'static str| {
            self.oddities.entry(what).or_insert_with(|| (0, workload.id.clone())).0 += 1;
        };
        if !self.ids.is_new(hash(&workload.id)) {
            odd("an id stands twice");
        }
        let mut free_from = workload.eligible_at();
        for (number, attempt) in workload.attempts.iter().enumerate() {
            if attempt.start.is_some_and(|start| start < free_from) {
                odd(if number == 0 { "it starts before it was eligible" } else { "its runs overlap" });
            }
            free_from = attempt.start.zip(attempt.run).map_or(free_from, |(start, run)| start + run);
            if attempt.run.zip(workload.time_limit_ms).is_some_and(|(run, limit)| run > limit + LIMIT_SLACK) {
                odd("it ran past its time limit by more than five minutes");
            }
            for node in &attempt.nodes {
                if !self.nodes_named.contains_key(node) {
                    self.nodes_named.insert(node.clone(), workload.id.clone());
                }
            }
        }
        if workload.request == Resources::ZERO {
            odd("it asks for nothing");
        }
    }

    pub(super) fn finish(mut self, end: Option<&End>) -> Survey {
        let strangers: Vec<&String> = self
            .nodes_named
            .iter()
            .filter(|(node, _)| !self.nodes.is_empty() && !self.nodes.contains(*node))
            .map(|(_, id)| id)
            .collect();
        if let Some(first) = strangers.first() {
            let entry = (strangers.len() as u64, (*first).clone());
            self.oddities.insert("a node is named that the history does not describe", entry);
        }
        let mut survey = self.survey;
        if let Some(end) = end {
            (survey.from, survey.until, survey.rows_left_out) = (end.from, end.until, end.rows_left_out);
        }
        survey.use_of = self.use_of.hours();
        survey.waits = waits(&self.waits);
        survey.nodes = self.kinds.into_iter().map(|(kind, count)| node_kind(kind, count)).collect();
        survey.users = self.users.len() as u64;
        let rules = self.rules;
        survey.queues = groups(self.queues, |name| rules.get(name).cloned());
        survey.largest_users = groups(self.users, |_| None);
        survey.largest_users.truncate(USERS_SHOWN);
        let sizes = self.sizes.into_iter();
        survey.sizes = sizes.map(|(size, tally)| tally.group(size.words(), None)).collect();
        survey.ends = groups(self.ends.into_iter().map(|(cause, t)| (cause.words().to_owned(), t)).collect(), |_| None);
        survey.known = KNOWN.iter().zip(self.known).map(|((what, _), workloads)| Known { what, workloads }).collect();
        let oddities = self.oddities.into_iter();
        survey.oddities = oddities.map(|(what, (times, first))| Oddity { what, times, first }).collect();
        survey
    }
}

/// The use of a workload, over all its runs.
fn used(workload: &WorkloadRecord) -> Use {
    let run: i128 = workload.attempts.iter().filter_map(|attempt| attempt.run).map(|run| i128::from(run.0)).sum();
    let tasks = i128::from(workload.tasks);
    Use {
        device_ms: i128::from(workload.request.devices.0) * tasks * run / 1_000,
        core_ms: i128::from(workload.request.cpu.0) * tasks * run / 1_000,
    }
}

fn size(workload: &WorkloadRecord) -> Size {
    let tasks = u64::from(workload.tasks);
    match (workload.request.devices.0, workload.request.cpu.0) {
        (0, 0) => Size::Unknown,
        (0, cores) => Size::Cores((cores.saturating_mul(tasks) / 1_000).next_power_of_two()),
        (devices, _) => Size::Devices(devices.saturating_mul(tasks)),
    }
}

impl Size {
    fn words(self) -> String {
        match self {
            Self::Devices(MilliDevice::WHOLE) => "1 device".to_owned(),
            Self::Devices(milli) if milli % 1_000 == 0 => format!("{} devices", milli / 1_000),
            Self::Devices(milli) => format!("{:.3} devices", MilliDevice(milli).as_devices()),
            Self::Cores(1) => "1 core".to_owned(),
            Self::Cores(2) => "2 cores".to_owned(),
            Self::Cores(most) => format!("{}-{most} cores", most / 2 + 1),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

impl Use {
    fn add(&mut self, other: Self) {
        self.device_ms += other.device_ms;
        self.core_ms += other.core_ms;
    }

    fn hours(self) -> Hours {
        let hours = |ms: i128| ms as f64 / 3_600_000.0;
        Hours { device_hours: hours(self.device_ms), core_hours: hours(self.core_ms) }
    }
}

impl Tally {
    fn group(&self, name: String, rules: Option<QueueRecord>) -> Group {
        Group {
            name,
            workloads: self.workloads,
            users: self.users.len() as u64,
            use_of: self.use_of.hours(),
            waits: waits(&self.waits),
            rules,
        }
    }
}

/// The largest use first.
fn groups(tallies: BTreeMap<String, Tally>, rules: impl Fn(&str) -> Option<QueueRecord>) -> Vec<Group> {
    let mut list: Vec<(String, Tally)> = tallies.into_iter().collect();
    list.sort_by_key(|(_, tally)| std::cmp::Reverse((tally.use_of.device_ms, tally.use_of.core_ms, tally.workloads)));
    list.into_iter().map(|(name, tally)| tally.group(name.clone(), rules(&name))).collect()
}

fn waits(lengths: &Lengths) -> Waits {
    Waits {
        recorded: lengths.count(),
        mean_ms: lengths.mean(),
        p50_ms: lengths.permille(500),
        p95_ms: lengths.permille(950),
    }
}

fn node_kind((cpu_milli, memory_bytes, devices, model, priced): Kind, count: u64) -> NodeKind {
    let cores = cpu_milli.map(|milli| milli as f64 / 1_000.0);
    NodeKind { count, cores, memory_bytes: memory_bytes.map(Bytes), devices, model, priced }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
