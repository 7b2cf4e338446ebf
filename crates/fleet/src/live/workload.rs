//! A workload as its entries add up.

use serde::{Deserialize, Serialize};

use super::entry::{Entry, StopReason};
use super::outcome::{Exit, Usage};
use super::submission::Submission;
use crate::action::Slot;
use crate::event::EndCause;
use crate::ids::{ActionId, WorkloadId};
use crate::quantity::Millis;
use crate::time::Timestamp;

/// A workload and all that became of it so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Its id.
    pub id: WorkloadId,
    /// What was handed in.
    pub submission: Submission,
    /// By whom.
    pub by: String,
    /// When.
    pub submitted: Timestamp,
    /// When it could first have started, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligible: Option<Timestamp>,
    /// Where it stands.
    pub phase: Phase,
    /// Its runs, and starts that failed; in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
    /// Why it is to stop, from when that was asked until its run is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopping: Option<StopReason>,
    /// When it was over for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// Why it is over, where its phase does not say it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where a workload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Something it depends on is not over yet.
    Held,
    /// It may start.
    Waiting,
    /// It failed, and may start again from this moment on.
    BackingOff {
        /// Which moment.
        after: Timestamp,
    },
    /// Its start was decided, and has not been heard of yet.
    Starting,
    /// It runs.
    Running,
    /// It is over.
    Finished {
        /// How.
        cause: EndCause,
    },
}

/// One run, or a start that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The action that began it.
    pub action: ActionId,
    /// Where.
    pub slots: Vec<Slot>,
    /// When it was decided.
    pub decided: Timestamp,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// How it ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<RunEnd>,
    /// Why it never began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_failed: Option<String>,
}

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnd {
    /// When it was heard of.
    pub at: Timestamp,
    /// How long it ran.
    #[serde(rename = "ran_ms")]
    pub ran: Millis,
    /// How it ended.
    pub exit: Exit,
    /// The cause, in the words of a history.
    pub cause: EndCause,
    /// What it used.
    pub used: Usage,
}

/// An entry that cannot follow those before it: whoever wrote or kept the log made a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfPlace;

impl Live {
    /// A workload as it is handed in.
    #[must_use]
    pub fn new(id: WorkloadId, submission: Submission, by: String, at: Timestamp) -> Self {
        Self {
            id,
            submission,
            by,
            submitted: at,
            eligible: None,
            phase: Phase::Held,
            runs: Vec::new(),
            stopping: None,
            finished: None,
            reason: None,
        }
    }

    /// Whether it is over for good.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Finished { .. })
    }

    /// The run whose start was decided and whose end has not been heard of.
    #[must_use]
    pub fn open_run(&self) -> Option<&Run> {
        self.runs.last().filter(|run| run.is_open())
    }

    /// How many of its runs failed, or could not begin, of their own. Of those that died of their node's fault some do not count.
    #[must_use]
    pub fn failures(&self) -> u32 {
        let failed = |run: &&Run| {
            run.start_failed.is_some()
                || run.end.is_some_and(|end| !matches!(end.cause, EndCause::Completed | EndCause::Requeued))
        };
        let failed = self.runs.iter().filter(failed).count();
        let excused = self.runs.iter().filter(|run| run.end.is_some_and(|end| end.exit.is_of_node(end.cause))).count();
        (failed - excused.min(Self::EXCUSED_MAX)) as u32
    }

    /// So many runs that died of their node's fault do not count as failures: a workload that breaks nodes must end.
    pub const EXCUSED_MAX: usize = 3;

    /// Takes in an entry about it.
    ///
    /// # Errors
    /// If the entry cannot follow what came before. The workload is as it was then.
    pub fn apply(&mut self, entry: &Entry, at: Timestamp) -> Result<(), OutOfPlace> {
        if entry.workload() != Some(self.id) || self.is_finished() {
            return Err(OutOfPlace);
        }
        match entry {
            Entry::Eligible { .. } => {
                self.expect(matches!(self.phase, Phase::Held | Phase::BackingOff { .. }))?;
                self.eligible = self.eligible.or(Some(at));
                self.phase = Phase::Waiting;
            }
            Entry::Decided { action, slots, .. } => {
                self.expect(self.phase == Phase::Waiting)?;
                let (action, slots) = (*action, slots.clone());
                self.runs.push(Run { action, slots, decided: at, started: None, end: None, start_failed: None });
                self.phase = Phase::Starting;
            }
            Entry::Started { action, since, .. } => {
                self.open_mut(*action)?.started = Some(*since);
                self.phase = Phase::Running;
            }
            Entry::StartFailed { action, reason, .. } => {
                self.open_mut(*action)?.start_failed = Some(reason.clone());
                self.stopping = None;
                self.phase = Phase::Waiting;
            }
            Entry::NotBegun { action, .. } => {
                self.open_mut(*action)?;
                self.runs.pop();
                self.stopping = None;
                self.phase = Phase::Waiting;
            }
            Entry::StopAsked { why, .. } => {
                self.expect(self.open_run().is_some())?;
                self.stopping = Some(*why);
            }
            Entry::RunEnded { action, ran, exit, cause, used, .. } => {
                let end = RunEnd { at, ran: *ran, exit: *exit, cause: *cause, used: *used };
                let run = self.open_mut(*action)?;
                run.started = run.started.or(Some(at - *ran));
                run.end = Some(end);
                self.stopping = None;
                self.phase = Phase::Waiting;
            }
            Entry::Retrying { after, .. } => {
                self.expect(self.phase == Phase::Waiting)?;
                self.phase = Phase::BackingOff { after: *after };
            }
            Entry::Finished { cause, reason, .. } => {
                self.expect(self.open_run().is_none())?;
                self.finished = Some(at);
                self.reason.clone_from(reason);
                self.phase = Phase::Finished { cause: *cause };
            }
            Entry::Submitted { .. }
            | Entry::NodeFound { .. }
            | Entry::NodeChanged { .. }
            | Entry::QueueSet { .. }
            | Entry::PolicySet { .. } => return Err(OutOfPlace),
        }
        Ok(())
    }

    fn expect(&self, holds: bool) -> Result<(), OutOfPlace> {
        if holds { Ok(()) } else { Err(OutOfPlace) }
    }

    fn open_mut(&mut self, action: ActionId) -> Result<&mut Run, OutOfPlace> {
        self.runs.last_mut().filter(|run| run.is_open() && run.action == action).ok_or(OutOfPlace)
    }
}

impl Run {
    /// Whether it may be running, as far as was heard.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.end.is_none() && self.start_failed.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: WorkloadId = WorkloadId(7);

    fn told(entries: &[Entry]) -> (Live, Result<(), OutOfPlace>) {
        let mut live = Live::new(ID, Submission::default(), "someone".into(), Timestamp(0));
        let mut at = Timestamp(0);
        for entry in entries {
            at = at + Millis(10);
            let before = live.clone();
            if live.apply(entry, at).is_err() {
                assert_eq!(live, before, "a refused entry changes nothing");
                return (live, Err(OutOfPlace));
            }
        }
        (live, Ok(()))
    }

    fn decided(action: u64) -> Entry {
        Entry::Decided { action: ActionId(action), workload: ID, slots: vec![] }
    }

    fn ended(action: u64, exit: Exit) -> Entry {
        let (ran, cause, used) = (Millis(5), exit.cause(), Usage::default());
        Entry::RunEnded { action: ActionId(action), workload: ID, ran, exit, cause, used }
    }

    #[test]
    fn a_life_adds_up() {
        let (live, told) = told(&[
            Entry::Eligible { workload: ID },
            decided(1),
            ended(1, Exit::Code(3)),
            Entry::Retrying { workload: ID, after: Timestamp(500) },
            Entry::Eligible { workload: ID },
            decided(2),
            Entry::Started { action: ActionId(2), workload: ID, since: Timestamp(65) },
            ended(2, Exit::Code(0)),
            Entry::Finished { workload: ID, cause: EndCause::Completed, reason: None },
        ]);
        assert_eq!(told, Ok(()));
        assert_eq!((live.eligible, live.finished), (Some(Timestamp(10)), Some(Timestamp(90))));
        assert_eq!(live.runs[0].started, Some(Timestamp(25)), "an end tells of a start that was not heard of");
        assert_eq!((live.runs.len(), live.failures()), (2, 1));
    }

    #[test]
    fn what_a_node_is_to_blame_for_is_excused_a_few_times() {
        let mut entries = vec![Entry::Eligible { workload: ID }];
        for action in 1..=Live::EXCUSED_MAX as u64 + 2 {
            let Entry::RunEnded { action, workload, ran, exit, used, .. } = ended(action, Exit::Code(1)) else {
                return;
            };
            let of_node = Entry::RunEnded { action, workload, ran, exit, cause: EndCause::NodeFailed, used };
            entries.extend([decided(action.0), of_node]);
        }
        let (live, _) = told(&entries);
        assert_eq!((live.runs.len(), live.failures()), (Live::EXCUSED_MAX + 2, 2));
        let (lost, _) = told(&[Entry::Eligible { workload: ID }, decided(1), ended(1, Exit::Lost)]);
        assert_eq!(lost.failures(), 1, "one whose watcher is gone counts");
    }

    #[test]
    fn what_cannot_follow_is_refused() {
        let refused = |entries: &[Entry]| assert_eq!(told(entries).1, Err(OutOfPlace), "{entries:?}");
        let eligible = Entry::Eligible { workload: ID };
        let finished = Entry::Finished { workload: ID, cause: EndCause::Cancelled, reason: None };
        refused(&[decided(1)]);
        refused(&[eligible.clone(), eligible.clone()]);
        refused(&[eligible.clone(), decided(1), decided(2)]);
        refused(&[eligible.clone(), decided(1), ended(2, Exit::Stopped)]);
        refused(&[eligible.clone(), decided(1), ended(1, Exit::Stopped), ended(1, Exit::Stopped)]);
        refused(&[eligible.clone(), decided(1), finished.clone()]);
        refused(&[finished.clone(), eligible]);
        refused(&[Entry::Eligible { workload: WorkloadId(8) }]);
    }
}
