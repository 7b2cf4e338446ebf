//! Beginning from what is stored, at the start and whenever something could not be stored.

use connect::machine::Settled;
use control::{Control, Input, Past};
use fleet::history::NodeChange;
use store::{Loaded, NodeStanding};

use super::Plane;

/// So many of those that are over are read, for what was learnt from them.
pub(super) const REMEMBERED_MAX: usize = 20_000;

impl Plane {
    /// Asks the runner what became of all that is open, and stores that.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        let open = self.control.open_actions();
        for &action in &open {
            let outcome = match self.runner.settle(action).map_err(|error| error.to_string())? {
                Settled::Runs(outcome) => outcome,
                Settled::Over(outcome) => Some(outcome),
            };
            // Outcomes are never refused.
            let _taken = outcome.map(|outcome| self.control.hear(self.clock.now(), Input::Outcome(outcome)));
        }
        let written = self.control.decide(self.clock.now());
        let logged = self.store.commit(written.at, &written.entries).map_err(|error| error.to_string())?;
        self.tell_stored(&logged);
        // What is kept of runs that are over and stored: the process was lost before it could let them go.
        let over = self.runner.present().map_err(|error| error.to_string())?;
        for action in over.into_iter().filter(|action| !open.contains(action)) {
            self.forget(action);
        }
        written.effects.into_iter().for_each(|effect| self.act(effect));
        Ok(())
    }

    /// Throws the state away and begins anew, if that can be done now.
    pub(super) fn try_to_begin_again(&mut self) {
        match self.begin_again() {
            Ok(()) => {
                eprintln!("note: storing works again");
                self.stalled = None;
            }
            Err(reason) => self.stalled = Some(reason),
        }
    }

    fn begin_again(&mut self) -> Result<(), String> {
        let loaded = self.store.load(REMEMBERED_MAX).map_err(|error| error.to_string())?;
        let control = Control::restore(past(loaded), self.found.clone(), self.clock.now());
        self.control = control.with_health(self.health.policy);
        self.own.clear();
        self.settle()
    }
}

/// What is stored, as the control plane takes it up.
pub(super) fn past(loaded: Loaded) -> Past {
    let change = |standing| match standing {
        NodeStanding::Usable => None,
        NodeStanding::Drained => Some(NodeChange::Drained),
        NodeStanding::Lost => Some(NodeChange::Lost),
    };
    Past {
        last_at: loaded.at.unwrap_or(fleet::time::Timestamp::MIN),
        next_workload: loaded.next_workload.0,
        next_action: loaded.next_action.0,
        nodes: loaded.nodes.into_iter().map(|node| (node.id, node.facts, change(node.standing))).collect(),
        queues: loaded.queues,
        policy: loaded.policy,
        open: loaded.unfinished,
        finished: loaded.finished,
    }
}
