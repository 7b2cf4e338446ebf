//! Steps of training as a job's processes tell of them: where the time of each went, and what a process is doing now.
//!
//! docs/STEPS.md has the lines in which they are told.

use serde::{Deserialize, Serialize};

/// What a process does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It waits for the next batch.
    DataWait,
    /// It copies the batch to the device.
    HostToDevice,
    /// It computes the loss.
    Forward,
    /// It computes gradients.
    Backward,
    /// It changes the weights.
    Optimizer,
    /// It exchanges gradients with the other ranks, or waits for them.
    Communication,
    /// It writes a checkpoint.
    Checkpoint,
    /// What is none of these.
    Other,
}

impl Phase {
    /// Every phase, in the order of a step.
    pub const ALL: [Self; 8] = [
        Self::DataWait,
        Self::HostToDevice,
        Self::Forward,
        Self::Backward,
        Self::Optimizer,
        Self::Communication,
        Self::Checkpoint,
        Self::Other,
    ];

    /// Its name in lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataWait => "data_wait",
            Self::HostToDevice => "host_to_device",
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Optimizer => "optimizer",
            Self::Communication => "communication",
            Self::Checkpoint => "checkpoint",
            Self::Other => "other",
        }
    }

    /// The phase with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// Time by phase, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhasesUs([u64; Phase::ALL.len()]);

impl PhasesUs {
    /// The time in a phase.
    #[must_use]
    pub fn of(&self, phase: Phase) -> u64 {
        self.0[phase as usize]
    }

    /// The time in a phase, to be changed.
    pub fn of_mut(&mut self, phase: Phase) -> &mut u64 {
        &mut self.0[phase as usize]
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, us| sum.saturating_add(*us))
    }
}

/// Who tells: one process of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// The job, by the name that its processes share.
    pub job: String,
    /// Its number in the job.
    pub rank: u32,
    /// How many there are.
    pub ranks: u32,
    /// Its process, where that is known.
    pub pid: Option<u32>,
    /// The group of ranks that it exchanges gradients with, where it says.
    pub group: Option<String>,
}

/// A step that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub number: u64,
    /// When it ended, in microseconds since 1970.
    pub ended_us: i64,
    /// How long it was.
    pub us: u64,
    /// Where its time went; they add up to `us`.
    pub phases: PhasesUs,
}

/// What a process does now, told once a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doing {
    /// In which step.
    pub step: u64,
    /// What.
    pub phase: Phase,
    /// Since when, in microseconds since 1970.
    pub since_us: i64,
}

/// What a process tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It begins, or goes on after its connection broke.
    Began(Rank),
    /// A step ended.
    Step(Step),
    /// What it does now.
    Doing(Doing),
    /// It could not hand on so many lines.
    Dropped(u64),
    /// It ends, and says so.
    Ended,
}
