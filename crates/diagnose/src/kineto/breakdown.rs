//! All that is worked out from a trace.

use std::io::{self, BufRead};

use fleet::problem::{Problem, Problems};
use serde::Serialize;

use super::gather::{Failure, gather};
use super::kernels::{Kernel, Sums};
use super::names::Work;
use super::pair::pair;
use super::sweep::{Idle, Overlap, Sweep, Temporal};
use crate::sorter::Space;

/// Where the time of one rank's devices went.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Breakdown {
    /// The rank, and how many there are, where the trace says.
    pub rank: Option<u64>,
    /// See `rank`.
    pub world_size: Option<u64>,
    /// How many events the trace holds.
    pub events: u64,
    /// How many of them ran on a device and were counted.
    pub counted: u64,
    /// Whether the last of several marked steps was left out, which may be cut.
    pub last_step_left_out: bool,
    /// Idle, computing, and running something else.
    pub temporal: Temporal,
    /// What streams waited for.
    pub idle: Vec<Idle>,
    /// Which kinds of work ran at once.
    pub overlaps: Vec<Overlap>,
    /// The share of communication during which something computed; nothing where nothing communicates.
    pub overlapped_communication: Option<f64>,
    /// What takes most of each kind of work.
    pub kernels: Vec<Kernel>,
    /// The mean length of a kernel that computes, in microseconds.
    pub mean_kernel_us: f64,
    /// How long the training loop waited in PyTorch's DataLoader during that time, in microseconds.
    pub loader_wait_us: f64,
}

/// A trace that was read.
#[derive(Debug)]
pub struct Read {
    /// What it comes to.
    pub breakdown: Breakdown,
    /// What could not be read of it.
    pub problems: Problems,
}

/// Why a trace could not be read.
#[derive(Debug)]
pub enum ReadError {
    /// It is no trace.
    Input(Problem),
    /// There is no scratch space.
    Space(io::Error),
}

/// Reads a trace of PyTorch's profiler (Kineto), in bounded memory: what must be put in order and does not fit goes to scratch space.
///
/// # Errors
/// If it is no trace, or there is no scratch space. What is cut off or broken in the middle is told among the problems.
pub fn read(input: impl BufRead, file: &str, space: &mut Space<'_>) -> Result<Read, ReadError> {
    let mut gathered = gather(input, file, space).map_err(|failure| match failure {
        Failure::Input(problem) => ReadError::Input(problem),
        Failure::Space(error) => ReadError::Space(error),
    })?;
    let order = pair(&mut gathered, space).map_err(ReadError::Space)?;
    let (mut sweep, mut sums, mut counted) = (Sweep::default(), Sums::default(), 0);
    let (mut computing, mut computed_ns) = (0_u64, 0_i64);
    let names = &gathered.names;
    let swept = order.each(&mut |ran| {
        let work = names.work(ran.name);
        sweep.add(&ran, work);
        sums.add(ran.name, ran.end_ns - ran.start_ns);
        counted += 1;
        if work == Work::Computation {
            computing += 1;
            computed_ns += ran.end_ns - ran.start_ns;
        }
    });
    swept.map_err(ReadError::Space)?;
    let overlaps = sweep.overlaps();
    let loader_wait_us = sweep.span().map_or(0.0, |span| within(&gathered.loader.waits, span));
    let breakdown = Breakdown {
        rank: gathered.rank,
        world_size: gathered.world_size,
        events: gathered.events,
        counted,
        last_step_left_out: gathered.steps.many,
        temporal: sweep.temporal(),
        idle: sweep.idle(),
        overlapped_communication: overlapped(&overlaps),
        overlaps,
        kernels: sums.top(names),
        mean_kernel_us: if computing > 0 { computed_ns as f64 / 1_000.0 / computing as f64 } else { 0.0 },
        loader_wait_us,
    };
    Ok(Read { breakdown, problems: gathered.problems })
}

/// How much of these times lies within a span, in microseconds.
fn within(times: &[(i64, i64)], (first, last): (i64, i64)) -> f64 {
    let of = |&(start, length): &(i64, i64)| (start.saturating_add(length).min(last) - start.max(first)).max(0);
    times.iter().map(of).sum::<i64>() as f64 / 1_000.0
}

fn overlapped(overlaps: &[Overlap]) -> Option<f64> {
    let of = |kinds: &[Work]| -> f64 {
        let matching = overlaps.iter().filter(|overlap| kinds.iter().all(|kind| overlap.kinds.contains(kind)));
        matching.map(|overlap| overlap.us).sum()
    };
    let all = of(&[Work::Communication]);
    (all > 0.0).then(|| of(&[Work::Communication, Work::Computation]) / all)
}
