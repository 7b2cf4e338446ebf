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
}

impl Policy {
    /// An order with everything else as it is by default.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self { order, placement: Placement::default(), backfill_interval: Millis::ZERO }
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
    /// EASY backfill with the time limits asked for.
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
    /// The node on which the fewest devices become useless to the workloads this fleet usually gets.
    #[default]
    LeastStranded,
}

fn is_zero(value: &Millis) -> bool {
    *value == Millis::ZERO
}
