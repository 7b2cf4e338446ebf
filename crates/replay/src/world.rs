//! The outside, as a replay knows it: how long work really takes, what starts do, what ends when. The engine never sees this.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fleet::action::Slot;
use fleet::event::EndCause;
use fleet::history::NodeChange;
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::history::Run;
use crate::outcome::{Outcome, Stint};
use crate::seed::Seed;
use crate::setup::Setup;

/// Something the world will tell the engine at its moment. The order of variants is the order in which things that happen at
/// one moment are told: ends first, arrivals last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coming {
    /// A run ends, unless it was cut short before (the number tells runs apart).
    End(WorkloadId, u32),
    /// A start is carried out.
    Start(WorkloadId, ActionId),
    /// A start fails.
    Fail(WorkloadId, ActionId),
    /// Something becomes of a node.
    Node(NodeId, Change),
    /// Somebody does not want to wait any longer.
    Withdraw(WorkloadId),
    /// A workload could start from now on.
    Arrive(WorkloadId),
}

/// [`NodeChange`] with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Lost,
    Drained,
    Returned,
}

/// What the world knows of a workload that waits or runs.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// Which recorded run comes next.
    attempt: usize,
    /// How much of that run is done and kept by a checkpoint.
    kept: Millis,
    /// Rises with every run here.
    run: u32,
    running: Option<Running>,
    /// How many of those it depends on have not ended.
    waits_for: u32,
    gone: bool,
}

/// A start that was asked for, carried out or not yet.
#[derive(Clone, Debug)]
struct Running {
    action: ActionId,
    slots: Vec<Slot>,
    /// When the run began; `None`: the start is still under way.
    since: Option<Timestamp>,
    /// How long it runs, once it began, if nothing cuts it short.
    length: Option<Millis>,
}

/// The outside.
pub(crate) struct World<'a> {
    setup: &'a Setup<'a>,
    /// What the record says will happen, the last first.
    recorded: Vec<(Timestamp, Coming)>,
    /// What follows from what happens here. Apart from `recorded`, since a heap of all arrivals is slow to take from.
    coming: BinaryHeap<Reverse<(Timestamp, Coming)>>,
    progress: Vec<Progress>,
    dependents: Vec<Vec<WorkloadId>>,
    /// Ends of nodes in this history come from node events, not from recorded attempts.
    nodes_fail: bool,
    seed: Seed,
    pub(crate) outcome: Outcome,
}

impl<'a> World<'a> {
    pub(crate) fn new(setup: &'a Setup<'a>, seed: u64) -> Self {
        let workloads = &setup.history.workloads;
        let mut world = Self {
            setup,
            recorded: Vec::new(),
            coming: BinaryHeap::new(),
            progress: vec![Progress::default(); workloads.len()],
            dependents: vec![Vec::new(); workloads.len()],
            nodes_fail: setup.node_events.iter().any(|(.., change)| *change == NodeChange::Lost),
            seed: Seed::new(seed),
            outcome: Outcome {
                workloads: vec![crate::outcome::Fate::default(); workloads.len()],
                ..Outcome::default()
            },
        };
        for &(at, node, change) in &setup.node_events {
            let change = match change {
                NodeChange::Lost => Change::Lost,
                NodeChange::Drained => Change::Drained,
                NodeChange::Returned => Change::Returned,
            };
            world.recorded.push((setup.moment(at), Coming::Node(node, change)));
        }
        for recorded in workloads {
            let id = recorded.workload.id;
            world.skip_lost_runs(id);
            for on in &recorded.depends_on {
                world.dependents[on.index()].push(id);
            }
            world.progress[id.index()].waits_for = recorded.depends_on.len() as u32;
            if recorded.depends_on.is_empty() {
                world.recorded.push((setup.moment(recorded.eligible), Coming::Arrive(id)));
            }
            if let Some(at) = recorded.withdrawn.filter(|_| recorded.attempts.is_empty()) {
                world.recorded.push((setup.moment(at), Coming::Withdraw(id)));
            }
        }
        world.recorded.sort_unstable_by(|a, b| b.cmp(a));
        world
    }

    /// What happens next, and when.
    fn peek(&self) -> Option<(Timestamp, Coming)> {
        let recorded = self.recorded.last().copied();
        let coming = self.coming.peek().map(|Reverse(coming)| *coming);
        recorded.into_iter().chain(coming).min()
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.peek().map(|(at, _)| at)
    }

    /// What happens next, if it happens by `now`.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Coming> {
        let next = self.peek().filter(|(at, _)| *at <= now)?;
        if self.recorded.last() == Some(&next) {
            self.recorded.pop();
        } else {
            self.coming.pop();
        }
        Some(next.1)
    }

    /// Carries out a start: at once, or after the time that it took when it was recorded and a seeded delay, or not at all.
    pub(crate) fn start(&mut self, workload: WorkloadId, action: ActionId, slots: Vec<Slot>, now: Timestamp) -> Answer {
        self.progress[workload.index()].running = Some(Running { action, slots, since: None, length: None });
        let faults = self.setup.faults;
        let fails = faults.start_fails_permille > 0 && self.seed.below(1_000) < u64::from(faults.start_fails_permille);
        let mut delay = self.attempt(workload).map_or(Millis::ZERO, |run| run.starting);
        if faults.delay_max.0 > 0 {
            delay += Millis(self.seed.below(faults.delay_max.0 as u64 + 1) as i64);
        }
        if delay.0 > 0 {
            let at = now + delay;
            let coming = if fails { Coming::Fail(workload, action) } else { Coming::Start(workload, action) };
            self.coming.push(Reverse((at, coming)));
            return Answer::Later;
        }
        if fails { Answer::Failed } else { Answer::Started }
    }

    /// A start was carried out: the run begins.
    pub(crate) fn began(&mut self, workload: WorkloadId, now: Timestamp) {
        let length = self.remaining(workload);
        let completing = self.attempt(workload).and_then(|run| run.completing).unwrap_or(self.setup.completing);
        let progress = &mut self.progress[workload.index()];
        progress.run += 1;
        let running = progress.running.as_mut().expect("a run begins where a start was asked for");
        running.since = Some(now);
        running.length = length;
        let run = progress.run;
        let free = length.map(|length| now + length + completing);
        self.coming.extend(free.map(|free| Reverse((free, Coming::End(workload, run)))));
    }

    /// How long a workload has waited by now, all its waits together.
    pub(crate) fn waited(&self, workload: WorkloadId, now: Timestamp) -> Millis {
        let fate = &self.outcome.workloads[workload.index()];
        Millis(now.since(fate.eligible).0 - fate.run().0)
    }

    /// A start failed.
    pub(crate) fn failed(&mut self, workload: WorkloadId) {
        self.progress[workload.index()].running = None;
    }

    /// Whether a start that was under way still is.
    pub(crate) fn starting(&self, workload: WorkloadId, action: ActionId) -> bool {
        let running = self.progress[workload.index()].running.as_ref();
        running.is_some_and(|running| running.action == action && running.since.is_none())
    }

    /// A run that ended by itself is cleaned up. `None` if that run was cut short before.
    pub(crate) fn ended(
        &mut self,
        workload: WorkloadId,
        run: u32,
        now: Timestamp,
    ) -> Option<(ActionId, Millis, EndCause)> {
        let progress = &mut self.progress[workload.index()];
        if progress.run != run {
            return None;
        }
        let Running { action, slots, since, length } = progress.running.take()?;
        let since = since.expect("only a run that began ends");
        let ran = length.expect("only a run of known length ends by itself");
        let recorded = &self.setup.history.workloads[workload.index()];
        let limit = self.setup.limit(workload.index());
        let attempt = recorded.attempts.get(progress.attempt);
        let mut cause = attempt.map_or(EndCause::Cancelled, |attempt| attempt.cause);
        let worked = attempt.map_or(Millis::ZERO, |attempt| self.setup.work(workload.index(), attempt.length));
        let last = progress.attempt + 1 >= recorded.attempts.len();
        if limit.is_some_and(|limit| ran + progress.kept < worked && ran >= limit) {
            cause = EndCause::TimedOut;
        } else if !last {
            cause = EndCause::Requeued;
        } else if cause == EndCause::Requeued {
            // It was put back, and nothing is recorded of what came then: there is no more work to live.
            cause = EndCause::Unknown;
        }
        progress.kept = Millis::ZERO;
        progress.attempt += 1;
        let stint = Stint { start: since, end: since + ran, slots, cause, lost: Millis::ZERO };
        self.outcome.workloads[workload.index()].stints.push(stint);
        if cause == EndCause::Requeued {
            self.skip_lost_runs(workload);
        } else {
            self.settle(workload, now);
        }
        Some((action, ran, cause))
    }

    /// The runs on a node that are over and still being cleaned up: the loss of the node comes too late for them.
    pub(crate) fn over_on(&self, node: NodeId, now: Timestamp) -> Vec<(WorkloadId, u32)> {
        let over = |running: &Running| {
            running.slots.iter().any(|slot| slot.node == node)
                && running.since.zip(running.length).is_some_and(|(since, length)| since + length <= now)
        };
        let progress = self.progress.iter().enumerate();
        let over = progress.filter(|(_, progress)| progress.running.as_ref().is_some_and(over));
        over.map(|(index, progress)| (WorkloadId(index as u32), progress.run)).collect()
    }

    /// A node is lost: whatever ran there is cut short, and does again what no checkpoint kept.
    pub(crate) fn lose(&mut self, node: NodeId, now: Timestamp) {
        for index in 0..self.progress.len() {
            let progress = &mut self.progress[index];
            let there = |running: &Running| running.slots.iter().any(|slot| slot.node == node);
            let Some(Running { slots, since, .. }) = progress.running.take_if(|running| there(running)) else {
                continue;
            };
            let Some(since) = since else { continue };
            let every = self.setup.history.workloads[index].checkpoint_every;
            let ran = now.since(since);
            let kept =
                every.filter(|every| every.0 > 0).map_or(Millis::ZERO, |every| Millis(ran.0 / every.0 * every.0));
            progress.kept += kept;
            progress.run += 1;
            let lost = ran - kept;
            let stint = Stint { start: since, end: now, slots, cause: EndCause::NodeFailed, lost };
            self.outcome.workloads[index].stints.push(stint);
        }
    }

    /// A workload arrives now; tells whether it is still wanted.
    pub(crate) fn arrived(&mut self, workload: WorkloadId, now: Timestamp) -> bool {
        self.outcome.workloads[workload.index()].eligible = now;
        !self.progress[workload.index()].gone
    }

    /// Its owner does not want it any more; tells whether it runs and so ends here.
    pub(crate) fn withdrawn(&mut self, workload: WorkloadId, now: Timestamp) -> Withdrawn {
        let progress = &mut self.progress[workload.index()];
        progress.gone = true;
        let running = progress.running.take();
        self.settle(workload, now);
        if let Some(Running { action, slots, since, .. }) = running {
            self.progress[workload.index()].run += 1;
            let since = since.unwrap_or(now);
            let stint = Stint { start: since, end: now, slots, cause: EndCause::Cancelled, lost: Millis::ZERO };
            self.outcome.workloads[workload.index()].stints.push(stint);
            return Withdrawn::Running(action, now.since(since));
        }
        self.outcome.workloads[workload.index()].withdrawn = Some(now);
        Withdrawn::Waiting
    }

    /// It is over for good: whoever waited for it may come.
    fn settle(&mut self, workload: WorkloadId, now: Timestamp) {
        for dependent in std::mem::take(&mut self.dependents[workload.index()]) {
            let progress = &mut self.progress[dependent.index()];
            progress.waits_for -= 1;
            if progress.waits_for == 0 {
                let recorded = &self.setup.history.workloads[dependent.index()];
                let at = now.max(self.setup.moment(recorded.submit));
                self.coming.push(Reverse((at, Coming::Arrive(dependent))));
            }
        }
    }

    /// The recorded run that comes next, or is under way.
    fn attempt(&self, workload: WorkloadId) -> Option<&Run> {
        let attempts = &self.setup.history.workloads[workload.index()].attempts;
        attempts.get(self.progress[workload.index()].attempt)
    }

    /// How long the run that begins now will take. `None`: it never ran; whoever withdrew it would have stopped it at that moment.
    fn remaining(&self, workload: WorkloadId) -> Option<Millis> {
        let index = workload.index();
        let progress = &self.progress[index];
        let recorded = &self.setup.history.workloads[index];
        let attempt = self.attempt(workload)?;
        let left = self.setup.work(index, attempt.length).saturating_sub(progress.kept);
        // A run that was recorded past its limit shows that the limit was not enforced to the millisecond.
        Some(match (self.setup.limit(index), recorded.workload.time_limit) {
            (Some(limit), Some(asked)) if limit < asked => left.min(limit),
            (Some(limit), None) => left.min(limit),
            _ => left,
        })
    }

    /// Where node events are recorded, runs cut short by a lost node are not work to be done: the loss itself is replayed.
    fn skip_lost_runs(&mut self, workload: WorkloadId) {
        let attempts = &self.setup.history.workloads[workload.index()].attempts;
        let progress = &mut self.progress[workload.index()];
        while self.nodes_fail
            && progress.attempt + 1 < attempts.len()
            && attempts[progress.attempt].cause == EndCause::NodeFailed
        {
            progress.attempt += 1;
        }
    }
}

/// What a start comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Started,
    Failed,
    Later,
}

/// What a withdrawal comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withdrawn {
    Waiting,
    Running(ActionId, Millis),
}
