//! A workload inside the engine.

use fleet::action::Slot;
use fleet::ids::ActionId;
use fleet::quantity::MilliDevice;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use super::waiting::Rank;
use crate::predict::Forecast;

/// A workload that waits or runs. Whoever ended is forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) workload: Workload,
    pub(crate) shape: u32,
    pub(crate) group: u32,
    pub(crate) rank: Rank,
    /// When it could first have started.
    pub(crate) eligible: Timestamp,
    /// What it counts against quota and limits.
    pub(crate) metered: MilliDevice,
    /// How long it is expected to run, as of `forecast_at`.
    pub(crate) expected: Forecast,
    pub(crate) forecast_at: Timestamp,
    pub(crate) state: JobState,
}

/// Where a workload stands.
#[derive(Clone, Debug)]
pub(crate) enum JobState {
    /// It waits.
    Waiting,
    /// A start was decided; what it uses is reserved, carried out or not.
    Placed(Place),
}

/// A decided start.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) action: ActionId,
    pub(crate) slots: Vec<Slot>,
    /// When it started, or when that was decided as long as no outcome came back.
    pub(crate) since: Timestamp,
    pub(crate) outcome: Outcome,
    pub(crate) expected_end: Timestamp,
}

/// Whether the outcome of a start is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Awaited,
    Started,
}
