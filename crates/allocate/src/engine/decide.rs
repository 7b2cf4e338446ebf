//! Deciding: who starts now, where, and for whom room is kept.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use fleet::action::{Action, ActionKind, Decision, Slot};
use fleet::ids::WorkloadId;
use fleet::policy::Order;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use super::foresee::Among;
use super::job::{Job, JobState, Outcome, Place};
use super::observe::not_before;
use super::waiting::Rank;
use super::{Changed, Engine};
use crate::placement::{Access, Choice, Drains, Hold, Stay, fits_empty, try_take, worth_trying};
use crate::policy;
use crate::queues::Tier;

/// How much one decision may do.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The most workloads it may start. When that is reached, the decision asks to be woken at once.
    pub starts: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { starts: 100_000 }
    }
}

/// The first of a group, as it competes with those of other groups.
type Candidate = Reverse<(Tier, Rank, WorkloadId, u32)>;

/// By group: the time limit of the last of it that was tried in a pass and did not fit.
type Failed = BTreeMap<u32, Option<Millis>>;

/// What happens when a candidate does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It holds up everyone behind it who could use the same nodes.
    Strict,
    /// Room is kept for it, and others may go ahead that do not delay it.
    Reserving,
}

impl Engine {
    /// Decides what to do now. What was decided counts as placed from here on, until an outcome says otherwise. Where nothing was heard
    /// since the last decision, and it is not time yet to look again, nothing is decided and nothing changes: how often one asks changes
    /// no decision. (`backfill` is the exception: what its plan allows changes as time passes.)
    pub fn decide(&mut self, now: Timestamp, budget: Budget) -> Decision {
        self.last_at = self.last_at.max(now);
        let now = self.last_at;
        let asked_again = !self.news && self.wake_at.is_none_or(|at| now < at);
        if asked_again && self.policy.order != Order::Backfill {
            return Decision { actions: Vec::new(), wake_at: self.wake_at };
        }
        self.news = false;
        if self.shapes_changed() {
            self.changed = Changed::Anything;
        }
        self.revise_ends(now);
        let mut decision = Decision::default();
        match self.policy.order {
            Order::Fifo => self.passes(now, Mode::Strict, budget, &mut decision),
            Order::Trimtab => self.passes(now, Mode::Reserving, budget, &mut decision),
            Order::Backfill => self.backfill(now, budget, &mut decision),
        }
        for action in &decision.actions {
            let ActionKind::Start { workload, .. } = action.kind;
            self.runs_from(workload, now);
        }
        self.guard.lapse();
        if decision.actions.len() >= budget.starts && self.waiting.len() > 0 {
            decision.wake_at = Some(now);
            // Not all were looked at, and room may be kept for fewer than before.
            self.changed = Changed::Anything;
        } else {
            self.changed = Changed::Arrivals(std::collections::BTreeSet::new());
        }
        self.wake_at = decision.wake_at;
        decision
    }

    fn shapes_changed(&mut self) -> bool {
        self.shapes.refresh(&self.cluster)
    }

    /// Whoever should have ended by now did not: expect a later end.
    fn revise_ends(&mut self, now: Timestamp) {
        while let Some((end, id)) = self.ends.first() {
            if end > now {
                break;
            }
            let job = self.jobs.get_mut(&id).expect("whoever has an end is there");
            let JobState::Placed(place) = &mut job.state else { unreachable!("only who is placed has an end") };
            let revised = policy::expected_end(self.policy.order, &job.workload, &job.expected, place.since, now);
            place.expected_end = not_before(revised, now);
            self.ends.remove(end, id, &place.slots);
            self.ends.insert(place.expected_end, id, &place.slots, &job.workload.request);
        }
    }

    /// Looks again while those that started have brought one for whom others were held back to a limit, or over its quota: then it
    /// does not come before them any more.
    pub(super) fn passes(&mut self, now: Timestamp, mode: Mode, budget: Budget, decision: &mut Decision) {
        loop {
            let before = decision.actions.len();
            let mut waited_for = self.pass(now, mode, budget, decision);
            waited_for.extend(self.guard.holds().iter().map(|hold| (hold.workload, hold.tier)));
            let in_vain = |&(id, tier): &(WorkloadId, Tier)| {
                let job = &self.jobs[&id];
                let limit = self.queues.limit(job.workload.queue, job.workload.user, job.metered);
                limit.is_some() || self.turn(job).0 != tier
            };
            let started = before < decision.actions.len() && decision.actions.len() < budget.starts;
            if !started || !waited_for.iter().any(in_vain) {
                return;
            }
            self.changed = Changed::Anything;
        }
    }

    /// Gives those who held up others.
    fn pass(&mut self, now: Timestamp, mode: Mode, budget: Budget, decision: &mut Decision) -> Vec<(WorkloadId, Tier)> {
        let mut holding_up = Vec::new();
        let mut heap = self.candidates(mode);
        let mut held_up: Vec<u32> = Vec::new();
        let mut failed: Failed = BTreeMap::new();
        while let Some(Reverse((tier, rank, id, group))) = heap.pop() {
            if decision.actions.len() >= budget.starts {
                break;
            }
            let job = &self.jobs[&id];
            let (tier_now, rank_now) = self.turn(job);
            if (tier_now, rank_now) != (tier, rank) {
                heap.push(Reverse((tier_now, rank_now, id, group)));
                continue;
            }
            if self.queues.limit(job.workload.queue, job.workload.user, job.metered).is_some() {
                continue;
            }
            let shape = job.shape;
            if self.shapes.layout(shape).classes.iter().any(|class| held_up.contains(class)) {
                continue;
            }
            if self.start(id, now, decision) {
                heap.extend(self.next_of(group, &failed, now));
                continue;
            }
            match mode {
                Mode::Strict => {
                    self.hold_up(shape, &mut held_up);
                    holding_up.push((id, tier));
                }
                Mode::Reserving => {
                    self.reserve(id);
                    if policy::goes_by_limits(self.policy.order) {
                        failed.insert(group, self.jobs[&id].workload.time_limit);
                        heap.extend(self.next_of(group, &failed, now));
                    }
                }
            }
        }
        holding_up
    }

    /// Everyone who could use the same nodes waits behind a gang of this shape, unless it would not fit on empty nodes either.
    fn hold_up(&self, shape: u32, held_up: &mut Vec<u32>) {
        let (shape, layout) = (self.shapes.shape(shape), self.shapes.layout(shape));
        if fits_empty(&self.cluster, shape, layout) {
            let up = |class: &&u32| self.cluster.classes()[**class as usize].up() > 0;
            held_up.extend(layout.classes.iter().filter(up));
        }
    }

    /// The first of every group that may start now.
    fn candidates(&mut self, mode: Mode) -> BinaryHeap<Candidate> {
        let mut groups = Vec::new();
        match &self.changed {
            // Nothing was freed, so whoever waited before still cannot start; and room that is kept stays kept.
            Changed::Arrivals(arrived) if mode == Mode::Reserving => {
                groups.extend(arrived.iter().copied());
                let ahead = self.guard.holds().iter().any(|hold| {
                    let job = &self.jobs[&hold.workload];
                    let head = self.turn(job);
                    // Whoever went ahead may have brought it to a limit; then room is kept for nothing.
                    let limit = self.queues.limit(job.workload.queue, job.workload.user, job.metered);
                    let first = |&group: &u32| self.candidate(group).map(|Reverse((tier, rank, ..))| (tier, rank));
                    limit.is_some() || groups.iter().filter_map(first).any(|other| other < head)
                });
                if ahead {
                    groups.clear();
                    groups.extend(self.waiting.filled());
                    self.guard.clear();
                }
            }
            _ => {
                groups.extend(self.waiting.filled());
                self.guard.clear();
            }
        }
        groups.into_iter().filter_map(|group| self.candidate(group)).collect()
    }

    pub(super) fn candidate(&self, group: u32) -> Option<Candidate> {
        let (_, id) = self.waiting.first(group)?;
        let (tier, rank) = self.turn(&self.jobs[&id]);
        Some(Reverse((tier, rank, id, group)))
    }

    /// When a workload's turn comes, as things are. The same for all of a group, but for their ranks.
    pub(super) fn turn(&self, job: &Job) -> (Tier, Rank) {
        let borrowed = self.queues.borrowed(job.workload.queue);
        let nodes = self.shapes.nodes(job.shape);
        let by = policy::put_off(self.policy.order, borrowed, self.meter(self.cluster.capacity()), nodes);
        (self.queues.tier(job.workload.queue, job.metered), job.rank.put_off(by))
    }

    /// Who of a group is tried next: its first, or if one of them was tried and did not fit, the first that is gone earlier
    /// and before room that is kept is needed. All else they have in common.
    fn next_of(&self, group: u32, failed: &Failed, now: Timestamp) -> Option<Candidate> {
        let Some(failed) = failed.get(&group) else { return self.candidate(group) };
        let needed = self.guard.holds().iter().map(|hold| hold.at).max()?;
        let shorter = failed.map_or(Millis(i64::MAX), |limit| Millis(limit.0.saturating_sub(1)));
        let (_, id) = self.waiting.first_within(group, needed.since(now).min(shorter))?;
        let (tier, rank) = self.turn(&self.jobs[&id]);
        Some(Reverse((tier, rank, id, group)))
    }

    /// Places a gang if it fits beside what is kept for others.
    fn start(&mut self, id: WorkloadId, now: Timestamp, decision: &mut Decision) -> bool {
        let job = &self.jobs[&id];
        if !worth_trying(&self.cluster, self.shapes.shape(job.shape), self.shapes.layout(job.shape)) {
            return false;
        }
        // Only now, since most who are tried do not fit anywhere: forecasts cost more than all the rest of a decision.
        self.renew_forecast(id, now);
        let job = &self.jobs[&id];
        let stay = if self.guard.is_empty() {
            Stay::First
        } else {
            Stay::Until(policy::gone_by(self.policy.order, &job.workload, &job.expected, now))
        };
        let shape = self.shapes.shape(job.shape);
        let layout = self.shapes.layout(job.shape);
        let end = not_before(policy::expected_end(self.policy.order, &job.workload, &job.expected, now, now), now);
        let drains = policy::weighs_drains(self.policy.order).then_some(Drains { ends: &self.ends, now, end });
        let spares = policy::stays(self.policy.order).then_some(id);
        let choice =
            Choice { placement: self.policy.placement, mix: &self.mix, guard: &self.guard, stay, drains, spares };
        let Some(slots) = try_take(&mut self.cluster, shape, layout, &choice) else { return false };
        for slot in &slots {
            self.guard.took(slot.node, shape.request.times(slot.tasks), stay);
        }
        self.place(id, slots, end, decision);
        true
    }

    /// Notes that one who waited is placed on what was taken for it.
    pub(super) fn place(&mut self, id: WorkloadId, slots: Vec<Slot>, end: Timestamp, decision: &mut Decision) {
        let action = self.new_action();
        let job = self.jobs.get_mut(&id).expect("whoever starts was waiting");
        self.waiting.remove(job.group, job.rank, &job.workload);
        self.queues.take(job.workload.queue, job.workload.user, job.metered);
        self.ends.insert(end, id, &slots, &job.workload.request);
        self.guard.forget(id);
        decision.actions.push(Action { id: action, kind: ActionKind::Start { workload: id, slots: slots.clone() } });
        let since = self.last_at;
        job.state = JobState::Placed(Place { action, slots, since, outcome: Outcome::Awaited, expected_end: end });
    }

    /// Keeps room for a gang that does not fit, unless as much is kept as the policy keeps.
    fn reserve(&mut self, id: WorkloadId) {
        if self.guard.holds().iter().any(|hold| hold.workload == id) {
            // One like it arrived, so it was tried again; room is kept for it already.
            return;
        }
        let order = self.policy.order;
        let job = &self.jobs[&id];
        let (tier, _) = self.turn(job);
        if !policy::holds_another(order, tier, self.guard.holds().iter().map(|hold| hold.tier)) {
            return;
        }
        let now = self.last_at;
        let kept = self.guard.kept(id).filter(|_| policy::stays(order));
        let same = kept.and_then(|kept| Some((self.foresee(job, Among::These(&kept.nodes))?, kept.since)));
        let Some((foresight, since)) = same.or_else(|| Some((self.foresee(job, Among::All)?, now))) else { return };
        let closed = policy::closes_after(order).is_some_and(|after| now.since(since) >= after);
        let access = if closed { Access::Closed } else { Access::Brief };
        self.guard.hold(Hold { workload: id, at: foresight.at, tier, access }, since, foresight.nodes);
    }

    /// Makes the forecast of one who waits anew if it is old: meanwhile others like it have ended.
    fn renew_forecast(&mut self, id: WorkloadId, now: Timestamp) {
        let Some(after) = policy::renews_after(self.policy.order) else { return };
        let job = self.jobs.get_mut(&id).expect("a candidate waits");
        if now.since(job.forecast_at) >= after {
            if let Some(expected) = self.predictor.forecast_again(&job.expected, job.forecast_at, now) {
                job.expected = expected;
            }
            job.forecast_at = now;
        }
    }
}
