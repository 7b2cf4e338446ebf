//! What adapters tell of actions, and what follows from it.

use fleet::event::{EndCause, EventKind};
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::{Entry, Exit, Live, Outcome, StopReason, Told};
use fleet::quantity::Millis;

use crate::control::{Control, Effect};
use crate::health::Ended;
use crate::input::Reply;

/// The wait after a first failure; it doubles with each further one,
const BACK_OFF_FIRST: Millis = Millis::seconds(1);
/// up to this.
const BACK_OFF_MOST: Millis = Millis::minutes(5);

/// How long a workload waits after so many failures before it is tried again.
#[must_use]
pub fn back_off(failures: u32) -> Millis {
    let doubled = BACK_OFF_FIRST.0.checked_shl(failures.saturating_sub(1).min(40)).unwrap_or(i64::MAX);
    Millis(doubled.min(BACK_OFF_MOST.0))
}

impl Control {
    /// What is told late or twice changes nothing.
    pub(crate) fn outcome(&mut self, outcome: Outcome) -> Reply {
        let action = outcome.action;
        let Some(live) = self.lives.of_action(action) else {
            if matches!(outcome.told, Told::Ended { .. } | Told::StartFailed { .. } | Told::NotBegun) {
                self.written.effects.push(Effect::Forget { action });
            }
            return Reply::Nothing;
        };
        let id = live.id;
        match outcome.told {
            Told::Started => {
                if live.open_run().is_some_and(|run| run.started.is_some()) {
                    return Reply::Nothing;
                }
                self.write(Entry::Started { action, workload: id, since: outcome.at });
                self.unless_stray(id, EventKind::Started { action, workload: id, since: outcome.at });
            }
            Told::NotBegun => self.not_begun(action, id),
            Told::StartFailed { reason } => self.start_failed(action, id, reason),
            Told::Ended { ran, exit, used } => {
                let cause = cause(live, exit);
                let ended = Ended { action, workload: id, ran, exit, used };
                if !self.waits_for_test(ended, cause) {
                    self.ended(ended, None);
                }
            }
        }
        Reply::Done
    }

    pub(crate) fn not_begun(&mut self, action: ActionId, id: WorkloadId) {
        let stopping = self.lives.get(id).and_then(|live| live.stopping);
        self.write(Entry::NotBegun { action, workload: id });
        self.written.effects.push(Effect::Forget { action });
        self.wait_again(action, id);
        if stopping == Some(StopReason::Cancel) {
            self.leave_line(id);
            self.finish(id, EndCause::Cancelled, None);
        }
    }

    fn start_failed(&mut self, action: ActionId, id: WorkloadId, reason: String) {
        let stopping = self.lives.get(id).and_then(|live| live.stopping);
        self.write(Entry::StartFailed { action, workload: id, reason: reason.clone() });
        self.written.effects.push(Effect::Forget { action });
        self.wait_again(action, id);
        self.leave_line(id);
        match stopping {
            Some(StopReason::Cancel) => self.finish(id, EndCause::Cancelled, None),
            _ => self.try_again(id, EndCause::Failed, Some(reason)),
        }
    }

    /// A run is over; `fault`: it died of its node's, in words.
    pub(crate) fn ended(&mut self, ended: Ended, fault: Option<String>) {
        let Ended { action, workload: id, ran, exit, used } = ended;
        let live = self.lives.get(id).expect("whose action it is is there");
        let cause = match cause(live, exit) {
            EndCause::Failed | EndCause::OutOfMemory if fault.is_some() => EndCause::NodeFailed,
            cause => cause,
        };
        self.write(Entry::RunEnded { action, workload: id, ran, exit, cause, used });
        self.written.effects.push(Effect::Forget { action });
        let stray = self.end_stray(id);
        if !stray {
            self.tell(EventKind::Ended { action, workload: id, ran, cause });
        }
        match cause {
            // The engine lets it wait again by itself.
            EndCause::Requeued if stray => self.enter_engine(id),
            EndCause::Requeued => {}
            EndCause::Completed | EndCause::Cancelled | EndCause::TimedOut | EndCause::Unknown => {
                self.finish(id, cause, None);
            }
            EndCause::Failed | EndCause::OutOfMemory | EndCause::NodeFailed => {
                let reason = [exit.words()].into_iter().chain(fault).collect::<Vec<_>>().join("; ");
                self.try_again(id, cause, Some(reason));
            }
        }
    }

    /// After a failure: it waits a while, or it has been tried often enough. It lines up no more.
    fn try_again(&mut self, id: WorkloadId, cause: EndCause, reason: Option<String>) {
        let live = self.lives.get(id).expect("whoever failed is there");
        let failures = live.failures();
        // Whoever wants no retry gets none, whosever fault it was.
        if failures > live.submission.retries || live.submission.retries == 0 {
            return self.finish(id, cause, reason);
        }
        let after = self.last_at + back_off(failures);
        self.write(Entry::Retrying { workload: id, after });
        self.backing_off.insert((after, id));
    }

    /// A start came to nothing: the engine lets it wait again.
    fn wait_again(&mut self, action: ActionId, id: WorkloadId) {
        if self.end_stray(id) {
            return self.enter_engine(id);
        }
        self.tell(EventKind::StartFailed { action, workload: id });
    }

    /// A stray is over, if it was one: its nodes can be used again, unless there are others, or somebody drained them.
    fn end_stray(&mut self, id: WorkloadId) -> bool {
        let Some(nodes) = self.strays.remove(&id) else { return false };
        for node in nodes {
            if !self.has_stray(node)
                && !self.health.holds(node)
                && self.nodes.get(&node).is_some_and(|known| known.change.is_none())
            {
                self.tell(EventKind::NodeReturned { node });
            }
        }
        true
    }

    fn unless_stray(&mut self, id: WorkloadId, kind: EventKind) {
        if !self.strays.contains_key(&id) {
            self.tell(kind);
        }
    }
}

/// What the end of a run means. Whoever was asked to stop and ended by itself all the same, and well, has completed.
fn cause(live: &Live, exit: Exit) -> EndCause {
    match (live.stopping, exit) {
        (_, Exit::Code(0) | Exit::TimeLimit | Exit::OutOfMemory) => exit.cause(),
        (Some(StopReason::Cancel), _) => EndCause::Cancelled,
        (Some(StopReason::Preempt), _) => EndCause::Requeued,
        (None, _) => exit.cause(),
    }
}
