//! All that is worked out from a trace.

use std::io::{self, BufRead};

use fleet::problem::{Problem, Problems};
use serde::Serialize;

use super::critical::{CriticalPath, NoPath, Step, Window};
use super::exposed::{Exposed, Exposures};
use super::gather::{Failure, gather};
use super::kernels::{Kernel, Sum, Sums};
use super::lanes::{Intervals, Lanes};
use super::launches::{Launched, Launches};
use super::names::Work;
use super::pair::{Happening, Ran, Rounding, pair};
use super::precision::Matrix;
use super::queues::{Change, Queue, Queues};
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
    /// How many marked steps what was counted is of; none where none is marked.
    pub steps: u64,
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
    /// What launches take: all together, and of each kind.
    pub launches: Vec<Launched>,
    /// In which precision matrices are multiplied.
    pub matrix: Matrix,
    /// How long the queues of streams were.
    pub queues: Vec<Queue>,
    /// The critical path of a step.
    pub critical_path: Option<CriticalPath>,
    /// Why there is none.
    pub no_critical_path: Option<NoPath>,
}

/// A trace that was read.
#[derive(Debug)]
pub struct Read {
    /// What it comes to.
    pub breakdown: Breakdown,
    /// What streams worked on, to be looked at.
    pub lanes: Lanes,
    /// Device time by name, so that it adds up; to be held against that of another trace.
    pub exposed: Vec<Exposed>,
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
/// The critical path is that of a step.
///
/// # Errors
/// If it is no trace, or there is no scratch space. What is cut off or broken in the middle is told among the problems.
pub fn read(input: impl BufRead, file: &str, step: Step, space: &mut Space<'_>) -> Result<Read, ReadError> {
    let mut gathered = gather(input, file, step, space).map_err(|failure| match failure {
        Failure::Input(problem) => ReadError::Input(problem),
        Failure::Space(error) => ReadError::Space(error),
    })?;
    let whole = Rounding { decimals: gathered.decimals };
    let recorder = std::mem::take(&mut gathered.recorder);
    let mut window =
        Window::open(recorder, whole, gathered.steps.last(), &gathered.streams).map_err(ReadError::Space)?;
    let mut launches = Launches::default();
    let order = pair(&mut gathered, whole, &mut window, &mut launches, space).map_err(ReadError::Space)?;
    let (names, mut counted) = (&gathered.names, Counted::default());
    let swept = order.each(&mut |happening| match happening {
        Happening::Launch { at_ns, stream, kept } => {
            let length = counted.queues.change(stream, at_ns, Change::Launched);
            kept.into_iter().for_each(|kept| window.queue_at_launch(kept, length));
        }
        Happening::Begin { ran, queued, kept } => {
            counted.add(&ran, names.work(ran.name));
            if queued {
                let length = counted.queues.change(ran.stream, ran.start_ns, Change::Begun);
                kept.into_iter().for_each(|kept| window.queue_at_start(kept, length));
            }
        }
    });
    swept.map_err(ReadError::Space)?;
    let (critical_path, no_critical_path) = match CriticalPath::of(&window, names) {
        Ok(path) => (Some(path), None),
        Err(fault) => (None, Some(fault)),
    };
    let overlaps = counted.sweep.overlaps();
    let loader_wait_us = counted.sweep.span().map_or(0.0, |span| within(&gathered.loader.waits, span));
    let breakdown = Breakdown {
        rank: gathered.rank,
        world_size: gathered.world_size,
        events: gathered.events,
        counted: counted.events,
        last_step_left_out: gathered.steps.many,
        steps: gathered.steps.counted(),
        temporal: counted.sweep.temporal(),
        idle: counted.sweep.idle(&gathered.streams),
        overlapped_communication: overlapped(&overlaps),
        overlaps,
        kernels: counted.sums.top(names),
        mean_kernel_us: counted.computing.mean(),
        loader_wait_us,
        launches: launches.all(),
        matrix: Matrix::of(&counted.sums, names),
        queues: counted.queues.all(&gathered.streams),
        critical_path,
        no_critical_path,
    };
    let exposed = counted.exposures.finish(names);
    let lanes = counted.intervals.finish(&gathered.streams);
    Ok(Read { breakdown, lanes, exposed, problems: gathered.problems })
}

/// What is counted while everything that ran passes by in its order.
#[derive(Default)]
struct Counted {
    events: u64,
    sweep: Sweep,
    sums: Sums,
    queues: Queues,
    /// Kernels that compute, in microseconds.
    computing: Sum,
    intervals: Intervals,
    exposures: Exposures,
}

impl Counted {
    fn add(&mut self, ran: &Ran, work: Work) {
        self.events += 1;
        self.sweep.add(ran, work);
        self.intervals.add(ran, work);
        self.exposures.add(ran, work);
        // Moments may be anything; of what they say, no more is made than there is room for.
        let length_ns = ran.end_ns.saturating_sub(ran.start_ns);
        self.sums.add(ran.name, length_ns);
        if work == Work::Computation {
            self.computing.add(length_ns as f64 / 1_000.0);
        }
    }
}

/// How much of these times lies within a span, in microseconds.
fn within(times: &[(i64, i64)], (first, last): (i64, i64)) -> f64 {
    let of = |&(start, end): &(i64, i64)| end.min(last).saturating_sub(start.max(first)).max(0);
    times.iter().map(of).fold(0, i64::saturating_add) as f64 / 1_000.0
}

fn overlapped(overlaps: &[Overlap]) -> Option<f64> {
    let of = |kinds: &[Work]| -> f64 {
        let matching = overlaps.iter().filter(|overlap| kinds.iter().all(|kind| overlap.kinds.contains(kind)));
        matching.map(|overlap| overlap.us).sum()
    };
    let all = of(&[Work::Communication]);
    (all > 0.0).then(|| of(&[Work::Communication, Work::Computation]) / all)
}
