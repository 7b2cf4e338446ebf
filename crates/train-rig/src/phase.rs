//! The phases of a step, named as the step-clock protocol names them.

use serde::{Deserialize, Serialize};

/// A phase of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Waiting for the loader.
    DataWait,
    /// Copying a batch to the device.
    HostToDevice,
    /// The forward pass.
    Forward,
    /// The backward pass.
    Backward,
    /// Updating weights.
    Optimizer,
    /// The all-reduce of gradients.
    Communication,
    /// Writing a checkpoint.
    Checkpoint,
    /// Anything else.
    Other,
}

impl Phase {
    /// Those that a step's line tells, in its order.
    pub const TOLD: [Self; 7] = [
        Self::DataWait,
        Self::HostToDevice,
        Self::Forward,
        Self::Backward,
        Self::Optimizer,
        Self::Communication,
        Self::Checkpoint,
    ];

    /// Its name in the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
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
}
