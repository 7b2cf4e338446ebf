//! Beginning again from what is stored.

use std::collections::BTreeSet;

use allocate::{Engine, Observed};
use fleet::event::{EndCause, EventKind};
use fleet::history::{NodeChange, NodeRecord, QueueRecord};
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Entry, Live, Phase};
use fleet::policy::Policy;
use fleet::queue::Metered;
use fleet::time::Timestamp;

use crate::control::{Control, Effect, KnownNode};

/// What is stored of an installation.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The moment of the last entry.
    pub last_at: Timestamp,
    /// Above the id of every workload there ever was.
    pub next_workload: u32,
    /// Above the id of every action there ever was.
    pub next_action: u64,
    /// Nodes, in order of id, and how they stand.
    pub nodes: Vec<(NodeId, NodeRecord, Option<NodeChange>)>,
    /// Queues.
    pub queues: Vec<QueueRecord>,
    /// The rules of scheduling, if they were ever set.
    pub policy: Option<Policy>,
    /// Everyone who is not over, in order of id.
    pub open: Vec<Live>,
    /// Some who are over, oldest first: what was learnt from them is learnt again.
    pub finished: Vec<Live>,
}

impl Control {
    /// Begins again. `found` are the nodes as they are seen now: a known node is known by its name. What follows from the
    /// difference is written, and comes with the next decision.
    ///
    /// Whoever calls this must ask the adapters what became of [`Control::open_actions`] before the first decision: what they
    /// tell late is understood, but until then what such an action uses stays reserved.
    #[must_use]
    pub fn restore(past: Past, found: Vec<NodeRecord>, now: Timestamp) -> Self {
        let metered = metered(&past, &found);
        let policy = past.policy.clone().unwrap_or_default();
        let engine = Engine::new(policy.clone(), metered).numbering_from(ActionId(past.next_action.max(1)));
        let mut control = Self::new(engine);
        if past.policy.is_none() {
            // What holds without anybody having said so is recorded too, or a replay would have to guess it.
            control.written.entries.push(Entry::PolicySet { policy, by: None });
        }
        control.next_workload = past.next_workload.max(1);
        control.set_nodes(past.nodes, found);
        for rules in past.queues {
            let queue = control.vocabulary.queue(&rules);
            control.tell(EventKind::QueueSet { queue });
            control.queues.insert(rules.name.clone(), rules);
        }
        control.line_up_in_time(&past.finished, past.open);
        control.pass_to(past.last_at);
        control.pass_to(now);
        let ids: Vec<WorkloadId> = control.lives.iter().map(|live| live.id).collect();
        ids.into_iter().for_each(|id| control.take_up(id));
        control
    }

    fn set_nodes(&mut self, known: Vec<(NodeId, NodeRecord, Option<NodeChange>)>, found: Vec<NodeRecord>) {
        let mut next = known.iter().map(|(node, ..)| node.0 + 1).max().unwrap_or(0);
        for (node, facts, change) in known {
            self.nodes.insert(node, KnownNode { facts, change });
        }
        let mut seen = Vec::new();
        for facts in found {
            let same = self.nodes.iter().find(|(_, known)| known.facts.name == facts.name);
            let node = same.map_or(NodeId(next), |(&node, _)| node);
            next = next.max(node.0 + 1);
            let entry =
                self.nodes.entry(node).or_insert_with(|| KnownNode { facts: NodeRecord::default(), change: None });
            if entry.facts != facts {
                entry.facts = facts.clone();
                self.written.entries.push(Entry::NodeFound { node, facts });
            }
            seen.push(node);
        }
        for (&node, known) in &mut self.nodes {
            let lost = known.change == Some(NodeChange::Lost);
            if lost == seen.contains(&node) {
                let change = if lost { NodeChange::Returned } else { NodeChange::Lost };
                known.change = (!lost).then_some(NodeChange::Lost);
                self.written.entries.push(Entry::NodeChanged { node, change, by: None });
            }
        }
        let nodes: Vec<(NodeId, KnownNode)> = self.nodes.iter().map(|(&node, known)| (node, known.clone())).collect();
        for (node, known) in nodes {
            let spec = self.vocabulary.node(&known.facts);
            self.tell(EventKind::NodeAdded { node, spec });
            match known.change {
                Some(NodeChange::Drained) => self.tell(EventKind::NodeDrained { node }),
                Some(NodeChange::Lost) => self.tell(EventKind::NodeLost { node }),
                Some(NodeChange::Returned) | None => {}
            }
        }
    }

    /// Tells the engine of ends and arrivals in the order of their times.
    fn line_up_in_time(&mut self, finished: &[Live], open: Vec<Live>) {
        enum Happened {
            Ran(fleet::workload::Workload, fleet::quantity::Millis),
            Came(WorkloadId),
        }
        let mut events: Vec<(Timestamp, Happened)> = Vec::new();
        for live in finished.iter().chain(&open) {
            for end in live.runs.iter().filter_map(|run| run.end).filter(|end| end.cause != EndCause::Requeued) {
                let workload =
                    self.vocabulary.workload(live.id, &live.submission, self.queues.get(&live.submission.queue));
                events.push((end.at, Happened::Ran(workload, end.ran)));
            }
        }
        for live in open {
            if let (Some(at), Phase::Waiting | Phase::Starting | Phase::Running) = (live.eligible, live.phase) {
                events.push((at, Happened::Came(live.id)));
            }
            self.lives.insert(live);
        }
        events.sort_by_key(|(at, _)| *at);
        for (at, event) in events {
            self.pass_to(at);
            match event {
                Happened::Ran(workload, ran) => {
                    self.remember(&workload);
                    self.tell(EventKind::Recalled { workload: Box::new(workload), ran });
                }
                Happened::Came(id) => self.enter_engine(id),
            }
        }
    }

    /// Puts one who is not over where it stood.
    fn take_up(&mut self, id: WorkloadId) {
        let live = self.lives.get(id).expect("it is in the list");
        match live.phase {
            Phase::Held => {
                // Those it waits for and that are not there any more have completed: had they failed, it would be over.
                let on: BTreeSet<WorkloadId> =
                    live.submission.depends_on.iter().copied().filter(|&on| self.lives.get(on).is_some()).collect();
                if on.is_empty() { self.line_up(id) } else { self.lives.hold(id, on) }
            }
            Phase::BackingOff { after } => drop(self.backing_off.insert((after, id))),
            Phase::Starting | Phase::Running => self.take_up_run(id),
            Phase::Waiting | Phase::Finished { .. } => {}
        }
    }

    fn take_up_run(&mut self, id: WorkloadId) {
        let live = self.lives.get(id).expect("it is in the list");
        let run = live.open_run().expect("who starts or runs has an open run");
        let (action, slots) = (run.action, run.slots.clone());
        let nodes: Vec<NodeId> = slots.iter().map(|slot| slot.node).collect();
        let (since, started) = (run.started.unwrap_or(run.decided), run.started.is_some());
        let stopping = live.stopping.is_some();
        if self.try_tell(EventKind::Adopted { action, workload: id, slots, since }) == Observed::Applied {
            if started {
                self.tell(EventKind::Started { action, workload: id, since });
            }
        } else {
            self.tell(EventKind::Withdrawn { workload: id });
            for node in &nodes {
                if self.nodes.get(node).is_some_and(|known| known.change.is_none()) {
                    self.tell(EventKind::NodeDrained { node: *node });
                }
            }
            self.strays.insert(id, nodes);
        }
        if stopping {
            self.written.effects.push(Effect::Stop { action });
        }
    }
}

/// Devices are metered where there are any.
fn metered(past: &Past, found: &[NodeRecord]) -> Metered {
    let devices = past.nodes.iter().map(|(_, facts, _)| facts).chain(found).any(|facts| facts.devices > 0);
    if devices { Metered::Devices } else { Metered::Cores }
}
