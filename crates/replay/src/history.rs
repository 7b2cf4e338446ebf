//! A history in memory: names turned into ids, workloads in the order in which they became eligible.

use std::io::BufRead;

use fleet::event::EndCause;
use fleet::history::{Header, NodeChange, NodeEvent, NodeRecord, QueueRecord, Reader, Record, Used, WorkloadRecord};
use fleet::ids::{ModelId, NameId, NodeId, PoolId, QueueId, UserId, WorkloadId};
use fleet::names::Names;
use fleet::node::Node;
use fleet::policy::Policy;
use fleet::problem::Problem;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::queue::Metered;
use fleet::time::Timestamp;
use fleet::workload::{Constraint, Workload};

/// A history in memory.
#[derive(Clone, Debug)]
pub struct History {
    /// Where it comes from.
    pub header: Header,
    /// The names behind the ids.
    pub names: Tables,
    /// The nodes, by id.
    pub nodes: Vec<NodeRecord>,
    /// What the nodes offer to the engine, by id; what is unknown never blocks. `None`: only events or runs name the node.
    pub specs: Vec<Option<Node>>,
    /// The queues, by id.
    pub queues: Vec<QueueRecord>,
    /// The policy the fleet ran by, if the source told.
    pub policy: Option<Policy>,
    /// How long after the end of a run its room was free again.
    pub completing: Millis,
    /// What became of nodes, in order of time.
    pub node_events: Vec<(Timestamp, NodeId, NodeChange)>,
    /// Everything that was asked for, in order of eligibility; a workload's id is its place.
    pub workloads: Vec<Recorded>,
    /// Rows of the source that were left out when it was imported.
    pub rows_left_out: u64,
    /// Workloads left out here: they asked for nothing that can be placed.
    pub unplaceable: u64,
    /// The first submit, or the beginning of observation.
    pub from: Timestamp,
    /// The last recorded moment.
    pub until: Timestamp,
}

/// The names behind ids.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Queues.
    pub queues: Names<QueueId>,
    /// Users.
    pub users: Names<UserId>,
    /// Nodes.
    pub nodes: Names<NodeId>,
    /// Pools.
    pub pools: Names<PoolId>,
    /// Device models.
    pub models: Names<ModelId>,
    /// Workloads' names.
    pub workload_names: Names<NameId>,
}

/// One workload as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its id in the source.
    pub id: String,
    /// What the engine may know of it.
    pub workload: Workload,
    /// When it was handed in.
    pub submit: Timestamp,
    /// When it could first have started.
    pub eligible: Timestamp,
    /// Its runs.
    pub attempts: Vec<Run>,
    /// When it was withdrawn without having started.
    pub withdrawn: Option<Timestamp>,
    /// What it used.
    pub used: Used,
    /// Workloads that had to end before it, where they are in this history.
    pub depends_on: Vec<WorkloadId>,
    /// How often it writes checkpoints, if it does.
    pub checkpoint_every: Option<Millis>,
}

/// One run as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it began, if the source told.
    pub start: Option<Timestamp>,
    /// How long it ran.
    pub length: Millis,
    /// How it ended.
    pub cause: EndCause,
    /// Whether it was still running when observation ended, so that its length is only a lower bound.
    pub cut_off: bool,
    /// Where it ran.
    pub nodes: Vec<NodeId>,
    /// For how long its room was given to it before it began.
    pub starting: Millis,
    /// How long after its end its room was free again, if that is known of this run.
    pub completing: Option<Millis>,
}

impl Run {
    /// That it ran until then, if its end was not seen.
    fn cut_off_at(&mut self, until: Timestamp) {
        if self.cut_off {
            self.length = self.start.map_or(Millis::ZERO, |start| until.since(start).max(Millis::ZERO));
        }
    }
}

impl Recorded {
    /// All runs together.
    #[must_use]
    pub fn run(&self) -> Millis {
        self.attempts.iter().map(|run| run.length).sum()
    }

    /// When its last run ended, if the source told.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        let last = self.attempts.last()?;
        Some(last.start? + last.length)
    }

    /// Completion − eligible − run, if the source told.
    #[must_use]
    pub fn wait(&self) -> Option<Millis> {
        Some(Millis(self.end()?.since(self.eligible).0 - self.run().0).max(Millis::ZERO))
    }

    /// How its last run ended.
    #[must_use]
    pub fn cause(&self) -> EndCause {
        self.attempts.last().map_or(EndCause::Cancelled, |run| run.cause)
    }
}

/// Cores of a node whose source did not tell: never in the way.
const CPU_UNKNOWN: MilliCpu = MilliCpu(1 << 40);
/// Memory of a node whose source did not tell: never in the way.
const MEMORY_UNKNOWN: Bytes = Bytes(1 << 44);

/// Collects records until the end is read.
#[derive(Default)]
struct Loading {
    names: Tables,
    nodes: Vec<NodeRecord>,
    specs: Vec<Option<Node>>,
    queues: Vec<QueueRecord>,
    policy: Option<Policy>,
    completing: Millis,
    node_events: Vec<(Timestamp, NodeId, NodeChange)>,
    workloads: Vec<(Recorded, Vec<String>)>,
    unplaceable: u64,
}

impl History {
    /// Reads a whole history. `file` is the name that errors give.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn read(input: impl BufRead, file: &str) -> Result<Self, Problem> {
        let mut reader = Reader::begin(input, file)?;
        let mut loading = Loading::default();
        while let Some(record) = reader.next_record()? {
            loading.add(record);
        }
        let end = reader.end().cloned().unwrap_or_default();
        let mut history = loading.finish(reader.header().clone());
        history.rows_left_out = end.rows_left_out;
        history.observed(end.from, end.until);
        Ok(history)
    }

    /// From when until when the source says that it looked. What still ran at the end ran at least until then.
    pub fn observed(&mut self, from: Option<Timestamp>, until: Option<Timestamp>) {
        self.from = from.unwrap_or(self.from);
        self.until = until.unwrap_or(self.until);
        let until = self.until;
        for run in self.workloads.iter_mut().flat_map(|recorded| &mut recorded.attempts) {
            run.cut_off_at(until);
        }
    }

    /// Takes records as an importer hands them out.
    #[must_use]
    pub fn from_records(header: Header, records: impl Iterator<Item = Record>) -> Self {
        let mut loading = Loading::default();
        records.for_each(|record| loading.add(record));
        loading.finish(header)
    }

    /// What quotas count: devices where there are any, cores where there are none.
    #[must_use]
    pub fn metered(&self) -> Metered {
        let devices = self.nodes.iter().any(|node| node.devices > 0)
            || self.nodes.is_empty() && self.workloads.iter().any(|w| w.workload.request.devices.0 > 0);
        if devices { Metered::Devices } else { Metered::Cores }
    }

    /// What a workload takes of the metered resource.
    #[must_use]
    pub fn meter(&self, workload: &Workload) -> MilliDevice {
        match self.metered() {
            Metered::Devices => workload.total().devices,
            Metered::Cores => MilliDevice(workload.total().cpu.0),
        }
    }

    /// Puts other nodes in the place of those recorded.
    pub fn set_nodes(&mut self, nodes: impl Iterator<Item = NodeRecord>) {
        self.nodes.clear();
        self.specs.clear();
        self.names.nodes = Names::new();
        self.node_events.clear();
        let mut loading = Loading { names: std::mem::take(&mut self.names), ..Loading::default() };
        nodes.for_each(|node| loading.add_node(node));
        self.nodes = loading.nodes;
        self.specs = loading.specs;
        self.names = loading.names;
        for recorded in &mut self.workloads {
            for run in &mut recorded.attempts {
                run.nodes.clear();
            }
        }
    }

    /// Puts other rules in the place of those recorded for a queue.
    pub fn set_queue(&mut self, queue: QueueRecord) {
        let id = self.names.queues.intern(&queue.name);
        while self.queues.len() <= id.index() {
            let name = self.names.queues.name(self.queues.len()).to_owned();
            self.queues.push(QueueRecord { name, ..QueueRecord::default() });
        }
        self.queues[id.index()] = queue;
    }
}

impl Loading {
    fn add(&mut self, record: Record) {
        match record {
            Record::Header(_) | Record::End(_) => {}
            Record::Node(node) => self.add_node(node),
            Record::Queue(queue) => self.add_queue(queue),
            // One policy for the whole history: the last one recorded.
            Record::Policy(record) => {
                self.policy = Some(record.policy);
                self.completing = record.completing.unwrap_or_default();
            }
            Record::NodeEvent(NodeEvent { at, node, change, .. }) => {
                let id = self.names.nodes.intern(&node);
                self.node_events.push((at, id, change));
            }
            Record::Workload(record) => self.add_workload(*record),
        }
    }

    fn add_node(&mut self, node: NodeRecord) {
        let mut pools: Vec<PoolId> = node.pools.iter().map(|pool| self.names.pools.intern(pool)).collect();
        pools.sort_unstable();
        pools.dedup();
        let spec = Node {
            pools,
            cpu: node.cpu_milli.map_or(CPU_UNKNOWN, MilliCpu),
            memory: node.memory_bytes.map_or(MEMORY_UNKNOWN, Bytes),
            devices: node.devices,
            model: node.model.as_deref().map(|model| self.names.models.intern(model)),
        };
        let id = self.names.nodes.intern(&node.name);
        while self.nodes.len() <= id.index() {
            self.nodes.push(NodeRecord::default());
            self.specs.push(None);
        }
        self.nodes[id.index()] = node;
        self.specs[id.index()] = Some(spec);
    }

    fn add_queue(&mut self, queue: QueueRecord) {
        let id = self.queue(&queue.name);
        self.queues[id.index()] = queue;
    }

    fn queue(&mut self, name: &str) -> QueueId {
        let id = self.names.queues.intern(name);
        if self.queues.len() <= id.index() {
            self.queues.push(QueueRecord { name: name.to_owned(), ..QueueRecord::default() });
        }
        id
    }

    fn add_workload(&mut self, record: WorkloadRecord) {
        let request = record.request;
        let parts = !request.devices.0.is_multiple_of(MilliDevice::WHOLE) && request.devices.0 > MilliDevice::WHOLE;
        if record.tasks == 0 || parts {
            self.unplaceable += 1;
            return;
        }
        let sorted = |mut ids: Vec<u32>| {
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let pools = sorted(record.pools.iter().map(|pool| self.names.pools.intern(pool).0).collect());
        let models = sorted(record.models.iter().map(|model| self.names.models.intern(model).0).collect());
        let eligible = record.eligible_at();
        let workload = Workload {
            id: WorkloadId(0),
            queue: self.queue(&record.queue),
            user: record.user.as_deref().map(|user| self.names.users.intern(user)),
            name: record.name.as_deref().map(|name| self.names.workload_names.intern(name)),
            priority: record.priority,
            tasks: record.tasks,
            request,
            spread: record.spread,
            constraint: Constraint {
                pools: pools.into_iter().map(PoolId).collect(),
                models: models.into_iter().map(ModelId).collect(),
            },
            time_limit: record.time_limit_ms,
        };
        let attempts = record.attempts.iter().map(|attempt| Run {
            start: attempt.start,
            length: attempt.run.unwrap_or(Millis(-1)),
            cause: attempt.cause,
            cut_off: attempt.run.is_none(),
            nodes: attempt.nodes.iter().map(|node| self.names.nodes.intern(node)).collect(),
            starting: attempt.starting.unwrap_or_default().max(Millis::ZERO),
            completing: attempt.completing.map(|completing| completing.max(Millis::ZERO)),
        });
        let recorded = Recorded {
            id: record.id,
            workload,
            submit: record.submit,
            eligible,
            attempts: attempts.collect(),
            withdrawn: record.withdrawn,
            used: record.used,
            depends_on: Vec::new(),
            checkpoint_every: record.checkpoint_every_ms,
        };
        self.workloads.push((recorded, record.depends_on));
    }

    fn finish(mut self, header: Header) -> History {
        // Stable: of those eligible at one moment, the order of submission and then of the source stays.
        self.workloads.sort_by_key(|(recorded, _)| (recorded.eligible, recorded.submit));
        self.node_events.sort_by_key(|&(at, ..)| at);
        // Nodes that only events or runs name are not part of the fleet: nothing is known of them.
        while self.nodes.len() < self.names.nodes.len() {
            let name = self.names.nodes.name(self.nodes.len()).to_owned();
            self.nodes.push(NodeRecord { name, ..NodeRecord::default() });
            self.specs.push(None);
        }
        self.depend();
        let mut workloads: Vec<Recorded> = self.workloads.into_iter().map(|(recorded, _)| recorded).collect();
        let from = workloads.iter().map(|w| w.submit).min().unwrap_or_default();
        let known = workloads.iter().filter_map(|w| w.end().filter(|end| *end > w.submit).or(w.withdrawn));
        let until = known.chain(workloads.iter().map(|w| w.submit)).max().unwrap_or_default();
        for (index, recorded) in workloads.iter_mut().enumerate() {
            recorded.workload.id = WorkloadId(index as u32);
            for run in &mut recorded.attempts {
                run.cut_off_at(until);
            }
        }
        History {
            header,
            names: self.names,
            nodes: self.nodes,
            specs: self.specs,
            queues: self.queues,
            policy: self.policy,
            completing: self.completing,
            node_events: self.node_events,
            workloads,
            rows_left_out: 0,
            unplaceable: self.unplaceable,
            from,
            until,
        }
    }

    /// Turns the ids that workloads depend on into places in the list, where both are in this history and the order of time
    /// allows it.
    fn depend(&mut self) {
        if self.workloads.iter().all(|(_, on)| on.is_empty()) {
            return;
        }
        let index: std::collections::BTreeMap<String, u32> =
            self.workloads.iter().enumerate().map(|(at, (recorded, _))| (recorded.id.clone(), at as u32)).collect();
        for at in 0..self.workloads.len() {
            let (recorded, on) = &mut self.workloads[at];
            let places = on.iter().filter_map(|id| index.get(id)).filter(|&&place| (place as usize) < at);
            recorded.depends_on = places.map(|&place| WorkloadId(place)).collect();
        }
    }
}
