//! Which rules the engine follows; recorded with a history, set by a fleet file, changed by a scenario.

use serde::{Deserialize, Serialize};

use crate::quantity::Millis;

/// The engine's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// In which order workloads start and which may go ahead.
    pub order: Order,
    /// Which of the nodes that would do is taken.
    #[serde(default)]
    pub placement: Placement,
    /// `backfill`: how often waiting workloads behind the head are looked at; zero means at every event.
    #[serde(default, rename = "backfill_interval_ms", skip_serializing_if = "is_zero")]
    pub backfill_interval: Millis,
    /// `backfill`: for whom room is kept, and how far ahead; absent: for the first that does not fit, however far (EASY).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill_plan: Option<Plan>,
}

/// How `backfill` plans ahead: whole nodes are kept for many of those who wait, each from the moment it is expected to start
/// until its time limit, as Slurm's `sched/backfill` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// How many of those who wait are tried in one look, in order (`bf_max_job_test`).
    #[serde(default = "depth")]
    pub depth: u32,
    /// Planned starts and ends are rounded down to multiples of this (`bf_resolution`).
    #[serde(default = "resolution", rename = "resolution_ms")]
    pub resolution: Millis,
    /// Nothing is kept for who would start later than this from now (`bf_window`).
    #[serde(default = "window", rename = "window_ms")]
    pub window: Millis,
}

/// Slurm's defaults (22.05).
impl Default for Plan {
    fn default() -> Self {
        Self { depth: depth(), resolution: resolution(), window: window() }
    }
}

impl Policy {
    /// An order with everything else as it is by default.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self { order, placement: Placement::default(), backfill_interval: Millis::ZERO, backfill_plan: None }
    }

    /// Its table in a fleet file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        #[derive(Serialize)]
        struct Tables<'a> {
            policy: &'a Policy,
        }
        toml::to_string(&Tables { policy: self }).expect("a policy is plain data").trim_end().to_owned()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(Order::Trimtab)
    }
}

/// In which order workloads start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As they came; who does not fit holds up all behind.
    Fifo,
    /// Backfill with the time limits asked for: EASY, or by a [`Plan`].
    Backfill,
    /// Predicted durations, a reservation for whoever has waited long, least total wait.
    #[default]
    Trimtab,
}

impl Order {
    /// Every order there is.
    pub const ALL: [Self; 3] = [Self::Fifo, Self::Backfill, Self::Trimtab];

    /// The name used in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Backfill => "backfill",
            Self::Trimtab => "trimtab",
        }
    }
}

/// Which of the nodes that would do is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// The node with the fewest devices left over.
    BestFit,
    /// As Slurm's `select/cons_tres` does: the run of neighbouring nodes with the fewest free cores that holds the gang; of its
    /// nodes the one with the fewest free cores, or for gangs of several the first.
    Neighbours,
    /// The node on which the fewest devices become useless to the workloads this fleet usually gets.
    #[default]
    LeastStranded,
}

impl Placement {
    /// Every placement there is.
    pub const ALL: [Self; 3] = [Self::BestFit, Self::Neighbours, Self::LeastStranded];

    /// The name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BestFit => "best_fit",
            Self::Neighbours => "neighbours",
            Self::LeastStranded => "least_stranded",
        }
    }
}

fn depth() -> u32 {
    500
}

fn resolution() -> Millis {
    Millis::minutes(1)
}

fn window() -> Millis {
    Millis::hours(24)
}

fn is_zero(value: &Millis) -> bool {
    *value == Millis::ZERO
}
