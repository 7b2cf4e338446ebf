//! What each worker did when: as recorded, and without stragglers.
//!
//! Both are simulations, each operation begun as soon as it can: so that where they differ, only lengths differ. Steps are lived one
//! by one, and each begins at zero.

use super::operation::Kind;
use super::simulate::Lived;
use super::trace::Trace;
use super::whatif::Lives;

/// The steps of a trace lived twice.
#[derive(Debug)]
pub struct Timeline<'a> {
    trace: &'a Trace,
    /// By [`Life::ALL`].
    lives: [Lived; 2],
    /// What each step takes, likewise, in seconds.
    step_seconds: [Vec<f64>; 2],
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Operations take what they took.
    AsRecorded,
    /// Operations take what is usual for their kind.
    WithoutStragglers,
}

impl Life {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AsRecorded, Self::WithoutStragglers];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AsRecorded => "as recorded",
            Self::WithoutStragglers => "without stragglers",
        }
    }
}

/// What follows each other on a worker: within a lane, nothing overlaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Computations.
    Computation,
    /// Transfers between stages, each way of each direction.
    ForwardSend,
    /// See `ForwardSend`.
    ForwardRecv,
    /// See `ForwardSend`.
    BackwardSend,
    /// See `ForwardSend`.
    BackwardRecv,
    /// Collectives of data-parallel ranks.
    DataParallel,
    /// Collectives at the end of a step.
    EndOfStep,
}

impl Lane {
    /// All of them, as they are shown.
    pub const ALL: [Self; 7] = [
        Self::Computation,
        Self::ForwardSend,
        Self::ForwardRecv,
        Self::BackwardSend,
        Self::BackwardRecv,
        Self::DataParallel,
        Self::EndOfStep,
    ];

    /// Where operations of a kind lie.
    #[must_use]
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::ForwardCompute | Kind::BackwardCompute | Kind::Optimizer | Kind::Gc => Self::Computation,
            Kind::ForwardSend => Self::ForwardSend,
            Kind::ForwardRecv => Self::ForwardRecv,
            Kind::BackwardSend => Self::BackwardSend,
            Kind::BackwardRecv => Self::BackwardRecv,
            Kind::ParamsAllGather | Kind::GradsReduceScatter => Self::DataParallel,
            Kind::SeparateGradsAllReduce
            | Kind::LayernormGradsAllReduce
            | Kind::EmbeddingGradsAllReduce
            | Kind::OptimizerClipMainGrad => Self::EndOfStep,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Computation => "computation",
            Self::ForwardSend => "communication: forward send",
            Self::ForwardRecv => "communication: forward receive",
            Self::BackwardSend => "communication: backward send",
            Self::BackwardRecv => "communication: backward receive",
            Self::DataParallel => "communication: data-parallel ranks",
            Self::EndOfStep => "communication: end of step",
        }
    }
}

/// One operation, lived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The worker: its place among the workers, `stage * dp_ranks + dp_rank`.
    pub worker: usize,
    /// What it does.
    pub kind: Kind,
    /// Its number among those of its kind, worker and step.
    pub sequence: u32,
    /// When it begins, in seconds from the beginning of its step.
    pub start_seconds: f64,
    /// How long it takes, waiting for its peers included.
    pub seconds: f64,
}

impl<'a> Timeline<'a> {
    /// Lives a trace.
    ///
    /// # Errors
    /// If its operations do not fit together; says where.
    pub fn of(trace: &'a Trace) -> Result<Self, String> {
        let lives = Lives::of(trace)?;
        let lived = [&lives.recorded, &lives.even].map(|lengths| lives.simulation.live(lengths, None));
        let step_seconds = [&lived[0], &lived[1]].map(|lived| lives.spans(lived));
        Ok(Self { trace, lives: lived, step_seconds })
    }

    /// What each step takes, in seconds.
    #[must_use]
    pub fn step_seconds(&self, life: Life) -> &[f64] {
        &self.step_seconds[life as usize]
    }

    /// How many times longer a step takes as recorded.
    #[must_use]
    pub fn slowdown(&self, step: usize) -> f64 {
        let [recorded, even] = Life::ALL.map(|life| self.step_seconds(life)[step]);
        if even > 0.0 { recorded / even } else { 1.0 }
    }

    /// The place of the step that stands for all: its slowdown is nearest to the mean of them.
    #[must_use]
    pub fn typical_step(&self) -> usize {
        let slowdowns: Vec<f64> = (0..self.trace.steps.len()).map(|step| self.slowdown(step)).collect();
        let mean = crate::median::mean(&slowdowns).unwrap_or(1.0);
        let off = |step: &usize| (slowdowns[*step] - mean).abs();
        (0..slowdowns.len()).min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(0)
    }

    /// All operations of a step, worker by worker of a slot, slot by slot.
    pub fn spans(&self, life: Life, step: usize) -> impl Iterator<Item = Span> + '_ {
        let (trace, lived) = (self.trace, &self.lives[life as usize]);
        let lanes = trace.lanes();
        trace.slots.iter().enumerate().flat_map(move |(at, slot)| {
            (0..trace.dp_ranks).map(move |dp_rank| {
                let cell = at * lanes + step * trace.dp_ranks + dp_rank;
                Span {
                    worker: slot.stage as usize * trace.dp_ranks + dp_rank,
                    kind: slot.kind,
                    sequence: slot.sequence,
                    start_seconds: lived.start[cell],
                    // Clocks that disagree by less than a hundredth of a second end a transfer before it has begun.
                    seconds: (lived.end[cell] - lived.start[cell]).max(0.0),
                }
            })
        })
    }

    /// What was lived.
    #[must_use]
    pub fn trace(&self) -> &'a Trace {
        self.trace
    }
}
