//! What waits and what runs, as far as events tell; and what that means for one who waits.

use std::collections::BTreeMap;

use allocate::Claim;
use allocate::predict::{Features, Forecast, Predictor};
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{NodeId, QueueId, WorkloadId};
use fleet::quantity::MilliDevice;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use super::logarithm::log2;
use super::neighbours::Case;

/// Someone who waits or runs.
#[derive(Clone, Debug)]
struct Known {
    queue: QueueId,
    /// Thousandths of devices; of cores for those who ask for no device.
    amount: u64,
    expected: Forecast,
    middle_ms: i64,
    since: Timestamp,
    running: bool,
}

/// What is known of a queue.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    quota: Option<u64>,
    used: u64,
    last_wait_s: u64,
}

/// What waits and what runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    predictor: Predictor,
    known: BTreeMap<WorkloadId, Known>,
    queues: BTreeMap<QueueId, Share>,
    nodes: BTreeMap<NodeId, (u64, bool)>,
    /// The most that any node has.
    largest_node: u64,
    capacity: u64,
    used: u64,
}

impl Backlog {
    pub(super) fn event(&mut self, event: &Event) {
        let now = event.at;
        match &event.kind {
            EventKind::NodeAdded { node, spec } => {
                let amount = u64::from(spec.devices) * 1_000;
                self.nodes.insert(*node, (amount, true));
                self.capacity += amount;
                self.largest_node = self.largest_node.max(amount);
            }
            EventKind::NodeLost { node } | EventKind::NodeDrained { node } => self.stand(*node, false),
            EventKind::NodeReturned { node } => self.stand(*node, true),
            EventKind::QueueSet { queue } => {
                self.queues.entry(queue.id).or_default().quota = queue.quota.map(|quota| quota.0);
            }
            EventKind::Submitted { workload } => self.submitted(workload, now),
            EventKind::Withdrawn { workload } => {
                self.known.remove(workload);
            }
            EventKind::Started { workload, .. } => self.started(*workload, now),
            EventKind::Ended { workload, ran, cause, .. } => {
                self.stopped(*workload, now);
                if *cause != EndCause::Requeued
                    && let Some(known) = self.known.remove(workload)
                {
                    self.predictor.ended(*workload, &known.expected, ran.0.max(0) as u64, now);
                }
            }
            EventKind::Evicted { workload, .. } => self.stopped(*workload, now),
            _ => {}
        }
    }

    /// What is known of one who waits, compared with others by `neighbours`.
    pub(super) fn case(&self, workload: WorkloadId, now: Timestamp) -> Option<Case> {
        let me = self.known.get(&workload)?;
        let share = self.queues.get(&me.queue).copied().unwrap_or_default();
        // As `trimtab` has it, and near enough to the order of the others.
        let turn = |known: &Known| allocate::trimtab_turn(known.since, &known.expected, &self.claim(known));
        let mine = (turn(me), workload);
        let (mut all, mut before, mut own, mut oldest) = (0, 0, 0, now);
        for (id, known) in self.known.iter().filter(|(_, known)| !known.running) {
            all += known.amount;
            let earlier = (turn(known), *id) < mine;
            if earlier {
                before += known.amount;
            }
            if known.queue == me.queue {
                own += if earlier { known.amount } else { 0 };
                oldest = oldest.min(known.since);
            }
        }
        let free = self.capacity.saturating_sub(self.used);
        let quota = share.quota.unwrap_or(self.capacity).max(1);
        let over = log2((share.used + me.amount) * 16 / quota);
        Some([
            log2(self.gone_s((all + me.amount).saturating_sub(free), None, now)),
            log2(self.gone_s((before + me.amount).saturating_sub(free), None, now)),
            log2(self.gone_s(own + me.amount, Some(me.queue), now)),
            over,
            log2(me.amount / 1_000),
            log2(me.middle_ms as u64 / 1_000),
            log2(now.since(oldest).0 as u64 / 1_000),
            log2(share.last_wait_s),
        ])
    }

    fn claim(&self, known: &Known) -> Claim {
        let share = self.queues.get(&known.queue).copied().unwrap_or_default();
        let beyond = |amount: u64| share.quota.map_or(0, |quota| amount.saturating_sub(quota));
        Claim {
            borrows: beyond(share.used + known.amount) > 0,
            borrowed: MilliDevice(beyond(share.used)),
            capacity: MilliDevice(self.capacity),
            nodes: u32::try_from(known.amount.div_ceil(self.largest_node.max(1))).unwrap_or(u32::MAX),
        }
    }

    /// In how many seconds so much will have been given back, if what runs ends in the middle of what is expected to remain.
    fn gone_s(&self, amount: u64, of: Option<QueueId>, now: Timestamp) -> u64 {
        if amount == 0 {
            return 0;
        }
        let mut ends: Vec<(u64, u64)> = self
            .known
            .values()
            .filter(|known| known.running && of.is_none_or(|queue| known.queue == queue))
            .map(|known| {
                let age = now.since(known.since).0.max(0) as u64;
                (known.expected.remaining_quantile(age, 500), known.amount)
            })
            .collect();
        ends.sort_unstable();
        let whole = ends.iter().map(|(_, given)| given).sum::<u64>().max(1);
        let mut left = amount;
        let mut last = 0;
        for (end, given) in ends {
            last = end;
            if given >= left {
                return end / 1_000;
            }
            left -= given;
        }
        // More waits than all that runs: it goes on at that pace.
        (last / 1_000).saturating_mul(1 + left / whole)
    }

    fn submitted(&mut self, workload: &Workload, now: Timestamp) {
        let total = workload.total();
        let expected = self.predictor.forecast(&Features::of(workload), now);
        let middle_ms = i64::try_from(expected.quantile(500)).unwrap_or(i64::MAX);
        let amount = total.devices.0;
        let known = Known { queue: workload.queue, amount, expected, middle_ms, since: now, running: false };
        self.known.insert(workload.id, known);
    }

    fn started(&mut self, workload: WorkloadId, now: Timestamp) {
        let Some(known) = self.known.get_mut(&workload).filter(|known| !known.running) else { return };
        let share = self.queues.entry(known.queue).or_default();
        share.last_wait_s = now.since(known.since).0.max(0) as u64 / 1_000;
        share.used += known.amount;
        self.used += known.amount;
        known.running = true;
        known.since = now;
        self.predictor.started(workload, &known.expected, now);
    }

    /// It gives back what it holds, and waits again.
    fn stopped(&mut self, workload: WorkloadId, now: Timestamp) {
        let Some(known) = self.known.get_mut(&workload).filter(|known| known.running) else { return };
        known.running = false;
        known.since = now;
        self.used -= known.amount;
        if let Some(share) = self.queues.get_mut(&known.queue) {
            share.used -= known.amount;
        }
    }

    fn stand(&mut self, node: NodeId, up: bool) {
        let Some((amount, was_up)) = self.nodes.get_mut(&node) else { return };
        match (*was_up, up) {
            (true, false) => self.capacity -= *amount,
            (false, true) => self.capacity += *amount,
            _ => {}
        }
        *was_up = up;
    }
}
