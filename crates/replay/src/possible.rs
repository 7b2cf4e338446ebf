//! Who could run at all: asked of an engine whose nodes are empty, a shape at a time, without living the history.

use std::collections::BTreeMap;

use allocate::{Budget, Engine};
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{NodeId, QueueId};
use fleet::node::Resources;
use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use fleet::workload::{Constraint, Spread, Workload};

use crate::setup::Setup;
use fleet::queue::Queue;

/// What decides whether a workload could run on empty nodes.
type Kind<'a> = (QueueId, u32, &'a Resources, Spread, &'a Constraint);

/// By workload: whether all nodes of the setup, were they empty, could take it.
#[must_use]
pub fn possible(setup: &Setup) -> Vec<bool> {
    let mut empty = Empty::new(setup);
    let mut known: BTreeMap<Kind, bool> = BTreeMap::new();
    let each = setup.history.workloads.iter().enumerate().map(|(index, recorded)| {
        let (workload, queue) = (&recorded.workload, setup.queue_of(index));
        let kind = (queue, workload.tasks, &workload.request, workload.spread, &workload.constraint);
        *known.entry(kind).or_insert_with(|| empty.takes(Workload { queue, ..workload.clone() }))
    });
    each.collect()
}

/// An engine in which nothing runs.
struct Empty<'a> {
    engine: Engine,
    setup: &'a Setup<'a>,
    seq: u64,
}

impl<'a> Empty<'a> {
    fn new(setup: &'a Setup<'a>) -> Self {
        let engine = Engine::new(Policy::new(Order::Fifo), setup.metered);
        let mut empty = Self { engine, setup, seq: 0 };
        for (index, spec) in setup.specs.iter().enumerate() {
            if let Some(spec) = spec {
                empty.tell(EventKind::NodeAdded { node: NodeId(index as u32), spec: spec.clone() });
            }
        }
        for (index, queue) in setup.queues.iter().enumerate() {
            empty.tell(EventKind::QueueSet { queue: Queue::of(QueueId(index as u32), queue) });
        }
        empty
    }

    /// Starts a workload and ends it at once, or withdraws it.
    fn takes(&mut self, workload: Workload) -> bool {
        let id = workload.id;
        self.tell(EventKind::Submitted { workload: Box::new(workload) });
        let decision = self.engine.decide(self.setup.history.from, Budget::default());
        let Some(action) = decision.actions.first().map(|action| action.id) else {
            self.tell(EventKind::Withdrawn { workload: id });
            return false;
        };
        self.tell(EventKind::Started { action, workload: id, since: self.setup.history.from });
        self.tell(EventKind::Ended { action, workload: id, ran: Millis::ZERO, cause: EndCause::Completed });
        true
    }

    fn tell(&mut self, kind: EventKind) {
        self.seq += 1;
        self.engine.observe(&Event { seq: self.seq, at: self.setup.history.from, kind });
    }
}
