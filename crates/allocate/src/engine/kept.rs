//! For whom room is kept, told from the state as it is.

use fleet::ids::{NodeId, WorkloadId};
use fleet::time::Timestamp;

use super::Engine;

/// Room kept for a waiting workload that comes next and does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// For whom.
    pub workload: WorkloadId,
    /// When it is expected to start there.
    pub at: Timestamp,
    /// Where. A node is kept for one workload at a time.
    pub nodes: Vec<NodeId>,
}

impl Engine {
    /// All room that is kept, as of the last decision, in the order in which it was given. What `backfill` plans for those who
    /// wait is made anew with each look and not told.
    #[must_use]
    pub fn kept(&self) -> Vec<Kept> {
        let kept = self.guard.holds().iter().filter_map(|hold| {
            let nodes = self.guard.kept(hold.workload)?.nodes.clone();
            Some(Kept { workload: hold.workload, at: hold.at, nodes })
        });
        kept.collect()
    }
}
