//! What every handler stands on.

use std::path::PathBuf;

use control::Rule;
use fleet::recommendation::Step;
use fleet::signal::Signal;
use store::Reader;
use tokio::sync::watch;

use crate::logs_kept::LogsKept;
use crate::plane::Plane;

/// Where `trimtab optimize` leaves what it recommends, in the folder of an installation.
pub const RECOMMENDATIONS: &str = "recommendations.json";

/// What a step sets that is a command of Trimtab, by whoever knows the commands; why not, if it is none that sets rules.
pub type RuleOf = fn(&Step) -> Result<Rule, String>;

/// The signals that a rule reads, by whoever knows the rules; none for a rule that is not known.
pub type SignalsOf = fn(&str) -> &'static [&'static Signal];

/// What every handler stands on.
#[derive(Clone)]
pub struct State {
    /// What is stored.
    pub reader: Reader,
    /// The way to the control loop.
    pub plane: Plane,
    /// The place of the last entry that is stored; changes wake those who follow.
    pub stored: watch::Receiver<u64>,
    /// The folder of the installation: logs, and what was recommended.
    pub folder: PathBuf,
    /// How these are kept.
    pub logs: LogsKept,
    /// What a step of a recommendation sets.
    pub rule_of: RuleOf,
    /// What the rule of a finding reads.
    pub signals_of: SignalsOf,
}
