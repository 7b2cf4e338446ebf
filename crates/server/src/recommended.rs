//! What was last recommended here, and how each of it stands. It is made by `trimtab optimize`: replays take longer than an answer may. To
//! drain a node that fails its self-test is recommended as long as it does.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use control::{Rule, drain_of};
use fleet::history::QueueRecord;
use fleet::kept_finding::FindingState;
use fleet::policy::Policy;
use fleet::recommendation::{Recommendation, Step};
use fleet::time::Timestamp;
use store::{Consent, FindingQuery, NodeStanding, Reader};

use crate::agreement::in_force;
use crate::dry_run::{Difference, dry_run};
use crate::failure::Failure;
use crate::page::now;
use crate::state::{RECOMMENDATIONS, RuleOf};

/// No list of recommendations has more bytes.
const BYTES_MAX: u64 = 8 << 20;

/// What was last recommended, the most worth first.
#[derive(Debug, Default)]
pub(crate) struct Recommended {
    /// When.
    pub(crate) made: Option<Timestamp>,
    pub(crate) all: Vec<Recommendation>,
}

/// What is recommended: nodes to be drained first, then what was last made.
pub(crate) fn read(folder: &Path, reader: &Reader) -> Result<Recommended, Failure> {
    let mut found = made(folder)?;
    let unfit = reader.findings(&FindingQuery::of(FindingState::Open, now()))?;
    found.all.splice(0..0, unfit.iter().filter_map(|kept| drain_of(&kept.finding)));
    Ok(found)
}

/// What was last made; nothing where nothing was.
fn made(folder: &Path) -> Result<Recommended, Failure> {
    let hint = Some("run `trimtab optimize` again");
    let broken =
        |error: &dyn std::fmt::Display| Failure::bad(format!("{RECOMMENDATIONS} cannot be read: {error}"), hint);
    let file = match File::open(folder.join(RECOMMENDATIONS)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Recommended::default()),
        file => file.map_err(|error| broken(&error))?,
    };
    let made =
        file.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let made = made.and_then(|since| i64::try_from(since.as_millis()).ok()).map(Timestamp);
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(|error| broken(&error))?;
    Ok(Recommended { made, all: serde_json::from_str(&text).map_err(|error| broken(&error))? })
}

impl Recommended {
    /// The one of this id.
    pub(crate) fn find(&self, id: &str) -> Result<&Recommendation, Failure> {
        self.all.iter().find(|one| one.id == id).ok_or_else(|| {
            let hint = "`trimtab optimize` makes them anew, and each change of a history keeps its id";
            Failure::not_found(format!("there is no recommendation `{id}`"), hint)
        })
    }
}

/// The rules of each of these steps; why not, if one is none that changes the rules here, or there is none: nothing is done here that
/// nothing takes back.
pub(crate) fn rules(steps: &[Step], rule_of: RuleOf) -> Result<Vec<Rule>, String> {
    if steps.is_empty() {
        return Err("it does not say what is done, or what takes it back".into());
    }
    steps.iter().map(rule_of).collect()
}

/// What a recommendation is held against.
pub(crate) struct Ground {
    queues: Vec<QueueRecord>,
    policy: Policy,
    drained: BTreeSet<String>,
    consents: Vec<Consent>,
}

/// How a recommendation stands.
#[derive(Debug)]
pub(crate) enum Stands {
    /// It can be applied.
    Open,
    /// It was applied, and not taken back.
    Applied(Box<Consent>),
    /// What it would set holds already.
    Holds,
    /// What holds is not what it was proved against: this differs.
    Changed(Vec<Difference>),
    /// It is done elsewhere.
    Elsewhere,
    /// A step is none that changes the rules here: why.
    Unclear(String),
}

impl Ground {
    pub(crate) fn read(reader: &Reader) -> Result<Self, Failure> {
        let policy = reader.policy()?.unwrap_or_default();
        let drained = reader.nodes()?.into_iter().filter(|node| node.standing == NodeStanding::Drained);
        let drained = drained.map(|node| node.facts.name).collect();
        Ok(Self { queues: reader.queues()?, policy, drained, consents: reader.consents()? })
    }

    /// How a recommendation stands.
    pub(crate) fn stands(&self, one: &Recommendation, rule_of: RuleOf) -> Stands {
        if let Some(consent) = in_force(&self.consents, &one.id) {
            return Stands::Applied(Box::new(consent.clone()));
        }
        if !one.is_ours() {
            return Stands::Elsewhere;
        }
        let (change, undo) = match (rules(&one.change, rule_of), rules(&one.undo, rule_of)) {
            (Ok(change), Ok(undo)) => (change, undo),
            (Err(why), _) | (_, Err(why)) => return Stands::Unclear(why),
        };
        let hold = |rules: &[Rule]| rules.iter().all(|rule| rule.holds(&self.queues, &self.policy, &self.drained));
        if hold(&change) {
            Stands::Holds
        } else if !hold(&undo) {
            Stands::Changed(self.would_change(&undo).concat())
        } else {
            Stands::Open
        }
    }

    /// What rules would change, rule by rule.
    pub(crate) fn would_change(&self, rules: &[Rule]) -> Vec<Vec<Difference>> {
        dry_run(rules, &self.queues, &self.policy, &self.drained)
    }
}

impl Stands {
    /// In one word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Applied(_) => "applied",
            Self::Holds => "holds",
            Self::Changed(_) => "changed",
            Self::Elsewhere => "elsewhere",
            Self::Unclear(_) => "unclear",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::recommendation;

    #[test]
    fn what_nothing_would_take_back_is_not_done_here() {
        let rule_of: RuleOf = |_| Ok(Rule::Policy(Policy::default()));
        let (queues, drained) = (Vec::new(), BTreeSet::new());
        let ground = Ground { queues, policy: Policy::default(), drained, consents: Vec::new() };
        let step = Step { system: Step::TRIMTAB.into(), text: "trimtab policy set fifo".into() };
        let stands = |change: &[&Step], undo: &[&Step]| {
            let steps = |steps: &[&Step]| steps.iter().map(|step| (*step).clone()).collect();
            let one = Recommendation { change: steps(change), undo: steps(undo), ..recommendation() };
            ground.stands(&one, rule_of).name()
        };
        assert_eq!(stands(&[&step], &[&step]), "holds", "both are there");
        assert_eq!(stands(&[&step], &[]), "unclear");
        assert_eq!(stands(&[], &[&step]), "unclear");
    }
}
