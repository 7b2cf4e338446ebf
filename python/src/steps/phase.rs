//! What a training step's time goes to.

/// A part of a step. What is in none of the others is other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for the next batch.
    DataWait,
    /// Bringing a batch to the device.
    HostToDevice,
    /// The model, and the loss.
    Forward,
    /// Gradients.
    Backward,
    /// Weights.
    Optimizer,
    /// What ranks tell each other.
    Communication,
    /// Keeping the state.
    Checkpoint,
    /// All else.
    Other,
}

impl Phase {
    /// Those that are marked, in the order in which they are told.
    pub(super) const MARKED: [Phase; 7] = [
        Phase::DataWait,
        Phase::HostToDevice,
        Phase::Forward,
        Phase::Backward,
        Phase::Optimizer,
        Phase::Communication,
        Phase::Checkpoint,
    ];

    /// Its name in Python, in the protocol and in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Phase::DataWait => "data_wait",
            Phase::HostToDevice => "host_to_device",
            Phase::Forward => "forward",
            Phase::Backward => "backward",
            Phase::Optimizer => "optimizer",
            Phase::Communication => "communication",
            Phase::Checkpoint => "checkpoint",
            Phase::Other => "other",
        }
    }

    /// The phase of that name.
    pub(super) fn named(name: &str) -> Option<Phase> {
        Phase::MARKED.into_iter().chain([Phase::Other]).find(|phase| phase.name() == name)
    }

    /// Its place among those that are marked.
    pub(super) fn place(self) -> usize {
        self as usize
    }
}
