//! What step clocks tell: of each rank of a job, the mean of the steps that ended since the last scrape.

use super::Unit::Seconds;
use super::{Signal, Source};
use crate::step::Phase;

/// Step clocks.
pub static CLOCK: Source = Source {
    name: "step clocks",
    of: "each rank of a job that tells its steps (the mean of the steps that ended since the last scrape)",
    unknown: "the rank ended no step since the last scrape: its steps are longer than that, or it does not go on",
    cost: "a line of text a step",
    signals: &[
        &STEP,
        &DATA_WAIT,
        &HOST_TO_DEVICE,
        &FORWARD,
        &BACKWARD,
        &OPTIMIZER,
        &COMMUNICATION,
        &CHECKPOINT,
        &OTHER,
    ],
};

/// A step.
pub static STEP: Signal = Signal::gauge("step_seconds", Seconds, "how long a step took");
/// Part of it.
pub static DATA_WAIT: Signal =
    Signal::gauge("step_data_wait_seconds", Seconds, "of a step, waiting for the next batch");
/// Part of it.
pub static HOST_TO_DEVICE: Signal =
    Signal::gauge("step_host_to_device_seconds", Seconds, "of a step, copying the batch to the device");
/// Part of it.
pub static FORWARD: Signal = Signal::gauge("step_forward_seconds", Seconds, "of a step, computing the loss");
/// Part of it.
pub static BACKWARD: Signal = Signal::gauge("step_backward_seconds", Seconds, "of a step, computing gradients");
/// Part of it.
pub static OPTIMIZER: Signal = Signal::gauge("step_optimizer_seconds", Seconds, "of a step, changing the weights");
/// Part of it.
pub static COMMUNICATION: Signal = Signal::gauge(
    "step_communication_seconds",
    Seconds,
    "of a step, exchanging gradients with other ranks, or waiting for them",
);
/// Part of it.
pub static CHECKPOINT: Signal = Signal::gauge("step_checkpoint_seconds", Seconds, "of a step, writing a checkpoint");
/// Part of it.
pub static OTHER: Signal = Signal::gauge("step_other_seconds", Seconds, "of a step, what is none of these");

/// The time of a step that went into a phase.
#[must_use]
pub fn of(phase: Phase) -> &'static Signal {
    match phase {
        Phase::DataWait => &DATA_WAIT,
        Phase::HostToDevice => &HOST_TO_DEVICE,
        Phase::Forward => &FORWARD,
        Phase::Backward => &BACKWARD,
        Phase::Optimizer => &OPTIMIZER,
        Phase::Communication => &COMMUNICATION,
        Phase::Checkpoint => &CHECKPOINT,
        Phase::Other => &OTHER,
    }
}
