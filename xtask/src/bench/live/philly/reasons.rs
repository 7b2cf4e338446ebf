//! Whether what `why` says is true: the log up to the moment of the answer tells who ran and who waited, and an engine that is told of
//! those who ran is given the one that was asked about, alone.

use std::collections::{BTreeMap, BTreeSet};

use allocate::{Budget, Engine};
use anyhow::{Context, ensure};
use fleet::action::{ActionKind, Slot};
use fleet::event::{Event, EventKind};
use fleet::history::{NodeRecord, QueueRecord};
use fleet::ids::{ActionId, NodeId, QueueId, WorkloadId};
use fleet::live::{Entry, Logged, Submission};
use fleet::node::Node;
use fleet::policy::Policy;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice};
use fleet::queue::{Metered, Queue};
use fleet::time::Timestamp;
use fleet::workload::{Constraint, Spread, Workload};

use super::drive::Answer;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) asked: usize,
    pub(super) untrue: usize,
    by_reason: BTreeMap<String, usize>,
}

impl Checked {
    pub(super) fn words(&self) -> String {
        self.by_reason.iter().map(|(reason, count)| format!("{reason} {count}")).collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn check(log: &[Logged], answers: &[Answer]) -> anyhow::Result<Checked> {
    let mut answers: Vec<(u64, &Answer)> =
        answers.iter().filter_map(|answer| Some((answer.told["as_of"].as_u64()?, answer))).collect();
    answers.sort_by_key(|(as_of, _)| *as_of);
    let mut checked = Checked { asked: answers.len(), ..Checked::default() };
    let mut books = Books::default();
    let mut entries = log.iter().peekable();
    for (as_of, answer) in answers {
        while let Some(logged) = entries.next_if(|logged| logged.seq <= as_of) {
            books.take(logged);
        }
        let reason = answer.told["reason"].as_str().context("an answer has no reason")?;
        *checked.by_reason.entry(reason.to_owned()).or_default() += 1;
        if !books.bear_out(reason, answer)? {
            checked.untrue += 1;
            eprintln!("not true of workload {}: {}", answer.workload, answer.told);
        }
    }
    Ok(checked)
}

/// Who runs where, and who waits.
#[derive(Default)]
struct Books {
    node: Option<(NodeId, NodeRecord)>,
    queues: BTreeMap<String, QueueRecord>,
    asked: BTreeMap<WorkloadId, Submission>,
    waiting: BTreeSet<WorkloadId>,
    running: BTreeMap<WorkloadId, (ActionId, Vec<Slot>)>,
}

impl Books {
    fn take(&mut self, logged: &Logged) {
        match &logged.entry {
            Entry::NodeFound { node, facts } => self.node = Some((*node, facts.clone())),
            Entry::QueueSet { rules, .. } => drop(self.queues.insert(rules.name.clone(), rules.clone())),
            Entry::Submitted { workload, submission, .. } => {
                self.asked.insert(*workload, (**submission).clone());
            }
            Entry::Eligible { workload } => drop(self.waiting.insert(*workload)),
            Entry::Decided { action, workload, slots } => {
                self.waiting.remove(workload);
                self.running.insert(*workload, (*action, slots.clone()));
            }
            Entry::RunEnded { workload, .. } => drop(self.running.remove(workload)),
            Entry::NotBegun { workload, .. } | Entry::StartFailed { workload, .. } => {
                self.running.remove(workload);
                self.waiting.insert(*workload);
            }
            Entry::Finished { workload, .. } => drop(self.waiting.remove(workload)),
            _ => {}
        }
    }

    fn bear_out(&self, reason: &str, answer: &Answer) -> anyhow::Result<bool> {
        let id = WorkloadId(answer.workload);
        ensure!(self.waiting.contains(&id), "{answer:?}: it did not wait then");
        let asked = &self.asked[&id];
        let (_, node) = self.node.as_ref().context("there is a node")?;
        let used: MilliDevice = self.running.keys().map(|other| self.asked[other].request.devices).sum();
        let free = u64::from(node.devices) * 1_000 - used.0;
        let room_kept_for_waiting = answer.told["workloads"]
            .as_array()
            .is_some_and(|all| all.iter().all(|it| it.as_u64().is_some_and(|it| self.waits(it as u32))));
        let wanted = asked.request.devices.0;
        let rules = self.queues.get(&asked.queue).cloned().unwrap_or_default();
        let of_queue = || self.running.keys().filter(|other| self.asked[*other].queue == asked.queue);
        let in_queue: MilliDevice = of_queue().map(|other| self.asked[other].request.devices).sum();
        let says = match reason {
            "too_little_free" => wanted > free && !self.starts(id, true, true)? && self.starts(id, true, false)?,
            "kept_for_others" => wanted <= free && self.starts(id, true, true)? && self.waiting.len() > 1,
            "limit_queue" => {
                rules.limit_milli.is_some_and(|limit| in_queue.0 + wanted > limit.0)
                    && !self.starts(id, true, true)?
                    && self.starts(id, false, false)?
            }
            "limit_queue_running" => {
                rules.limit_running.is_some_and(|limit| of_queue().count() >= limit as usize)
                    && !self.starts(id, true, true)?
            }
            _ => false,
        };
        Ok(says && room_kept_for_waiting)
    }

    fn waits(&self, id: u32) -> bool {
        self.waiting.contains(&WorkloadId(id))
    }

    /// Whether an engine starts one that is alone in line; under the rules of queues or none, beside those who run or nobody.
    fn starts(&self, id: WorkloadId, with_rules: bool, with_runs: bool) -> anyhow::Result<bool> {
        let mut engine = Engine::new(Policy::default(), Metered::Devices);
        let (node, facts) = self.node.as_ref().context("there is a node")?;
        let mut seq = 0;
        let mut tell = |engine: &mut Engine, kind: EventKind| {
            seq += 1;
            engine.observe(&Event { seq, at: Timestamp::from_seconds(0), kind });
        };
        tell(&mut engine, EventKind::NodeAdded { node: *node, spec: spec(facts) });
        let queues: BTreeMap<&str, QueueId> = {
            let names: BTreeSet<&str> = self.asked.values().map(|asked| &*asked.queue).collect();
            names.into_iter().zip((0..).map(QueueId)).collect()
        };
        for rules in self.queues.values().filter(|_| with_rules) {
            let Some(&queue) = queues.get(&*rules.name) else { continue };
            tell(&mut engine, EventKind::QueueSet { queue: Queue::of(queue, rules) });
        }
        let workload = |id: WorkloadId| Box::new(workload(id, &self.asked[&id], &queues));
        for (&id, (action, slots)) in self.running.iter().filter(|_| with_runs) {
            tell(&mut engine, EventKind::Submitted { workload: workload(id) });
            let (action, slots, since) = (*action, slots.clone(), Timestamp::from_seconds(0));
            tell(&mut engine, EventKind::Adopted { action, workload: id, slots, since });
        }
        tell(&mut engine, EventKind::Submitted { workload: workload(id) });
        let decision = engine.decide(Timestamp::from_seconds(0), Budget::default());
        let of_it = |kind: &ActionKind| matches!(kind, ActionKind::Start { workload, .. } if *workload == id);
        Ok(decision.actions.iter().any(|action| of_it(&action.kind)))
    }
}

fn spec(facts: &NodeRecord) -> Node {
    Node {
        pools: Vec::new(),
        cpu: MilliCpu(facts.cpu_milli.unwrap_or(1 << 50)),
        memory: Bytes(facts.memory_bytes.unwrap_or(1 << 50)),
        devices: facts.devices,
        model: None,
    }
}

fn workload(id: WorkloadId, asked: &Submission, queues: &BTreeMap<&str, QueueId>) -> Workload {
    Workload {
        id,
        queue: queues[&*asked.queue],
        user: None,
        name: None,
        priority: asked.priority,
        tasks: 1,
        request: asked.request,
        spread: Spread::Packed,
        constraint: Constraint::default(),
        time_limit: asked.time_limit_ms,
    }
}
