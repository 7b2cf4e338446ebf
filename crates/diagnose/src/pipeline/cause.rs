//! Why a pipeline straggles: each cause is mended alone, and what comes back of the lost time says how much of it that cause explains.
//!
//! Causes overlap (a slow worker makes its stage slow), so their shares do not add up, and one is named: the largest. Thresholds
//! are those of "Understanding Stragglers in Large Model Training Using What-if Analysis" (OSDI'25): a job straggles from a
//! slowdown of 1.1 on (section 4.1), and lengths of sequences show where forward and backward computations of a micro-batch are
//! long together, with a correlation of 0.9 or more (section 5.3).

use fleet::recommendation::Interval;
use serde::Serialize;

use super::lengths::delays;
use super::operation::{Kind, Work};
use super::trace::Trace;
use super::whatif::Lives;
use crate::median::{mean, median, speedup};

/// The slowdown from which a job straggles.
pub const STRAGGLES: f64 = 1.1;

/// The correlation of forward with backward computations from which lengths of sequences are the reason.
pub const CORRELATED: f64 = 0.9;

/// A cause that explains less of the lost time than this is not named.
const EXPLAINS: f64 = 0.25;

/// Why a pipeline straggles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Few workers are slower than all others of their stage.
    SlowWorker,
    /// Stages are given more work than others.
    UnevenStages,
    /// Micro-batches hold sequences of very different length.
    UnevenLengths,
    /// Computations of a worker differ among themselves, and not by their micro-batches.
    UnevenComputation,
    /// Transfers take longer than is usual for them.
    Communication,
    /// Steps begin late: what they work on is not there yet.
    Data,
}

/// What would come back by mending one cause.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The cause.
    pub cause: Cause,
    /// The share of the time that is lost to stragglers; below zero where mending it alone would cost.
    pub share: f64,
    /// How many times faster steps would be: on average, and what nine steps in ten exceed and stay below.
    pub speedup: Interval,
}

/// What steps would take with one cause mended.
struct Mended {
    share: f64,
    speedup: Interval,
}

impl Mended {
    fn with(lives: &Lives<'_>, lengths: &[f64]) -> Self {
        let steps = lives.spans(&lives.simulation.live(lengths, None));
        Self { share: lives.share(mean(&steps).unwrap_or(0.0)), speedup: speedup(pairs(&lives.straight_steps, &steps)) }
    }

    fn named(self, cause: Cause) -> Share {
        Share { cause, share: self.share, speedup: self.speedup }
    }
}

fn pairs<'a>(from: &'a [f64], to: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    from.iter().copied().zip(to.iter().copied())
}

/// All causes, those that explain most first.
pub(super) fn shares(lives: &Lives<'_>, correlation: f64, is_worst: impl Fn(usize, usize) -> bool) -> Vec<Share> {
    let varied = if correlation >= CORRELATED { Cause::UnevenLengths } else { Cause::UnevenComputation };
    let is_communication = |slot: usize, _| lives.trace.slots[slot].kind.work() == Work::Communication;
    let mended = |selected: &dyn Fn(usize, usize) -> bool| {
        Mended::with(lives, &lives.replaced(&lives.recorded, &lives.even, selected))
    };
    let mut shares = vec![
        mended(&is_worst).named(Cause::SlowWorker),
        uneven_stages(lives).named(Cause::UnevenStages),
        uneven_within_workers(lives).named(varied),
        mended(&is_communication).named(Cause::Communication),
        late_begin(lives).named(Cause::Data),
    ];
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    shares
}

/// The one that explains most, where anything is lost and anything explains it.
pub(super) fn of(shares: &[Share], slowdown: f64) -> Option<Cause> {
    let late =
        shares.iter().any(|share| share.cause == Cause::Data && share.share * (slowdown - 1.0) >= STRAGGLES - 1.0);
    if slowdown < STRAGGLES && !late {
        return None;
    }
    shares.first().filter(|share| share.share >= EXPLAINS).map(|share| share.cause)
}

/// A worker's computations of one kind: slots of the kind and stage, and the lanes of the rank.
fn of_worker(trace: &Trace, lengths: &[f64], stage: u32, kind: Kind, dp_rank: usize) -> Vec<f64> {
    let lanes = trace.lanes();
    let slots = trace.of_kinds(stage, &[kind]);
    let of_slot = |slot: usize| lengths[slot * lanes..][..lanes].iter().skip(dp_rank).step_by(trace.dp_ranks).copied();
    slots.into_iter().flat_map(of_slot).collect()
}

const COMPUTATIONS: [Kind; 2] = [Kind::ForwardCompute, Kind::BackwardCompute];

/// The mean of each worker's computations of a kind, `[stage][dp_rank]`.
fn worker_means(lives: &Lives<'_>, kind: Kind) -> Vec<Vec<f64>> {
    let trace = lives.trace;
    let mean_of = |stage, dp_rank| mean(&of_worker(trace, &lives.recorded, stage, kind, dp_rank)).unwrap_or(0.0);
    (0..trace.stages).map(|stage| (0..trace.dp_ranks).map(|dp_rank| mean_of(stage, dp_rank)).collect()).collect()
}

/// What comes back if every stage has as much to compute as the mean one. A stage counts as its median worker, so that one
/// slow worker makes no stage uneven.
fn uneven_stages(lives: &Lives<'_>) -> Mended {
    let trace = lives.trace;
    let lanes = trace.lanes();
    let mut lengths = lives.recorded.clone();
    for kind in COMPUTATIONS {
        let typical: Vec<f64> =
            worker_means(lives, kind).iter_mut().map(|workers| median(workers).unwrap_or(0.0)).collect();
        let overall = mean(&typical).unwrap_or(0.0);
        for (slot, at) in trace.slots.iter().zip(0..).filter(|(slot, _)| slot.kind == kind) {
            let stage = typical[slot.stage as usize];
            if stage > 0.0 {
                lengths[at * lanes..][..lanes].iter_mut().for_each(|length| *length *= overall / stage);
            }
        }
    }
    Mended::with(lives, &lengths)
}

/// What comes back if each computation takes what is the mean of its worker and kind.
fn uneven_within_workers(lives: &Lives<'_>) -> Mended {
    let trace = lives.trace;
    let lanes = trace.lanes();
    let mut lengths = lives.recorded.clone();
    for kind in COMPUTATIONS {
        let means = worker_means(lives, kind);
        for (slot, at) in trace.slots.iter().zip(0..).filter(|(slot, _)| slot.kind == kind) {
            let cells = lengths[at * lanes..][..lanes].iter_mut();
            for (lane, length) in cells.enumerate() {
                *length = means[slot.stage as usize][lane % trace.dp_ranks];
            }
        }
    }
    Mended::with(lives, &lengths)
}

/// What comes back if the first operations of each stage begin when they can. Of the time that a step takes as it was
/// recorded, delays included, in shares of what is lost to stragglers.
fn late_begin(lives: &Lives<'_>) -> Mended {
    let trace = lives.trace;
    let mut delays = delays(trace, lives.simulation.dependencies());
    let lanes = trace.lanes();
    for (slot, at) in trace.slots.iter().zip(0..) {
        let first = if slot.stage == 0 { Kind::ForwardCompute } else { Kind::ForwardRecv };
        if slot.kind != first || slot.sequence > 0 {
            delays[at * lanes..][..lanes].fill(0.0);
        }
    }
    let late = lives.spans(&lives.simulation.live(&lives.recorded, Some(&delays)));
    // What the delays add, in the same measure as what mending takes away.
    let share = -lives.share(mean(&late).unwrap_or(0.0));
    Mended { share, speedup: speedup(pairs(&late, &lives.straight_steps)) }
}

/// How forward and backward computations of the same micro-batch go together: Pearson's correlation within a worker, the
/// median of all workers; zero where there is none.
pub(super) fn correlation(lives: &Lives<'_>) -> f64 {
    let trace = lives.trace;
    let mut of_workers = Vec::new();
    for stage in 0..trace.stages {
        let pairs = micro_batches(trace, stage);
        for dp_rank in 0..trace.dp_ranks {
            let values = |pick: fn(&(usize, usize)) -> usize| -> Vec<f64> {
                let of = |pair| {
                    let lanes = lives.recorded[pick(pair) * trace.lanes()..][..trace.lanes()].iter();
                    lanes.skip(dp_rank).step_by(trace.dp_ranks).copied()
                };
                pairs.iter().flat_map(of).collect()
            };
            of_workers.extend(pearson(&values(|pair| pair.0), &values(|pair| pair.1)));
        }
    }
    median(&mut of_workers).unwrap_or(0.0)
}

/// The forward and the backward computation of each micro-batch: those of a model chunk are in the same order.
fn micro_batches(trace: &Trace, stage: u32) -> Vec<(usize, usize)> {
    let of_kind = |kind| trace.by_number(stage, kind);
    let (forward, backward) = (of_kind(Kind::ForwardCompute), of_kind(Kind::BackwardCompute));
    let mut chunks: Vec<Option<u32>> = forward.iter().map(|&slot| trace.slots[slot].chunk).collect();
    chunks.sort_unstable();
    chunks.dedup();
    let in_chunk = |slots: &[usize], chunk| -> Vec<usize> {
        slots.iter().copied().filter(|&slot| trace.slots[slot].chunk == chunk).collect()
    };
    let pairs =
        chunks.into_iter().flat_map(|chunk| in_chunk(&forward, chunk).into_iter().zip(in_chunk(&backward, chunk)));
    pairs.collect()
}

fn pearson(xs: &[f64], ys: &[f64]) -> Option<f64> {
    let (mean_x, mean_y) = (mean(xs)?, mean(ys)?);
    let (mut both, mut only_x, mut only_y) = (0.0, 0.0, 0.0);
    for (x, y) in xs.iter().zip(ys) {
        let (x, y) = (x - mean_x, y - mean_y);
        both += x * y;
        only_x += x * x;
        only_y += y * y;
    }
    (only_x > 0.0 && only_y > 0.0).then(|| both / (only_x * only_y).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_together_is_correlated() {
        let close = |found: Option<f64>, expected: f64| assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?}");
        close(pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), 1.0);
        close(pearson(&[1.0, 2.0, 3.0], &[6.0, 4.0, 2.0]), -1.0);
        close(pearson(&[1.0, 2.0, 1.0, 2.0], &[1.0, 1.0, 2.0, 2.0]), 0.0);
        assert_eq!(pearson(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(pearson(&[], &[]), None);
    }
}
