//! Taking in what happened. Cheap: no decision is made here.

use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::node::Node;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use super::job::{Job, JobState, Outcome};
use super::{Changed, Engine};
use crate::cluster::Standing;
use crate::predict::Features;

/// A start that took less is counted from its decision. Of a start one is told some moments after it was made; what is decided in
/// these moments must not hang on how many there were, or a replay would decide otherwise.
const COUNTED_FROM_ITS_START: Millis = Millis(1_000);

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// The engine's state tells of it now.
    Applied,
    /// It changed nothing, and why.
    Ignored(Ignored),
}

/// Why an event changed nothing. Outcomes come late, twice, or after the workload is gone; none of that is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Its number is not above the last one's: it was seen before.
    Seen,
    /// It speaks of a workload that is not there (any more).
    UnknownWorkload,
    /// It speaks of a node that is not there.
    UnknownNode,
    /// A workload with this id is there already.
    KnownWorkload,
    /// A node with this id is there already.
    KnownNode,
    /// It is the outcome of an action that is settled or was overtaken by another.
    SettledAction,
    /// It says that a workload stopped running which was not.
    NotPlaced,
    /// It withdraws or adopts a workload that is placed.
    NotWaiting,
    /// It adopts a workload on nodes that are lost, or on what is not free.
    NoRoom,
    /// It submits what no engine can place (a gang without a task, or a task that asks for more than one device and not for whole
    /// ones), or adds a node with more devices than a placement can name. Whoever reads these refuses them where the person who
    /// wrote them can be told.
    Malformed,
}

impl Engine {
    /// Takes in one event. Time never runs backwards here: an `at` before the last one counts as the last one.
    pub fn observe(&mut self, event: &Event) -> Observed {
        if event.seq <= self.last_seq {
            return Observed::Ignored(Ignored::Seen);
        }
        self.last_seq = event.seq;
        self.last_at = self.last_at.max(event.at);
        match self.apply(&event.kind) {
            Ok(()) => {
                // Whoever has started was placed before: nobody can start because of that.
                self.news |= !matches!(event.kind, EventKind::Started { .. });
                Observed::Applied
            }
            Err(ignored) => Observed::Ignored(ignored),
        }
    }

    fn apply(&mut self, kind: &EventKind) -> Result<(), Ignored> {
        match kind {
            EventKind::Submitted { workload } => return self.submit(workload),
            EventKind::Started { action, workload, since } => return self.started(*action, *workload, *since),
            _ => {}
        }
        match kind {
            EventKind::Submitted { .. } | EventKind::Started { .. } => unreachable!("taken in above"),
            EventKind::NodeAdded { node, spec } => {
                if self.cluster.knows(*node) {
                    return Err(Ignored::KnownNode);
                }
                if spec.devices > Node::DEVICES_MAX {
                    return Err(Ignored::Malformed);
                }
                self.cluster.add(*node, spec.clone());
            }
            EventKind::NodeLost { node } => self.lose(*node)?,
            EventKind::NodeDrained { node } => self.stand(*node, Standing::Drained)?,
            EventKind::NodeReturned { node } => self.stand(*node, Standing::Up)?,
            EventKind::QueueSet { queue } => self.set_queue(queue),
            EventKind::PolicySet { policy } => {
                self.policy = policy.clone();
                self.line_up_again(|_| true);
            }
            EventKind::Recalled { workload, ran } => self.recall(workload, *ran),
            EventKind::Withdrawn { workload } => self.withdraw(*workload)?,
            EventKind::Adopted { action, workload, slots, since } => self.adopt(*action, *workload, slots, *since)?,
            EventKind::StartFailed { action, workload } => {
                if self.awaited(*action, *workload)? {
                    self.wait_again(*workload);
                }
            }
            EventKind::Ended { action, workload, ran, cause } => {
                self.running(*action, *workload)?;
                self.end(*workload, *ran, *cause);
            }
            EventKind::Evicted { action, workload } => {
                self.running(*action, *workload)?;
                self.wait_again(*workload);
            }
        }
        self.changed = Changed::Anything;
        Ok(())
    }

    fn submit(&mut self, workload: &Workload) -> Result<(), Ignored> {
        if self.jobs.contains_key(&workload.id) {
            return Err(Ignored::KnownWorkload);
        }
        if !workload.well_formed() {
            return Err(Ignored::Malformed);
        }
        self.mix.learn(&workload.request, workload.tasks);
        let expected = self.predictor.forecast(&Features::of(workload), self.last_at);
        let shape = self.shapes.intern(workload, &self.cluster);
        let (group, rank) = self.line_up(workload, shape, self.last_at, &expected);
        let job = Job {
            workload: workload.clone(),
            shape,
            group,
            rank,
            eligible: self.last_at,
            metered: self.meter(workload.total()),
            expected,
            forecast_at: self.last_at,
            state: JobState::Waiting,
        };
        self.waiting.insert(group, rank, workload);
        self.jobs.insert(workload.id, job);
        if let Changed::Arrivals(groups) = &mut self.changed {
            groups.insert(group);
        }
        Ok(())
    }

    fn started(&mut self, action: ActionId, workload: WorkloadId, since: Timestamp) -> Result<(), Ignored> {
        if !self.awaited(action, workload)? {
            return Ok(());
        }
        let job = self.jobs.get_mut(&workload).expect("an awaited job is there");
        let JobState::Placed(place) = &mut job.state else { unreachable!("an awaited job is placed") };
        place.outcome = Outcome::Started;
        // Clocks differ: it began after that was decided, and before this was heard of.
        let at = since.max(place.since).min(self.last_at);
        let late = at.since(place.since);
        if late < COUNTED_FROM_ITS_START {
            return Ok(());
        }
        let before = place.expected_end;
        place.expected_end = before + late;
        place.since = at;
        let after = place.expected_end;
        self.ends.remove(before, workload, &place.slots);
        self.ends.insert(after, workload, &place.slots, &job.workload.request);
        self.runs_from(workload, at);
        Ok(())
    }

    /// Lets the forecasts know since when a workload runs.
    pub(super) fn runs_from(&mut self, workload: WorkloadId, at: Timestamp) {
        if let Some(known) = self.predictor.learns() {
            known.started(workload, &self.jobs[&workload].expected, at);
        }
    }

    /// Whether this action's outcome is the one that is waited for.
    fn awaited(&self, action: ActionId, workload: WorkloadId) -> Result<bool, Ignored> {
        match &self.jobs.get(&workload).ok_or(Ignored::UnknownWorkload)?.state {
            JobState::Placed(place) if place.action == action && place.outcome == Outcome::Awaited => Ok(true),
            _ => Err(Ignored::SettledAction),
        }
    }

    /// Whether the workload is placed, and by this action: news of an earlier run changes nothing. Its start may not have
    /// been told yet.
    fn running(&self, action: ActionId, workload: WorkloadId) -> Result<(), Ignored> {
        match &self.jobs.get(&workload).ok_or(Ignored::UnknownWorkload)?.state {
            JobState::Placed(place) if place.action == action => Ok(()),
            JobState::Placed(_) => Err(Ignored::SettledAction),
            JobState::Waiting => Err(Ignored::NotPlaced),
        }
    }

    fn end(&mut self, workload: WorkloadId, ran: Millis, cause: EndCause) {
        self.release(workload);
        if cause == EndCause::Requeued {
            self.interrupted(workload);
            return self.enqueue(workload);
        }
        let job = self.jobs.remove(&workload).expect("whoever is placed is there");
        if let Some(known) = self.predictor.learns() {
            known.ended(workload, &job.expected, ran.0.max(0) as u64, self.last_at);
        }
    }

    /// Learns from a run that was over before.
    fn recall(&mut self, workload: &Workload, ran: Millis) {
        self.mix.learn(&workload.request, workload.tasks);
        if let Some(known) = self.predictor.learns() {
            let expected = known.forecast(&Features::of(workload), self.last_at);
            known.ended(workload.id, &expected, ran.0.max(0) as u64, self.last_at);
        }
    }

    fn withdraw(&mut self, workload: WorkloadId) -> Result<(), Ignored> {
        let job = self.jobs.get(&workload).ok_or(Ignored::UnknownWorkload)?;
        if !matches!(job.state, JobState::Waiting) {
            return Err(Ignored::NotWaiting);
        }
        self.waiting.remove(job.group, job.rank, &job.workload);
        self.guard.forget(workload);
        self.jobs.remove(&workload);
        Ok(())
    }

    fn lose(&mut self, node: NodeId) -> Result<(), Ignored> {
        self.stand(node, Standing::Lost)?;
        let there: Vec<WorkloadId> = self.ends.on(node).iter().map(|leaving| leaving.end.1).collect();
        for workload in there {
            self.wait_again(workload);
        }
        Ok(())
    }

    fn stand(&mut self, node: NodeId, standing: Standing) -> Result<(), Ignored> {
        if !self.cluster.knows(node) {
            return Err(Ignored::UnknownNode);
        }
        self.cluster.stand(node, standing);
        Ok(())
    }

    fn interrupted(&mut self, workload: WorkloadId) {
        if let Some(known) = self.predictor.learns() {
            known.interrupted(workload, self.last_at);
        }
    }

    fn wait_again(&mut self, workload: WorkloadId) {
        self.interrupted(workload);
        self.release(workload);
        self.enqueue(workload);
    }

    fn enqueue(&mut self, workload: WorkloadId) {
        let job = self.jobs.get_mut(&workload).expect("whoever waits again is there");
        job.state = JobState::Waiting;
        self.waiting.insert(job.group, job.rank, &job.workload);
    }

    /// Gives back all that a placed workload holds.
    fn release(&mut self, workload: WorkloadId) {
        let job = self.jobs.get(&workload).expect("whoever is released is there");
        let JobState::Placed(place) = &job.state else { unreachable!("only who is placed holds anything") };
        self.ends.remove(place.expected_end, workload, &place.slots);
        for slot in &place.slots {
            self.cluster.give(&job.workload.request, slot);
        }
        self.queues.give(job.workload.queue, job.workload.user, job.metered);
    }
}

/// The moment a place's workload is expected to end, never before `now`.
pub(super) fn not_before(end: Timestamp, now: Timestamp) -> Timestamp {
    if end > now { end } else { now + Millis::seconds(1) }
}
