//! `backfill`: in order at every event; past the head only at intervals, either with room kept for the first (EASY) or by a plan, as
//! Slurm's `sched/backfill` does (read in its `_attempt_backfill` and in `_will_run_test` of `select/cons_tres`, 22.05; man page
//! `slurm.conf`, `SchedulerParameters`).
//!
//! A look at the plan tries those who wait in order. Each starts now if it fits beside what is kept for those before it until its
//! own limit; else it is foreseen where it fits first if those who run end at their limits, and its nodes are kept, whole,
//! from then until its limit. Nothing is remembered from one look to the next. Start at [`Engine::backfill`].

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use fleet::action::Decision;
use fleet::action::Slot;
use fleet::ids::WorkloadId;
use fleet::policy::Plan;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use super::decide::{Budget, Mode};
use super::job::{Job, JobState};
use super::observe::not_before;
use super::{Changed, Engine};
use crate::cluster::{Cluster, NodeSet, Profile, Standing};
use crate::placement::{fits_beside_running, fits_empty};
use crate::policy;

/// Ends are let pass together that lie within so long, at first: Slurm rebuilds no cluster for each. Doubled at every step.
const ENDS_TOGETHER: Millis = Millis::seconds(30);
/// So often Slurm asks whether a look is due and worth it. Here that is between whole seconds: records count whole seconds, cut
/// off, so a look at the half sees all that is recorded of one, and starts in it.
const POLL: Millis = Millis::seconds(1);
/// The most moments at which one workload's fit is looked at; then nothing is kept for it.
const MOMENTS_MAX: usize = 1_000;

/// Where and when one who waits would start.
struct Planned {
    at: Timestamp,
    slots: Vec<Slot>,
}

/// What a look at the plan works on.
struct Draft {
    now: Timestamp,
    plan: Plan,
    /// A copy, for trying.
    cluster: Cluster,
    profile: Profile,
}

impl Engine {
    /// As Slurm does: in order at every event, past the head only at intervals.
    pub(super) fn backfill(&mut self, now: Timestamp, budget: Budget, decision: &mut Decision) {
        if let Some(plan) = self.policy.backfill_plan {
            return self.backfill_by_plan(now, plan, budget, decision);
        }
        let interval = self.policy.backfill_interval;
        if interval.0 <= 0 {
            return self.passes(now, Mode::Reserving, budget, decision);
        }
        if now < self.backfill_at {
            self.guard.clear();
            self.passes(now, Mode::Strict, budget, decision);
        } else {
            self.changed = Changed::Anything;
            self.passes(now, Mode::Reserving, budget, decision);
            if decision.actions.len() < budget.starts {
                self.backfill_at = now + interval;
            }
        }
        if self.waiting.len() > 0 {
            decision.wake_at = Some(self.backfill_at);
        }
    }

    fn backfill_by_plan(&mut self, now: Timestamp, plan: Plan, budget: Budget, decision: &mut Decision) {
        let interval = self.policy.backfill_interval;
        if self.changed != Changed::Arrivals(BTreeSet::new()) && !self.look_due {
            self.look_due = true;
            self.backfill_at = self.backfill_at.max(poll_from(now, interval));
        }
        self.passes(now, Mode::Strict, budget, decision);
        if self.look_due && now >= self.backfill_at && decision.actions.len() < budget.starts {
            // Whoever starts changes what the others can hope for: they are looked at again at the next interval, or where there is
            // none, at once.
            loop {
                let before = decision.actions.len();
                self.look(now, plan, budget, decision);
                self.look_due = decision.actions.len() > before;
                if !self.look_due || interval.0 > 0 || decision.actions.len() >= budget.starts {
                    break;
                }
            }
            self.backfill_at = poll_from(now + interval, interval);
        }
        self.look_due &= self.waiting.len() > 0;
        if self.look_due {
            decision.wake_at = Some(self.backfill_at.max(now));
        }
    }

    /// Tries those who wait, in order, up to the plan's depth.
    fn look(&mut self, now: Timestamp, plan: Plan, budget: Budget, decision: &mut Decision) {
        let bound = self.cluster.node_bound();
        let profile = Profile::new(slot_of(now, plan), slot_of(now + plan.window, plan), bound);
        let mut draft = Draft { now, plan, cluster: self.cluster.clone(), profile };
        let mut heap: BinaryHeap<_> = self.waiting.filled().filter_map(|group| self.candidate(group)).collect();
        let mut tried = 0;
        while let Some(Reverse((tier, rank, id, group))) = heap.pop() {
            if tried >= plan.depth || decision.actions.len() >= budget.starts {
                return;
            }
            let job = &self.jobs[&id];
            let (tier_now, rank_now) = self.turn(job);
            if (tier_now, rank_now) != (tier, rank) {
                heap.push(Reverse((tier_now, rank_now, id, group)));
                continue;
            }
            if let Some((_, next)) = self.waiting.behind(group, job.rank, id) {
                let (tier, rank) = self.turn(&self.jobs[&next]);
                heap.push(Reverse((tier, rank, next, group)));
            }
            if self.queues.limit(job.workload.queue, job.workload.user, job.metered).is_some() {
                continue;
            }
            tried += 1;
            let Some(planned) = self.plan(&mut draft, job) else { continue };
            if planned.at <= now {
                self.start_at(id, planned.slots, &mut draft.cluster, decision);
            } else {
                let until = self.end_from(job, planned.at);
                draft.keep(&planned.slots, planned.at, until);
            }
        }
    }

    /// When and where one who waits fits first, beside what is kept. `None`: not within the plan's window.
    fn plan(&self, draft: &mut Draft, job: &Job) -> Option<Planned> {
        let usable = self.usable(job);
        let mut from = draft.now;
        for _ in 0..MOMENTS_MAX {
            let kept = draft.profile.kept(from, self.end_from(job, from));
            let opens = draft.profile.opens(from, &usable);
            match self.fits_from(draft, job, &kept) {
                Some(Planned { at, slots }) if opens.is_none_or(|opens| at.max(from) <= opens) => {
                    let at = at.max(from);
                    if at <= draft.now || !draft.meets(&slots, at, self.end_from(job, at)) {
                        return (at <= draft.now + draft.plan.window).then_some(Planned { at, slots });
                    }
                    from = at;
                }
                // Elsewhere it may fit earlier, once nodes are let go that are kept now.
                _ => from = opens?,
            }
        }
        None
    }

    /// When and where one fits first on nodes that are not kept, if those who run end at their limits.
    fn fits_from(&self, draft: &mut Draft, job: &Job, kept: &NodeSet) -> Option<Planned> {
        let up = |cluster: &Cluster, node| cluster.knows(node) && cluster.node(node).standing == Standing::Up;
        let barred: Vec<_> = kept.iter().filter(|&node| up(&draft.cluster, node)).collect();
        for &node in &barred {
            draft.cluster.stand(node, Standing::Drained);
        }
        let mut released = Vec::new();
        let planned = self.fits_after_ends(draft, job, &mut released);
        for (id, slot) in released.into_iter().rev() {
            let back = draft.cluster.take_exactly(&self.jobs[&id].workload.request, &slot);
            assert!(back, "what was let go on trial is still free");
        }
        for &node in &barred {
            draft.cluster.stand(node, Standing::Up);
        }
        planned
    }

    fn fits_after_ends(&self, draft: &mut Draft, job: &Job, released: &mut Vec<(WorkloadId, Slot)>) -> Option<Planned> {
        let (shape, layout) = (self.shapes.shape(job.shape), self.shapes.layout(job.shape));
        if !fits_empty(&draft.cluster, shape, layout) {
            return None;
        }
        if let Some(slots) = self.fit(&mut draft.cluster, job) {
            return Some(Planned { at: draft.now, slots });
        }
        let mut ends = self.ends.iter().peekable();
        let mut together = ENDS_TOGETHER;
        let mut barrier = None;
        while ends.peek().is_some() {
            let mut last = None;
            while let Some((end, id)) = ends.next() {
                let JobState::Placed(place) = &self.jobs[&id].state else { unreachable!("who is placed has an end") };
                let there = place.slots.iter().filter(|slot| {
                    let node = draft.cluster.node(slot.node);
                    node.standing == Standing::Up && layout.classes.contains(&node.class)
                });
                let there: Vec<Slot> = there.copied().collect();
                if there.is_empty() {
                    continue;
                }
                for slot in there {
                    draft.cluster.give(&self.jobs[&id].workload.request, &slot);
                    released.push((id, slot));
                }
                last = Some(end);
                let barrier = *barrier.get_or_insert(floor(end, ENDS_TOGETHER) + ENDS_TOGETHER);
                if ends.peek().is_some_and(|&(next, _)| next > barrier + together) {
                    break;
                }
            }
            let (last, barrier) = (last?, barrier?);
            together = together + together;
            while ends.peek().is_some_and(|&(next, _)| next > barrier + together) {
                together = together + together;
            }
            if let Some(slots) = self.fit(&mut draft.cluster, job) {
                return Some(Planned { at: last, slots });
            }
        }
        None
    }

    /// Where a gang fits on a cluster, which is left as it was.
    fn fit(&self, cluster: &mut Cluster, job: &Job) -> Option<Vec<Slot>> {
        let (shape, layout) = (self.shapes.shape(job.shape), self.shapes.layout(job.shape));
        fits_beside_running(cluster, shape, layout, self.policy.placement, &self.mix)
    }

    /// Starts one where the plan found room.
    fn start_at(&mut self, id: WorkloadId, slots: Vec<Slot>, draft: &mut Cluster, decision: &mut Decision) {
        let job = &self.jobs[&id];
        let end = not_before(self.end_from(job, self.last_at), self.last_at);
        for slot in &slots {
            let request = &job.workload.request;
            let free = self.cluster.take_exactly(request, slot) && draft.take_exactly(request, slot);
            assert!(free, "a plan for now takes what is free now");
        }
        self.place(id, slots, end, decision);
    }

    /// When one ends at its limit that starts at a moment.
    fn end_from(&self, job: &Job, start: Timestamp) -> Timestamp {
        policy::expected_end(self.policy.order, &job.workload, &job.expected, start, start)
    }

    /// The nodes one may run on, kept or not.
    fn usable(&self, job: &Job) -> NodeSet {
        let mut usable = NodeSet::below(self.cluster.node_bound());
        for &class in &self.shapes.layout(job.shape).classes {
            let class = &self.cluster.classes()[class as usize];
            (0..=class.units()).flat_map(|units| class.with(units)).for_each(|node| usable.insert(node));
        }
        usable
    }
}

impl Draft {
    fn keep(&mut self, slots: &[Slot], from: Timestamp, until: Timestamp) {
        let (from, until) = self.slots_of(from, until);
        self.profile.keep(&self.nodes(slots), from, until);
    }

    fn meets(&self, slots: &[Slot], from: Timestamp, until: Timestamp) -> bool {
        let (from, until) = self.slots_of(from, until);
        self.profile.meets(&self.nodes(slots), from, until)
    }

    /// A span in the plan's resolution: at least one slot.
    fn slots_of(&self, from: Timestamp, until: Timestamp) -> (Timestamp, Timestamp) {
        let from = slot_of(from, self.plan);
        (from, slot_of(until, self.plan).max(from + self.plan.resolution.max(Millis(1))))
    }

    fn nodes(&self, slots: &[Slot]) -> NodeSet {
        let mut nodes = NodeSet::below(self.cluster.node_bound());
        slots.iter().for_each(|slot| nodes.insert(slot.node));
        nodes
    }
}

/// The first moment from `at` on at which it is asked whether to look; any, where looks are not bound to intervals.
fn poll_from(at: Timestamp, interval: Millis) -> Timestamp {
    if interval.0 <= 0 {
        return at;
    }
    let polled = floor(at, POLL) + Millis(POLL.0 / 2);
    if polled < at { polled + POLL } else { polled }
}

/// The beginning of the plan's slot that a moment lies in.
fn slot_of(at: Timestamp, plan: Plan) -> Timestamp {
    floor(at, plan.resolution)
}

fn floor(at: Timestamp, step: Millis) -> Timestamp {
    let step = step.0.max(1);
    Timestamp(at.0.div_euclid(step) * step)
}
