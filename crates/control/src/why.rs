//! Why a workload has not started, told from the state as it is.

use allocate::Reason;
use fleet::history::NodeChange;
use fleet::ids::{NodeId, WorkloadId};
use fleet::live::Phase;
use fleet::time::Timestamp;

use crate::control::Control;

/// Why a workload has not started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// These have not completed yet.
    Held(Vec<WorkloadId>),
    /// It failed so often, and is tried again at this moment.
    BackingOff {
        /// How often.
        failures: u32,
        /// When.
        after: Timestamp,
    },
    /// The engine has not started it.
    Waiting {
        /// Why.
        reason: Reason,
        /// Where room is kept for it, and from when, if it comes next.
        kept: Option<(Timestamp, Vec<NodeId>)>,
        /// For whom room is kept before it.
        kept_for: Vec<WorkloadId>,
        /// Names of nodes on which nothing starts, since they are drained,
        drained: Vec<String>,
        /// or since they failed their self-test.
        unfit: Vec<String>,
    },
    /// Its start was decided, and has not been heard of yet.
    Starting,
    /// It runs.
    Running,
}

impl Control {
    /// Why a workload has not started; `None` if it is not there (any more). Meant for the moment after a decision.
    #[must_use]
    pub fn why(&self, id: WorkloadId) -> Option<Why> {
        let live = self.lives.get(id)?;
        Some(match live.phase {
            Phase::Held => Why::Held(self.lives.waits_for(id).into_iter().flatten().copied().collect()),
            Phase::BackingOff { after } => Why::BackingOff { failures: live.failures(), after },
            Phase::Starting => Why::Starting,
            Phase::Running | Phase::Finished { .. } => Why::Running,
            Phase::Waiting => {
                let kept = self.engine.kept();
                let own = kept.iter().find(|kept| kept.workload == id).map(|kept| (kept.at, kept.nodes.clone()));
                let kept_for = kept.iter().map(|kept| kept.workload).filter(|&other| other != id).collect();
                let drained = self.nodes.values().filter(|known| known.change == Some(NodeChange::Drained));
                let drained = drained.map(|known| known.facts.name.clone()).collect();
                let unfit =
                    self.nodes.iter().filter(|(node, known)| known.change.is_none() && self.health.holds(**node));
                let unfit = unfit.map(|(_, known)| known.facts.name.clone()).collect();
                Why::Waiting { reason: self.engine.reason(id)?, kept: own, kept_for, drained, unfit }
            }
        })
    }
}
