//! What ran where and when: from the starts that the source recorded or, where it recorded none, from a replay.

use fleet::event::EndCause;
use fleet::ids::{NodeId, WorkloadId};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::{History, Recorded};
use replay::outcome::Outcome;
use serde::Serialize;

/// What ran where and when.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Where that is known from.
    pub basis: Basis,
    /// Every run with a start and a length, by workload and then in order of time.
    pub stints: Vec<Stint>,
    /// Every span in which a workload could have run and did not.
    pub waits: Vec<Wait>,
    /// Runs of which it is not known when they were.
    pub untimed: Vec<Untimed>,
    places: Vec<Place>,
}

/// Where a timeline is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The source recorded starts.
    Recorded,
    /// The source recorded none: what is told is what the baseline replay did.
    Replayed,
}

impl Basis {
    /// What has to be said beside every figure that hangs on when and where something ran.
    #[must_use]
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Recorded => None,
            Self::Replayed => Some("according to the baseline replay, since the source records no starts"),
        }
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stint {
    /// Whose.
    pub workload: WorkloadId,
    /// From.
    pub start: Timestamp,
    /// Until; in a recorded timeline that of a run which was still going on is the end of observation.
    pub end: Timestamp,
    /// How it ended.
    pub ending: Ending,
    places: (usize, usize),
}

/// How a run ended, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It ended.
    Ended(EndCause),
    /// It was still running when observation ended.
    StillRunning,
}

/// So many tasks on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub node: NodeId,
    /// How many tasks.
    pub tasks: u32,
}

/// A span in which a workload waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Which workload.
    pub workload: WorkloadId,
    /// From.
    pub from: Timestamp,
    /// Until it started or was withdrawn; [`Timestamp::MAX`] where it never was.
    pub until: Timestamp,
}

/// A run of which it is not known when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untimed {
    /// Whose.
    pub workload: WorkloadId,
    /// How long it ran.
    pub length: Millis,
    /// How it ended.
    pub ending: Ending,
}

impl Timeline {
    /// The recorded starts where there are any, else the baseline replay.
    #[must_use]
    pub fn of(history: &History, baseline: &Outcome) -> Self {
        let told = history.workloads.iter().any(|recorded| recorded.attempts.iter().any(|run| run.start.is_some()));
        if told { Self::recorded(history) } else { Self::replayed(history, baseline) }
    }

    /// What the source recorded. The tasks of a run are spread evenly over the nodes it names.
    #[must_use]
    pub fn recorded(history: &History) -> Self {
        let mut timeline = Self::empty(Basis::Recorded, history.workloads.len());
        for recorded in &history.workloads {
            timeline.add_recorded(recorded);
        }
        timeline
    }

    /// What a replay of the same history did.
    #[must_use]
    pub fn replayed(history: &History, outcome: &Outcome) -> Self {
        let mut timeline = Self::empty(Basis::Replayed, history.workloads.len());
        for (recorded, fate) in history.workloads.iter().zip(&outcome.workloads) {
            let workload = recorded.workload.id;
            let mut waits_from = fate.eligible;
            for stint in &fate.stints {
                timeline.wait(workload, waits_from, stint.start);
                waits_from = stint.end;
                let first = timeline.places.len();
                timeline.places.extend(stint.slots.iter().map(|slot| Place { node: slot.node, tasks: slot.tasks }));
                timeline.run(workload, stint.start, stint.end, Ending::Ended(stint.cause), first);
            }
            let waits_on =
                fate.stints.last().is_none_or(|stint| matches!(stint.cause, EndCause::Requeued | EndCause::NodeFailed));
            if waits_on {
                timeline.wait(workload, waits_from, fate.withdrawn.unwrap_or(Timestamp::MAX));
            }
        }
        timeline
    }

    /// Where a run was; empty where that is not known.
    #[must_use]
    pub fn places(&self, stint: &Stint) -> &[Place] {
        &self.places[stint.places.0..stint.places.1]
    }

    fn empty(basis: Basis, workloads: usize) -> Self {
        Self {
            basis,
            stints: Vec::with_capacity(workloads),
            waits: Vec::with_capacity(workloads),
            untimed: Vec::new(),
            places: Vec::new(),
        }
    }

    fn add_recorded(&mut self, recorded: &Recorded) {
        let workload = recorded.workload.id;
        // Unknown once a start is: then nothing can be said of the waits behind it.
        let mut waits_from = Some(recorded.eligible);
        for run in &recorded.attempts {
            let ending = if run.cut_off { Ending::StillRunning } else { Ending::Ended(run.cause) };
            let Some(start) = run.start else {
                waits_from = None;
                self.untimed.push(Untimed { workload, length: run.length, ending });
                continue;
            };
            if let Some(from) = waits_from {
                self.wait(workload, from, start);
            }
            waits_from = Some(start + run.length);
            let first = self.places.len();
            let nodes = run.nodes.len() as u32;
            for (index, &node) in (0_u32..).zip(&run.nodes) {
                let tasks = recorded.workload.tasks / nodes + u32::from(index < recorded.workload.tasks % nodes);
                if tasks > 0 {
                    self.places.push(Place { node, tasks });
                }
            }
            self.run(workload, start, start + run.length, ending, first);
        }
        match recorded.attempts.last() {
            None => self.wait(workload, recorded.eligible, recorded.withdrawn.unwrap_or(Timestamp::MAX)),
            // A run that lost its node is over; where the source ran it again, a further run follows.
            Some(run) if !run.cut_off && run.cause == EndCause::Requeued => {
                if let Some(from) = waits_from {
                    self.wait(workload, from, recorded.withdrawn.unwrap_or(Timestamp::MAX));
                }
            }
            Some(_) => {}
        }
    }

    fn wait(&mut self, workload: WorkloadId, from: Timestamp, until: Timestamp) {
        if from < until {
            self.waits.push(Wait { workload, from, until });
        }
    }

    /// Takes a run whose places lie behind `first`. One that took no time used nothing.
    fn run(&mut self, workload: WorkloadId, start: Timestamp, end: Timestamp, ending: Ending, first: usize) {
        self.stints.push(Stint { workload, start, end: end.max(start), ending, places: (first, self.places.len()) });
    }
}

impl Ending {
    /// Every ending there is.
    pub const ALL: [Self; 9] = [
        Self::Ended(EndCause::Completed),
        Self::Ended(EndCause::Failed),
        Self::Ended(EndCause::TimedOut),
        Self::Ended(EndCause::Cancelled),
        Self::Ended(EndCause::OutOfMemory),
        Self::Ended(EndCause::NodeFailed),
        Self::Ended(EndCause::Requeued),
        Self::StillRunning,
        Self::Ended(EndCause::Unknown),
    ];

    /// A name that stays the same, for JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ended(EndCause::Completed) => "completed",
            Self::Ended(EndCause::Failed) => "failed",
            Self::Ended(EndCause::TimedOut) => "timed_out",
            Self::Ended(EndCause::Cancelled) => "cancelled",
            Self::Ended(EndCause::OutOfMemory) => "out_of_memory",
            Self::Ended(EndCause::NodeFailed) => "node_failed",
            Self::Ended(EndCause::Requeued) => "requeued",
            Self::Ended(EndCause::Unknown) => "unknown",
            Self::StillRunning => "still_running",
        }
    }

    /// Completes "… hours were spent on runs that …".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Ended(EndCause::Completed) => "completed",
            Self::Ended(EndCause::Failed) => "failed",
            Self::Ended(EndCause::TimedOut) => "ran into their time limit",
            Self::Ended(EndCause::Cancelled) => "were cancelled",
            Self::Ended(EndCause::OutOfMemory) => "ran out of memory",
            Self::Ended(EndCause::NodeFailed) => "lost their node",
            Self::Ended(EndCause::Requeued) => "were put back into the queue",
            Self::Ended(EndCause::Unknown) => "ended in a way that the source does not tell",
            Self::StillRunning => "were still going on when observation ended",
        }
    }

    /// A few words for it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ended(EndCause::Completed) => "completed",
            Self::Ended(EndCause::Failed) => "failed",
            Self::Ended(EndCause::TimedOut) => "ran into the time limit",
            Self::Ended(EndCause::Cancelled) => "cancelled",
            Self::Ended(EndCause::OutOfMemory) => "out of memory",
            Self::Ended(EndCause::NodeFailed) => "lost the node",
            Self::Ended(EndCause::Requeued) => "put back into the queue",
            Self::Ended(EndCause::Unknown) => "end not told",
            Self::StillRunning => "still running at the end",
        }
    }

    /// Its place in [`Ending::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|&ending| ending == self).expect("all endings are listed")
    }
}

impl Serialize for Ending {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
