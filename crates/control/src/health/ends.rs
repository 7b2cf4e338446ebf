//! Runs that died, whose end is not taken in before it is known whether their node is fit.

use std::collections::BTreeSet;

use fleet::event::EndCause;
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Exit, Usage};
use fleet::quantity::Millis;

use super::take_those;
use crate::control::Control;

/// The end of a run as it was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) action: ActionId,
    pub(crate) workload: WorkloadId,
    pub(crate) ran: Millis,
    pub(crate) exit: Exit,
    pub(crate) used: Usage,
}

/// An end that waits.
#[derive(Clone, Debug)]
pub(super) struct HeldEnd {
    ended: Ended,
    waits_for: BTreeSet<NodeId>,
    /// The node that is to blame, and why.
    fault: Option<String>,
}

impl Control {
    /// Whether the end of a run waits for a test of its nodes, as it does where it died of itself.
    pub(crate) fn waits_for_test(&mut self, ended: Ended, cause: EndCause) -> bool {
        if self.health.ends.contains_key(&ended.action) {
            return true;
        }
        let Some(depth) = self.health.policy.after_crash else { return false };
        if !matches!(cause, EndCause::Failed | EndCause::OutOfMemory | EndCause::NodeFailed) {
            return false;
        }
        let run = self.lives.of_action(ended.action).and_then(|live| live.open_run());
        let waits_for: BTreeSet<NodeId> = run.into_iter().flat_map(|run| &run.slots).map(|slot| slot.node).collect();
        if waits_for.is_empty() {
            return false;
        }
        self.health.ends.insert(ended.action, HeldEnd { ended, waits_for: waits_for.clone(), fault: None });
        // A test that is being made may have looked a moment before; what makes a process die is there a moment later too.
        waits_for.into_iter().for_each(|node| self.ask(node, depth));
        true
    }

    /// A node was tested: those whose end waited for no other are over. It is to blame where it failed and is not used any more.
    pub(super) fn judge(&mut self, node: NodeId, failed: Option<&str>) {
        let name = self.nodes.get(&node).map(|known| known.facts.name.clone()).unwrap_or_default();
        for end in self.health.ends.values_mut() {
            if end.waits_for.remove(&node)
                && let Some(why) = failed
            {
                end.fault = Some(format!("node `{name}` then failed its self-test: {why}"));
            }
        }
        let mut known = take_those(&mut self.health.ends, |end| end.waits_for.is_empty());
        // As ends of one moment are heard: in the order of workloads.
        known.sort_by_key(|(_, end)| end.ended.workload);
        for (_, HeldEnd { ended, fault, .. }) in known {
            self.ended(ended, fault);
        }
    }
}
