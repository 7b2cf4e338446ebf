//! Rules of recommendation, a file each. A rule looks at the ground and proposes candidates; what its replay does not support is
//! not shown.

pub(crate) mod avoided;
pub(crate) mod fleet_size;
mod owner;
mod placement;
mod policy;
mod preemptible;
mod prove;
mod queue_limit;
mod quota;
mod slow_work;
mod time_limit;

use fleet::quantity::Millis;
use fleet::recommendation::{Recommendation, Step};
use replay::scenario::Scenario;
use replay::setup::Unfit;
use serde::Serialize;

use crate::ground::Ground;

/// A rule of recommendation.
pub struct Rule {
    /// Its name, in reports.
    pub name: &'static str,
    propose: Propose,
}

/// How a rule works.
enum Propose {
    /// Names changes that may shorten waits; one replay each decides.
    Changes(fn(&Ground) -> Vec<Candidate>),
    /// Searches with as many replays as it needs.
    Search(fn(&Ground, Progress) -> Result<Vec<Finding>, Unfit>),
}

/// Told what is being done.
pub type Progress<'a> = &'a mut dyn FnMut(&str);

/// All rules.
pub const ALL: &[Rule] = &[
    Rule { name: "policy", propose: Propose::Changes(policy::propose) },
    Rule { name: "placement", propose: Propose::Changes(placement::propose) },
    Rule { name: "queue-limit", propose: Propose::Changes(queue_limit::propose) },
    Rule { name: "quota", propose: Propose::Changes(quota::propose) },
    Rule { name: time_limit::RULE, propose: Propose::Changes(time_limit::propose) },
    Rule { name: "preemptible", propose: Propose::Changes(preemptible::propose) },
    Rule { name: slow_work::RULE, propose: Propose::Search(slow_work::propose) },
    Rule { name: fleet_size::RULE, propose: Propose::Search(fleet_size::propose) },
];

/// What a month is taken to be.
const MONTH: Millis = Millis::hours(30 * 24);

/// What the fleet's queues count, one of it.
fn unit(ground: &Ground) -> &'static str {
    match ground.setup.metered {
        fleet::queue::Metered::Devices => "device",
        fleet::queue::Metered::Cores => "core",
    }
}

/// A change that may help; a replay decides.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What to do, in one sentence.
    pub title: String,
    /// Why one might think so.
    pub because: Vec<String>,
    /// The baseline with the change.
    pub scenario: Scenario,
    /// The exact change.
    pub change: Vec<Step>,
    /// Its undo.
    pub undo: Vec<Step>,
    /// What could be different in life.
    pub risks: Vec<String>,
}

/// What became of a proposal.
#[derive(Clone, Debug)]
pub enum Finding {
    /// The replay supports it.
    Proved(Box<Recommendation>),
    /// It is not shown as a recommendation.
    Withheld(Withheld),
}

/// A proposal that is not recommended, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// The rule.
    pub rule: String,
    /// What it would have been.
    pub title: String,
    /// Why it is not.
    pub reason: String,
}

/// Proposes and proves. `progress` is told of each rule that begins.
///
/// # Errors
/// If a scenario does not fit the history, which is a mistake in a rule.
pub fn recommend(ground: &Ground, progress: Progress) -> Result<Vec<Finding>, Unfit> {
    let mut candidates = Vec::new();
    let mut findings = Vec::new();
    for rule in ALL {
        if let Propose::Changes(propose) = rule.propose {
            candidates.extend(propose(ground).into_iter().map(|candidate| (rule.name, candidate)));
        }
    }
    progress(&format!("replaying {} changes", candidates.len()));
    findings.extend(prove::prove(ground, candidates)?);
    for rule in ALL {
        if let Propose::Search(search) = rule.propose {
            findings.extend(search(ground, progress)?);
        }
    }
    Ok(findings)
}
