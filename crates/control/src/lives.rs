//! Everyone who is not over, found by id, by the action that runs them, and by whom they wait for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fleet::event::EndCause;
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::{Entry, Live, Phase};
use fleet::time::Timestamp;

/// So many of those that are over are remembered.
const OVER_MAX: usize = 1_024;

/// Everyone who is not over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lives {
    all: BTreeMap<WorkloadId, Live>,
    by_action: BTreeMap<ActionId, WorkloadId>,
    /// For those held: who must complete first and has not yet.
    waits_for: BTreeMap<WorkloadId, BTreeSet<WorkloadId>>,
    /// The same from the other side.
    held_by: BTreeMap<WorkloadId, BTreeSet<WorkloadId>>,
    /// How the last ones ended: whoever hands in something that depends on one that ended this moment cannot know yet.
    over: VecDeque<(WorkloadId, EndCause)>,
}

impl Lives {
    pub(crate) fn get(&self, id: WorkloadId) -> Option<&Live> {
        self.all.get(&id)
    }

    /// How one ended that ended a moment ago.
    pub(crate) fn ended(&self, id: WorkloadId) -> Option<EndCause> {
        self.over.iter().find(|(over, _)| *over == id).map(|&(_, cause)| cause)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Live> {
        self.all.values()
    }

    /// Whose open run this action began.
    pub(crate) fn of_action(&self, action: ActionId) -> Option<&Live> {
        self.by_action.get(&action).and_then(|id| self.all.get(id))
    }

    pub(crate) fn insert(&mut self, live: Live) {
        if let Some(run) = live.open_run() {
            self.by_action.insert(run.action, live.id);
        }
        let before = self.all.insert(live.id, live);
        assert!(before.is_none(), "an id is given once");
    }

    /// Holds a workload until these have completed.
    pub(crate) fn hold(&mut self, id: WorkloadId, on: BTreeSet<WorkloadId>) {
        for &other in &on {
            self.held_by.entry(other).or_default().insert(id);
        }
        self.waits_for.insert(id, on);
    }

    /// For whom a held workload still waits.
    pub(crate) fn waits_for(&self, id: WorkloadId) -> Option<&BTreeSet<WorkloadId>> {
        self.waits_for.get(&id)
    }

    /// Everyone who waited for this one, which is over now.
    pub(crate) fn take_held_by(&mut self, id: WorkloadId) -> BTreeSet<WorkloadId> {
        self.held_by.remove(&id).unwrap_or_default()
    }

    /// One that a held workload waited for has completed; whether it was the last.
    pub(crate) fn let_go(&mut self, id: WorkloadId, done: WorkloadId) -> bool {
        let Some(on) = self.waits_for.get_mut(&id) else { return false };
        on.remove(&done);
        let free = on.is_empty();
        if free {
            self.waits_for.remove(&id);
        }
        free
    }

    /// Lets the workload that an entry speaks of know.
    pub(crate) fn apply(&mut self, entry: &Entry, at: Timestamp) {
        let Some(id) = entry.workload() else { return };
        if let Entry::Submitted { .. } = entry {
            return;
        }
        let live = self.all.get_mut(&id).expect("entries speak of whoever is there");
        let before = live.open_run().map(|run| run.action);
        live.apply(entry, at).expect("what is written follows what was");
        let after = live.open_run().map(|run| run.action);
        let over = match live.phase {
            Phase::Finished { cause } => Some(cause),
            _ => None,
        };
        if before != after {
            before.map(|action| self.by_action.remove(&action));
            after.map(|action| self.by_action.insert(action, id));
        }
        if let Some(cause) = over {
            self.all.remove(&id);
            if self.over.len() >= OVER_MAX {
                self.over.pop_front();
            }
            self.over.push_back((id, cause));
            for other in self.waits_for.remove(&id).unwrap_or_default() {
                if let Some(held) = self.held_by.get_mut(&other) {
                    held.remove(&id);
                }
            }
        }
    }
}
