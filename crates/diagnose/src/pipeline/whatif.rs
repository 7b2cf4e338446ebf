//! What stragglers cost: the steps lived again as if none of their kind of operation took longer than usual.
//!
//! The measures are those of "Understanding Stragglers in Large Model Training Using What-if Analysis" (OSDI'25): the slowdown S
//! (equation 1), its part by operation type (2), by rank and stage, hence by worker (4), M_W (5), and M_S (section 5.2).

use serde::Serialize;

use super::cause::{self, Cause, Share};
use super::depend::Dependencies;
use super::lengths;
use super::simulate::{Lived, Simulation};
use super::trace::Trace;
use crate::median::mean;

/// The share of workers that M_W looks at: the slowest 3 %, at least one.
const WORST_PERCENT: usize = 3;

/// What stragglers cost a job.
#[derive(Clone, Debug, Serialize)]
pub struct WhatIf {
    /// How many data-parallel ranks and stages there are.
    pub dp_ranks: usize,
    /// Stages of the pipeline.
    pub stages: u32,
    /// The steps that were looked at.
    pub steps: Vec<u64>,
    /// What a step took on average, in seconds, as recorded.
    pub recorded_seconds: f64,
    /// The same without what the trace does not show: each operation begins as soon as it can.
    pub straight_seconds: f64,
    /// And with each operation as long as is usual for its kind.
    pub even_seconds: f64,
    /// S: how many times longer a step takes than it would if nothing straggled.
    pub slowdown: f64,
    /// The same, step by step.
    pub slowdown_by_step: Vec<f64>,
    /// The slowdown that each data-parallel rank would cause alone.
    pub by_dp_rank: Vec<Part<u32>>,
    /// And each stage.
    pub by_stage: Vec<Part<u32>>,
    /// And each kind of operation.
    pub by_kind: Vec<Part<&'static str>>,
    /// The slowdown of each worker: the smaller of its rank's and its stage's.
    pub workers: Vec<Worker>,
    /// M_W: the share of the lost time that comes back if the slowest 3 % of workers are as fast as is usual.
    pub worst_workers_share: f64,
    /// M_S: the same of the last stage.
    pub last_stage_share: f64,
    /// How forward and backward computations of a micro-batch go together: Pearson's correlation within a worker, the median of
    /// all workers.
    pub correlation: f64,
    /// What would come back by mending each cause alone, the largest first; shares of the time lost.
    pub shares: Vec<Share>,
    /// The cause that explains most; none where hardly anything is lost or nothing explains it.
    pub cause: Option<Cause>,
}

/// A part of a slowdown.
#[derive(Clone, Debug, Serialize)]
pub struct Part<T> {
    /// What it is the part of.
    pub of: T,
    /// How many times longer a step takes with this straggling and nothing else.
    pub slowdown: f64,
    /// The same, step by step.
    pub by_step: Vec<f64>,
}

/// A worker, and the slowdown it causes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Worker {
    /// Its global rank.
    pub rank: u32,
    /// Its data-parallel rank.
    pub dp_rank: u32,
    /// Its stage.
    pub stage: u32,
    /// The smaller of the slowdowns of its rank and its stage.
    pub slowdown: f64,
}

/// The lengths and lives that everything is measured by.
pub(super) struct Lives<'a> {
    pub(super) trace: &'a Trace,
    pub(super) simulation: Simulation<'a>,
    /// As recorded, and with everything as usual.
    pub(super) recorded: Vec<f64>,
    pub(super) even: Vec<f64>,
    /// What each step takes as recorded, without delays.
    pub(super) straight_steps: Vec<f64>,
    /// What a step takes on average with either, in seconds.
    pub(super) straight_seconds: f64,
    pub(super) even_seconds: f64,
}

/// Lives a trace again.
///
/// # Errors
/// If its operations do not fit together; says where.
pub fn whatif(trace: &Trace) -> Result<WhatIf, String> {
    let lives = Lives::of(trace)?;
    let even_steps = lives.simulation.step_seconds(&lives.simulation.live(&lives.even, None));
    let even = mean(&even_steps).expect("there is a step");
    let (by_dp_rank, by_stage, by_kind) = parts(&lives, &even_steps);
    let workers = workers(trace, &by_dp_rank, &by_stage);
    let place = |stage: u32, dp_rank: usize| stage as usize * trace.dp_ranks + dp_rank;
    let mut are_worst = vec![false; workers.len()];
    worst(&workers).iter().for_each(|worker| are_worst[place(worker.stage, worker.dp_rank as usize)] = true);
    let is_worst = |slot: usize, lane: usize| are_worst[place(trace.slots[slot].stage, lane % trace.dp_ranks)];
    let worst_workers_share = lives.recovered(is_worst);
    let last_stage_share = lives.recovered(|slot, _| trace.slots[slot].stage + 1 == trace.stages);
    let correlation = cause::correlation(&lives);
    let shares = cause::shares(&lives, correlation, is_worst);
    let slowdown = lives.straight_seconds / even;
    Ok(WhatIf {
        dp_ranks: trace.dp_ranks,
        stages: trace.stages,
        steps: trace.steps.clone(),
        recorded_seconds: mean(&trace.step_seconds()).expect("there is a step"),
        straight_seconds: lives.straight_seconds,
        even_seconds: lives.even_seconds,
        slowdown,
        slowdown_by_step: lives
            .straight_steps
            .iter()
            .zip(&even_steps)
            .map(|(straight, even)| straight / even)
            .collect(),
        by_dp_rank,
        by_stage,
        by_kind,
        workers,
        worst_workers_share,
        last_stage_share,
        cause: cause::of(&shares, slowdown),
        correlation,
        shares,
    })
}

impl<'a> Lives<'a> {
    pub(super) fn of(trace: &'a Trace) -> Result<Self, String> {
        let dependencies = Dependencies::of(trace)?;
        let recorded = lengths::recorded(trace, &dependencies);
        let usual = lengths::usual(trace, &recorded);
        let lanes = trace.lanes();
        let even = trace.slots.iter().flat_map(|slot| {
            let length = usual[slot.kind as usize].expect("there is one of its kind");
            std::iter::repeat_n(length, lanes)
        });
        let even: Vec<f64> = even.collect();
        let simulation = Simulation::new(trace, dependencies)?;
        let straight_steps = Vec::new();
        let mut lives =
            Self { trace, simulation, recorded, even, straight_steps, straight_seconds: 0.0, even_seconds: 0.0 };
        lives.straight_steps = lives.spans(&lives.simulation.live(&lives.recorded, None));
        lives.straight_seconds = mean(&lives.straight_steps).expect("there is a step");
        lives.even_seconds = lives.step_seconds(&lives.even);
        if lives.even_seconds <= 0.0 {
            return Err("its steps take no time".to_owned());
        }
        Ok(lives)
    }

    /// What a step takes on average, in seconds, with these lengths and no delay.
    pub(super) fn step_seconds(&self, lengths: &[f64]) -> f64 {
        mean(&self.spans(&self.simulation.live(lengths, None))).expect("there is a step")
    }

    /// How long each step takes, from the first start to the last end of anything.
    pub(super) fn spans(&self, lived: &Lived) -> Vec<f64> {
        let mut spans = vec![(f64::INFINITY, f64::NEG_INFINITY); self.trace.steps.len()];
        for (start, end) in lived.start.chunks_exact(self.trace.lanes()).zip(lived.end.chunks_exact(self.trace.lanes()))
        {
            for (lane, (start, end)) in start.iter().zip(end).enumerate() {
                let (first, last) = &mut spans[lane / self.trace.dp_ranks];
                *first = first.min(*start);
                *last = last.max(*end);
            }
        }
        spans.into_iter().map(|(first, last)| last - first).collect()
    }

    /// `into` with the lengths of `from` wherever something is selected, by slot and lane.
    pub(super) fn replaced(&self, into: &[f64], from: &[f64], selected: impl Fn(usize, usize) -> bool) -> Vec<f64> {
        let lanes = self.trace.lanes();
        let chosen = |cell: usize| if selected(cell / lanes, cell % lanes) { from[cell] } else { into[cell] };
        (0..into.len()).map(chosen).collect()
    }

    /// The lengths of one data-parallel rank as recorded, beside one that takes what is usual and stands for all others: where
    /// there are thousands, living each of them again for each would take as many thousand times as long.
    fn rank_beside_even(&self, rank: usize) -> Vec<f64> {
        let dp_ranks = self.trace.dp_ranks;
        let steps = self.recorded.chunks_exact(dp_ranks).zip(self.even.chunks_exact(dp_ranks));
        let others = usize::from(dp_ranks > 1);
        steps.flat_map(|(recorded, even)| even[..others].iter().copied().chain([recorded[rank]])).collect()
    }

    /// The share of the lost time that comes back if what is selected takes what is usual.
    pub(super) fn recovered(&self, selected: impl Fn(usize, usize) -> bool) -> f64 {
        self.share(self.step_seconds(&self.replaced(&self.recorded, &self.even, selected)))
    }

    /// The share of the lost time that comes back if a step takes so many seconds; zero where nothing is lost.
    pub(super) fn share(&self, seconds: f64) -> f64 {
        let lost = self.straight_seconds - self.even_seconds;
        if lost > 0.0 { (self.straight_seconds - seconds) / lost } else { 0.0 }
    }
}

type Parts = (Vec<Part<u32>>, Vec<Part<u32>>, Vec<Part<&'static str>>);

fn parts(lives: &Lives<'_>, even_steps: &[f64]) -> Parts {
    let trace = lives.trace;
    let by_dp_rank = (0..trace.dp_ranks as u32).map(|rank| {
        let lengths = lives.rank_beside_even(rank as usize);
        part(lives, even_steps, rank, trace.dp_ranks.min(2), &lengths)
    });
    let some = |selected: &dyn Fn(usize, usize) -> bool| lives.replaced(&lives.even, &lives.recorded, selected);
    let by_stage = (0..trace.stages).map(|stage| {
        let lengths = some(&|slot, _| trace.slots[slot].stage == stage);
        part(lives, even_steps, stage, trace.dp_ranks, &lengths)
    });
    let mut families: Vec<&'static str> = trace.slots.iter().map(|slot| slot.kind.family()).collect();
    families.sort_unstable();
    families.dedup();
    let by_kind = families.into_iter().map(|family| {
        let lengths = some(&|slot, _| trace.slots[slot].kind.family() == family);
        part(lives, even_steps, family, trace.dp_ranks, &lengths)
    });
    (by_dp_rank.collect(), by_stage.collect(), by_kind.collect())
}

fn part<T>(lives: &Lives<'_>, even_steps: &[f64], of: T, dp_ranks: usize, lengths: &[f64]) -> Part<T> {
    let steps = lives.simulation.step_seconds(&lives.simulation.live_with(dp_ranks, lengths, None));
    let even = mean(even_steps).expect("there is a step");
    Part {
        of,
        slowdown: mean(&steps).expect("there is a step") / even,
        by_step: steps.iter().zip(even_steps).map(|(step, even)| step / even).collect(),
    }
}

fn workers(trace: &Trace, by_dp_rank: &[Part<u32>], by_stage: &[Part<u32>]) -> Vec<Worker> {
    let of = |stage: &Part<u32>, dp_rank: &Part<u32>| Worker {
        rank: trace.ranks[stage.of as usize * trace.dp_ranks + dp_rank.of as usize],
        dp_rank: dp_rank.of,
        stage: stage.of,
        slowdown: stage.slowdown.min(dp_rank.slowdown),
    };
    by_stage.iter().flat_map(|stage| by_dp_rank.iter().map(move |dp_rank| of(stage, dp_rank))).collect()
}

/// The slowest 3 %; of equals, the lower rank.
pub(super) fn worst(workers: &[Worker]) -> Vec<Worker> {
    let mut sorted = workers.to_vec();
    sorted.sort_by(|a, b| b.slowdown.total_cmp(&a.slowdown).then(a.rank.cmp(&b.rank)));
    sorted.truncate((workers.len() * WORST_PERCENT).div_ceil(100));
    sorted
}
