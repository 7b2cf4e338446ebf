//! Workloads that run: they tell their classes whenever they have lived through another octave.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;

use arrayvec::ArrayVec;
use fleet::ids::WorkloadId;

use super::bins::{OCTAVES, octave_begin_ms};
use super::bounded::Key;

/// The first octave that is told before the end: some four minutes. Shorter runs end before anyone could use the news.
const FIRST_TOLD: usize = 10;

/// Most classes that one run tells.
const MOST_CLASSES: usize = 12;

/// Something that runs.
#[derive(Clone, Debug)]
struct Run {
    since_ms: i64,
    classes: ArrayVec<Key, MOST_CLASSES>,
    /// It has lived through the octaves below this one, and its classes know.
    told: usize,
}

/// Everything that runs, and when it will have lived through its next octave.
#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    runs: BTreeMap<WorkloadId, Run>,
    /// A moment, a workload, and the octave that begins then. May hold moments of runs that are over: they are passed by.
    due: BinaryHeap<Reverse<(i64, WorkloadId, usize)>>,
}

impl Running {
    /// Notes that a workload runs from now on.
    pub(super) fn start(&mut self, id: WorkloadId, since_ms: i64, classes: ArrayVec<Key, MOST_CLASSES>) {
        self.runs.insert(id, Run { since_ms, classes, told: 0 });
        self.wait_for(id, since_ms, FIRST_TOLD);
    }

    /// Notes that a workload does not run any more; how many octaves its classes know of.
    pub(super) fn stop(&mut self, id: WorkloadId) -> usize {
        self.runs.remove(&id).map_or(0, |run| run.told)
    }

    /// The next octaves that some run has lived through by now, and its classes. None when all is told.
    pub(super) fn next(&mut self, now_ms: i64) -> Option<(Range<usize>, &[Key])> {
        loop {
            let &Reverse((at_ms, id, octave)) = self.due.peek()?;
            if at_ms > now_ms {
                return None;
            }
            self.due.pop();
            // A run that was stopped and started again has other moments than this one.
            let current =
                self.runs.get(&id).is_some_and(|run| moment(run.since_ms, octave) == at_ms && run.told < octave);
            if !current {
                continue;
            }
            let since_ms = self.runs[&id].since_ms;
            if octave + 1 < OCTAVES {
                self.wait_for(id, since_ms, octave + 1);
            }
            let run = self.runs.get_mut(&id).expect("it was just there");
            let octaves = run.told..octave;
            run.told = octave;
            return Some((octaves, &run.classes));
        }
    }

    fn wait_for(&mut self, id: WorkloadId, since_ms: i64, octave: usize) {
        self.due.push(Reverse((moment(since_ms, octave), id, octave)));
    }
}

fn moment(since_ms: i64, octave: usize) -> i64 {
    since_ms.saturating_add(octave_begin_ms(octave) as i64)
}
