//! What a test of a node found, told, and what is done about it: the finding is stored first, then what follows with its consent.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

use ::diagnose::fitness;
use control::{Fitness, HealthPolicy, Input, OnFailure, Rule, Seen, drain_of};
use fleet::finding::Finding;
use fleet::health::{Depth, Problem};
use fleet::kept_finding::{FindingState, KeptFinding};
use fleet::recommendation::Recommendation;
use fleet::time::Timestamp;
use store::{Consent, Deed};

use super::Plane;
use super::testing::{Test, Tested};
use crate::rule_of::rule_of;

/// What the loop knows of nodes' health.
pub(crate) struct Health {
    pub(super) policy: HealthPolicy,
    /// Who consented, by the policy, to what it does.
    pub(super) by: String,
    tests: SyncSender<Test>,
    /// What is wrong with nodes now, by name.
    unfit: BTreeMap<String, Seen>,
    /// When nodes passed last, by name: what somebody overruled before is another matter when it comes again.
    passed: BTreeMap<String, Timestamp>,
}

impl Health {
    pub(crate) fn new(policy: HealthPolicy, by: String, tests: SyncSender<Test>) -> Self {
        Self { policy, by, tests, unfit: BTreeMap::new(), passed: BTreeMap::new() }
    }

    /// Whoever tests is told; one that cannot be told of is given up by `control` after a while.
    pub(super) fn ask(&self, node: String, depth: Depth) {
        if self.tests.try_send(Test { node, depth }).is_err() {
            eprintln!("warning: a node is not tested: too many tests wait");
        }
    }

    /// What is wrong with nodes now.
    pub(super) fn unfit(&self) -> impl Iterator<Item = &Seen> {
        self.unfit.values()
    }
}

impl Plane {
    /// Takes in what a test found, and notes the consent under which something is done about it.
    pub(super) fn tested(&mut self, now: Timestamp, tested: Tested, deeds: &mut Vec<Deed>) {
        let Tested { test: Test { node, depth }, found } = tested;
        let found = match found {
            Ok(problems) if problems.is_empty() => {
                self.fit(now, &node, depth);
                Ok(Fitness::Fit)
            }
            Ok(problems) => self.unfit(now, &node, depth, &problems, deeds),
            Err(why) => Err(why),
        };
        let found = found.unwrap_or_else(|why| {
            eprintln!("warning: it is not known whether {node} is fit: {why}");
            Fitness::Unknown
        });
        let (name, by) = (node.clone(), self.health.by.clone());
        if let Err(refused) = self.control.hear(now, Input::Tested { node, depth, found, by }) {
            eprintln!("warning: {name} was tested in vain: {refused}");
        }
    }

    fn fit(&mut self, now: Timestamp, node: &str, depth: Depth) {
        // What a full test found is there until a full one passes.
        if self.control.failed_deeper(node, depth) {
            return;
        }
        self.health.passed.insert(node.to_owned(), now);
        if self.health.unfit.remove(node).is_some() {
            self.note(now, &[]);
            eprintln!("note: {node} passes its self-test again; who drained it can use it again");
        }
    }

    fn unfit(
        &mut self,
        now: Timestamp,
        node: &str,
        depth: Depth,
        problems: &[Problem],
        deeds: &mut Vec<Deed>,
    ) -> Result<Fitness, String> {
        let mut finding = fitness::finding(node, depth, problems);
        let drain = drain_of(&finding).expect("it is about a node that fails");
        let known = self.control.nodes().values().find(|known| known.facts.name == node);
        let drained = known.ok_or("there is no such node")?.change.is_some();
        let consents = self.store.consents().map_err(|error| error.to_string())?;
        let last = consents.iter().rfind(|consent| consent.recommendation.id == drain.id);
        let passed = self.health.passed.get(node).copied();
        let answer = match last {
            Some(Consent { undone: Some((at, who)), .. }) if passed.is_none_or(|passed| passed <= *at) => {
                Some(Answer::GoOn { who })
            }
            Some(consent @ Consent { undone: None, .. }) if drained => Some(Answer::Drain(consent)),
            _ => None,
        };
        finding.advice.push(advice(self.health.policy.on_failure, &drain, answer));
        let opened = self.health.unfit.get(node).map_or(now, |seen| seen.opened);
        let seen = Seen { finding, workload: None, opened, seen: now, closed: None };
        let is_new = self.health.unfit.insert(node.to_owned(), seen.clone()).is_none();
        // Before anything is done because of it.
        let muted = self.note(now, &[]).iter().any(|kept| is_muted(kept, &seen.finding, now));
        let overruled = muted || matches!(answer, Some(Answer::GoOn { .. }));
        let then = if overruled { OnFailure::Tell } else { self.health.policy.on_failure };
        if then == OnFailure::Drain && !drained {
            eprintln!("warning: {}; it is drained ({})", seen.finding.verdict, self.health.by);
            deeds.push(Deed::Agreed { to: Box::new(drain), by: self.health.by.clone() });
        } else if is_new {
            eprintln!("warning: {}", seen.finding.verdict);
        }
        let why = problems.iter().map(|problem| problem.words.as_str()).collect::<Vec<_>>().join("; ");
        Ok(Fitness::Unfit { why, then })
    }

    /// Consents to drain a node that somebody uses again are taken back with that: the ledger says how things stand.
    pub(super) fn taken_back(&self, node: &str, by: &str) -> Result<Vec<Deed>, String> {
        let consents = self.store.consents().map_err(|error| error.to_string())?;
        let used = Rule::Usable(node.to_owned());
        let of_node = |consent: &&Consent| {
            let undo = &consent.recommendation.undo;
            consent.undone.is_none() && undo.iter().any(|step| rule_of(step).as_ref() == Ok(&used))
        };
        let taken = consents.iter().filter(of_node);
        Ok(taken.map(|consent| Deed::TakenBack { consent: consent.id, by: by.to_owned() }).collect())
    }
}

/// What somebody answered who was asked about a node that fails so.
#[derive(Clone, Copy)]
enum Answer<'a> {
    /// To use it as if it were well.
    GoOn { who: &'a str },
    /// To drain it, with this consent.
    Drain(&'a Consent),
}

/// What can be done about it here, by how things stand.
fn advice(policy: OnFailure, drain: &Recommendation, answer: Option<Answer<'_>>) -> String {
    let id = &drain.id;
    match answer {
        Some(Answer::GoOn { who }) => format!(
            "It was drained for this before, and {who} took that back: nothing more is done by itself. `trimtab apply {id}` drains it again."
        ),
        Some(Answer::Drain(Consent { who, id, .. })) => {
            format!("It is drained, with the consent of {who}; `trimtab undo {}` lets it be used again.", id.0)
        }
        None if policy == OnFailure::Ask => format!(
            "Nothing starts there until it passes or somebody answers: `trimtab apply {id}` drains it; to mute this finding says to go on."
        ),
        None if policy == OnFailure::Drain => format!(
            "It is drained with the consent that `trimtab up` was given, unless this finding is muted; `{}` lets it be used again.",
            drain.undo.first().map_or("", |step| &step.text)
        ),
        None => format!(
            "`trimtab apply {id}` drains it: nothing new starts there, what runs goes on, and the ledger tells who agreed and what undoes it."
        ),
    }
}

fn is_muted(kept: &KeptFinding, of: &Finding, now: Timestamp) -> bool {
    kept.finding.rule == of.rule && kept.finding.places == of.places && kept.state(now) == FindingState::Muted
}
