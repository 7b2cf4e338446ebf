//! Ends of intervals that runs reach: by then it is known that they last longer. To wait for the end of the run would teach that
//! intervals are too short only after weeks, and in the meantime teach the opposite.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use fleet::ids::WorkloadId;

use super::Details;

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge {
    Low,
    High,
}

/// Something that runs, and which of its ends it has yet to reach.
#[derive(Clone, Debug)]
struct Run {
    since_ms: i64,
    details: Arc<Details>,
    open: [bool; 2],
}

impl Run {
    fn moment(&self, edge: Edge) -> i64 {
        let end = match edge {
            Edge::Low => &self.details.low,
            Edge::High => &self.details.high,
        };
        self.since_ms.saturating_add_unsigned(end.at_ms)
    }
}

/// All that runs, and when it will reach its ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Reached {
    runs: BTreeMap<WorkloadId, Run>,
    /// May hold moments of runs that are over: they are passed by.
    due: BinaryHeap<Reverse<(i64, WorkloadId, Edge)>>,
}

impl Reached {
    /// Notes that a workload runs from now on.
    pub(super) fn start(&mut self, id: WorkloadId, since_ms: i64, details: Arc<Details>) {
        let run = Run { since_ms, details, open: [true; 2] };
        for edge in [Edge::Low, Edge::High] {
            self.due.push(Reverse((run.moment(edge), id, edge)));
        }
        self.runs.insert(id, run);
    }

    /// Notes that a workload does not run any more; the ends it has not reached.
    pub(super) fn stop(&mut self, id: WorkloadId) -> [Option<Edge>; 2] {
        let open = self.runs.remove(&id).map_or([false; 2], |run| run.open);
        [Edge::Low, Edge::High].map(|edge| open[edge as usize].then_some(edge))
    }

    /// The next end that some run has reached by now.
    pub(super) fn next(&mut self, now_ms: i64) -> Option<(Edge, Arc<Details>)> {
        loop {
            let &Reverse((at_ms, id, edge)) = self.due.peek()?;
            if at_ms > now_ms {
                return None;
            }
            self.due.pop();
            // A run that was stopped and started again has other moments than this one.
            if let Some(run) = self.runs.get_mut(&id)
                && run.open[edge as usize]
                && run.moment(edge) == at_ms
            {
                run.open[edge as usize] = false;
                return Some((edge, Arc::clone(&run.details)));
            }
        }
    }
}
