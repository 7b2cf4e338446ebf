//! One operation of one worker, and the kinds there are.
//!
//! The kinds are those of Megatron-style training as the traces of "Understanding Stragglers in Large Model Training Using
//! What-if Analysis" (OSDI'25) name them.

use serde::Serialize;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One micro-batch forward through one model chunk.
    ForwardCompute,
    /// And backward.
    BackwardCompute,
    /// Activations to the next stage.
    ForwardSend,
    /// Activations from the stage before.
    ForwardRecv,
    /// Gradients to the stage before.
    BackwardSend,
    /// Gradients from the next stage.
    BackwardRecv,
    /// Parameters gathered from the data-parallel ranks.
    ParamsAllGather,
    /// Gradients added up over the data-parallel ranks.
    GradsReduceScatter,
    /// Those that are added up on their own, where reduce-scatters overlap computation.
    SeparateGradsAllReduce,
    /// Gradients of layer norms, over tensor-parallel ranks.
    LayernormGradsAllReduce,
    /// Gradients of the embedding, between the first and the last stage.
    EmbeddingGradsAllReduce,
    /// The norm of all gradients, over all stages and data-parallel ranks.
    OptimizerClipMainGrad,
    /// The optimizer's own computation.
    Optimizer,
    /// Python's garbage collection, where training calls it.
    Gc,
}

/// How an operation's length comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// By computing.
    Computation,
    /// By moving data.
    Communication,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ForwardCompute,
        Self::BackwardCompute,
        Self::ForwardSend,
        Self::ForwardRecv,
        Self::BackwardSend,
        Self::BackwardRecv,
        Self::ParamsAllGather,
        Self::GradsReduceScatter,
        Self::SeparateGradsAllReduce,
        Self::LayernormGradsAllReduce,
        Self::EmbeddingGradsAllReduce,
        Self::OptimizerClipMainGrad,
        Self::Optimizer,
        Self::Gc,
    ];

    /// As traces name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ForwardCompute => "forward-compute",
            Self::BackwardCompute => "backward-compute",
            Self::ForwardSend => "forward-send",
            Self::ForwardRecv => "forward-recv",
            Self::BackwardSend => "backward-send",
            Self::BackwardRecv => "backward-recv",
            Self::ParamsAllGather => "params-all-gather",
            Self::GradsReduceScatter => "grads-reduce-scatter",
            Self::SeparateGradsAllReduce => "separate-grads-all-reduce",
            Self::LayernormGradsAllReduce => "layernorm-grads-all-reduce",
            Self::EmbeddingGradsAllReduce => "embedding-grads-all-reduce",
            Self::OptimizerClipMainGrad => "optimizer-clip-main-grad",
            Self::Optimizer => "optimizer",
            Self::Gc => "gc",
        }
    }

    /// By a trace's name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What its length is made of.
    #[must_use]
    pub fn work(self) -> Work {
        match self {
            Self::ForwardCompute | Self::BackwardCompute | Self::Optimizer | Self::Gc => Work::Computation,
            _ => Work::Communication,
        }
    }

    /// What parts of a slowdown are told by: sends and receives of a direction are one.
    #[must_use]
    pub fn family(self) -> &'static str {
        match self {
            Self::ForwardSend | Self::ForwardRecv => "forward-pp-comm",
            Self::BackwardSend | Self::BackwardRecv => "backward-pp-comm",
            kind => kind.name(),
        }
    }
}

/// One operation of one worker in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation {
    /// The data-parallel rank of the worker.
    pub dp_rank: u32,
    /// Its stage of the pipeline.
    pub stage: u32,
    /// Its global rank.
    pub rank: u32,
    /// The step of training.
    pub step: u64,
    /// What it does.
    pub kind: Kind,
    /// When it began, in seconds from any moment that is the same for all.
    pub start_seconds: f64,
    /// How long it took, waiting for its peers included.
    pub seconds: f64,
    /// Its number among those of its kind, worker and step, from 0, in the order in which they began.
    pub sequence: u32,
    /// The model chunk within the stage, where it works for one; there is more than one where stages are interleaved.
    pub chunk: Option<u32>,
    /// The model chunk within the model, likewise.
    pub model_chunk: Option<u32>,
}
