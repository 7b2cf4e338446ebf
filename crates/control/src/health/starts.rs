//! Starts that wait until their nodes are tested.

use std::collections::BTreeSet;

use fleet::action::Slot;
use fleet::health::Depth;
use fleet::ids::{ActionId, NodeId, WorkloadId};

use super::take_those;
use crate::control::{Control, Effect};

/// A start that is decided and stored, and not handed out.
#[derive(Clone, Debug)]
pub(super) struct HeldStart {
    workload: WorkloadId,
    effect: Effect,
    waits_for: BTreeSet<NodeId>,
}

impl Control {
    /// Hands a start out, at once or once its nodes have passed their test.
    pub(crate) fn begin(&mut self, action: ActionId, workload: WorkloadId, slots: &[Slot], effect: Effect) {
        let nodes: BTreeSet<NodeId> = slots.iter().map(|slot| slot.node).collect();
        let waits_for: BTreeSet<NodeId> = nodes.into_iter().filter(|&node| !self.may_start_on(node)).collect();
        if waits_for.is_empty() {
            return self.written.effects.push(effect);
        }
        // Before they are asked for: what waits for a test is no reason to make it a quick one.
        self.health.starts.insert(action, HeldStart { workload, effect, waits_for: waits_for.clone() });
        let depth = self.health.policy.before.unwrap_or(Depth::Quick);
        waits_for.into_iter().for_each(|node| self.ask(node, depth));
    }

    fn may_start_on(&self, node: NodeId) -> bool {
        // Whoever started now would disturb it, and be disturbed.
        if self.health.asked.get(&node).is_some_and(|&(depth, _)| depth == Depth::Full) {
            return false;
        }
        let Some(wanted) = self.health.policy.before else { return true };
        let counts = |at| self.last_at.since(at) <= self.health.policy.counts;
        self.health.last.get(&node).is_some_and(|&(depth, at)| counts(at) && self.is_enough(node, depth, wanted))
    }

    /// Where something runs no full test is made.
    fn is_enough(&self, node: NodeId, made: Depth, wanted: Depth) -> bool {
        made >= wanted || self.is_busy(node)
    }

    /// A node was tested, and may be used: hands out those that waited for no other.
    pub(super) fn let_start(&mut self, node: NodeId, made: Depth) {
        let waiting = self.health.starts.values().any(|start| start.waits_for.contains(&node));
        let wanted = self.health.policy.before.unwrap_or(Depth::Quick);
        if waiting && !self.is_enough(node, made, wanted) {
            return self.ask(node, wanted);
        }
        for start in self.health.starts.values_mut() {
            start.waits_for.remove(&node);
        }
        let ready = take_those(&mut self.health.starts, |start| start.waits_for.is_empty());
        self.written.effects.extend(ready.into_iter().map(|(_, start)| start.effect));
    }

    /// A node failed: those that were to start there wait as if that had not been decided.
    pub(super) fn refuse_starts(&mut self, node: NodeId) {
        for (action, start) in take_those(&mut self.health.starts, |start| start.waits_for.contains(&node)) {
            self.not_begun(action, start.workload);
        }
    }

    /// A start is not wanted any more; whether it was held here.
    pub(crate) fn give_up_start(&mut self, action: ActionId) -> bool {
        self.health.starts.remove(&action).is_some()
    }
}
