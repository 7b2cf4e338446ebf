//! What must end before an operation can begin, and which end together.
//!
//! The model is that of "Understanding Stragglers in Large Model Training Using What-if Analysis" (OSDI'25), section 3: within a
//! worker, computations follow each other, and so does what is sent or received on one stream; a computation waits for
//! what it receives, and what is sent waits for its computation; parameters are gathered before the first computation of
//! their chunk, gradients added up after the last. Between workers, a transfer ends when both sides have begun. It is
//! built from the order in one step of one data-parallel rank, since all have the same.

use super::link::{Links, links};
use super::operation::Kind;
use super::trace::Trace;

/// What hangs on what, by slots of a [`Trace`].
#[derive(Clone, Debug)]
pub struct Dependencies {
    /// What must have ended before a slot begins.
    pub needs: Vec<Vec<usize>>,
    /// The group that a slot ends with, where it moves data between workers.
    pub group_of: Vec<Option<usize>>,
    /// The slots of each group.
    pub groups: Vec<Vec<usize>>,
    /// Whether a group ends together over all data-parallel ranks.
    pub over_dp_ranks: Vec<bool>,
}

impl Dependencies {
    /// Those of a trace.
    ///
    /// # Errors
    /// If what is sent does not match what is received, or something expected is missing; says where.
    pub fn of(trace: &Trace) -> Result<Self, String> {
        let mut building = Building {
            trace,
            needs: vec![Vec::new(); trace.slots.len()],
            groups: Vec::new(),
            over_dp_ranks: Vec::new(),
        };
        let Links { groups, needs } = links(trace)?;
        for (slot, needed) in needs {
            building.needs[slot].push(needed);
        }
        for group in groups {
            building.group(group, Reach::Stages);
        }
        for stage in 0..trace.stages {
            building.stage(stage)?;
        }
        building.between_stages();
        Ok(building.built())
    }
}

/// Over whom a group ends together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Stages,
    StagesAndDpRanks,
}

struct Building<'a> {
    trace: &'a Trace,
    needs: Vec<Vec<usize>>,
    groups: Vec<Vec<usize>>,
    over_dp_ranks: Vec<bool>,
}

impl Building<'_> {
    fn group(&mut self, slots: Vec<usize>, reach: Reach) {
        if !slots.is_empty() {
            self.groups.push(slots);
            self.over_dp_ranks.push(reach == Reach::StagesAndDpRanks);
        }
    }

    /// Each waits for the one before it.
    fn chain(&mut self, slots: &[usize]) {
        for pair in slots.windows(2) {
            self.needs[pair[1]].push(pair[0]);
        }
    }

    fn only(&self, stage: u32, kind: Kind) -> Option<usize> {
        self.trace.of_kinds(stage, &[kind]).first().copied()
    }

    fn stage(&mut self, stage: u32) -> Result<(), String> {
        let trace = self.trace;
        let computations = trace.computations(stage);
        self.chain(&computations);
        for stream in [Kind::ForwardSend, Kind::ForwardRecv, Kind::BackwardSend, Kind::BackwardRecv] {
            self.chain(&trace.of_kinds(stage, &[stream]));
        }
        self.first_backward(stage, &computations);
        let over_dp = trace.of_kinds(stage, &[Kind::ParamsAllGather, Kind::GradsReduceScatter]);
        self.chain(&over_dp);
        self.gathers(stage, &computations);
        let overlapped = self.only(stage, Kind::SeparateGradsAllReduce).is_some();
        if overlapped {
            self.reduce_scatters(stage, &computations);
        }
        self.end_of_step(stage, &computations, overlapped)?;
        let alone = [Kind::ParamsAllGather, Kind::GradsReduceScatter, Kind::SeparateGradsAllReduce];
        for slot in trace.of_kinds(stage, &alone) {
            self.group(vec![slot], Reach::StagesAndDpRanks);
        }
        Ok(())
    }

    /// The first send and receive of gradients are begun only when the last but one forward computation before the first
    /// backward one has ended: the schedule asks for both in one call.
    fn first_backward(&mut self, stage: u32, computations: &[usize]) {
        let slots = &self.trace.slots;
        let Some(first) = computations.iter().position(|&slot| slots[slot].kind == Kind::BackwardCompute) else {
            return;
        };
        let Some(before) = first.checked_sub(2).map(|at| computations[at]) else { return };
        for kind in [Kind::BackwardRecv, Kind::BackwardSend] {
            if let Some(slot) = self.trace.numbered(stage, kind, 0) {
                self.needs[slot].push(before);
            }
        }
    }

    /// The first forward computation of a chunk waits for the last gather of its parameters.
    fn gathers(&mut self, stage: u32, computations: &[usize]) {
        let trace = self.trace;
        let mut seen = Vec::new();
        for gather in trace.by_number(stage, Kind::ParamsAllGather).into_iter().rev() {
            let chunk = trace.slots[gather].chunk;
            if seen.contains(&chunk) {
                continue;
            }
            seen.push(chunk);
            let of_chunk = |slot: &&usize| {
                let slot = trace.slots[**slot];
                slot.kind == Kind::ForwardCompute && slot.chunk == chunk
            };
            if let Some(&first) = computations.iter().find(of_chunk) {
                self.needs[first].push(gather);
            }
        }
    }

    /// The first reduce-scatter of a chunk waits for its last backward computation.
    fn reduce_scatters(&mut self, stage: u32, computations: &[usize]) {
        let trace = self.trace;
        let mut seen = Vec::new();
        for scatter in trace.by_number(stage, Kind::GradsReduceScatter) {
            let chunk = trace.slots[scatter].chunk;
            if seen.contains(&chunk) {
                continue;
            }
            seen.push(chunk);
            let of_chunk = |slot: &&usize| {
                let slot = trace.slots[**slot];
                slot.kind == Kind::BackwardCompute && slot.chunk == chunk
            };
            let last = computations
                .iter()
                .filter(of_chunk)
                .max_by(|a, b| trace.first_end(**a).total_cmp(&trace.first_end(**b)));
            if let Some(&last) = last {
                self.needs[scatter].push(last);
            }
        }
    }

    /// What follows the last computation, one after the other; parts that a trace does not have are passed over.
    fn end_of_step(&mut self, stage: u32, computations: &[usize], overlapped: bool) -> Result<(), String> {
        let trace = self.trace;
        let last = computations.iter().max_by(|a, b| trace.first_end(**a).total_cmp(&trace.first_end(**b)));
        let &last = last.ok_or_else(|| format!("stage {stage} computes nothing"))?;
        let scatters = trace.by_number(stage, Kind::GradsReduceScatter);
        let mut order = vec![last];
        order.extend(self.only(stage, Kind::Gc));
        if overlapped {
            if let (Some(&scatter), Some(&next)) = (scatters.last(), self.after(stage).first()) {
                self.needs[next].push(scatter);
            }
            order.extend(self.after(stage));
        } else {
            order.extend(self.only(stage, Kind::LayernormGradsAllReduce));
            order.extend(self.only(stage, Kind::EmbeddingGradsAllReduce));
            order.extend(scatters);
        }
        order.extend(self.only(stage, Kind::OptimizerClipMainGrad));
        let optimizer = self.only(stage, Kind::Optimizer);
        order.push(optimizer.ok_or_else(|| format!("stage {stage} has no `optimizer`, which ends a step"))?);
        self.chain(&order);
        Ok(())
    }

    /// What comes between the last reduce-scatter and the clipping where reduce-scatters overlap computation.
    fn after(&self, stage: u32) -> Vec<usize> {
        let kinds = [Kind::LayernormGradsAllReduce, Kind::EmbeddingGradsAllReduce, Kind::SeparateGradsAllReduce];
        kinds.into_iter().filter_map(|kind| self.only(stage, kind)).collect()
    }

    fn between_stages(&mut self) {
        let stages = 0..self.trace.stages;
        let embeddings = stages.clone().filter_map(|stage| self.only(stage, Kind::EmbeddingGradsAllReduce)).collect();
        self.group(embeddings, Reach::Stages);
        let clips = stages.filter_map(|stage| self.only(stage, Kind::OptimizerClipMainGrad)).collect();
        self.group(clips, Reach::StagesAndDpRanks);
    }

    fn built(self) -> Dependencies {
        let mut group_of = vec![None; self.needs.len()];
        for (group, slots) in self.groups.iter().enumerate() {
            for &slot in slots {
                group_of[slot] = Some(group);
            }
        }
        Dependencies { needs: self.needs, group_of, groups: self.groups, over_dp_ranks: self.over_dp_ranks }
    }
}
