//! The smallest fleet that keeps a stated wait: the cheapest counts of each kind of node with which 95 of a hundred workloads
//! wait no longer than asked, such that one node less of any kind fails.
//!
//! It is sought twice. Over all workloads together, the bound lets the other five of a hundred starve, and those are whole queues
//! of large gangs; so the fleet in which every queue keeps the bound goes first. `search` finds the counts, `report` says it.

mod bracket;
mod known;
mod report;
mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use fleet::money::Money;
use replay::fidelity::Verdict as Trust;
use replay::possible::possible;
use replay::scenario::{Change, Scenario};
use replay::setup::{Setup, Unfit};

use super::{Finding, Progress, Withheld};
use crate::ground::{Ground, seconds};
use crate::late::{Group, Verdict, WaitCap};
use crate::question::{Answer, Question};
use known::Counts;
use search::{Search, Space};

pub(crate) const RULE: &str = "fleet-size";
/// The same by the wait of all workloads together.
pub(crate) const RULE_OVERALL: &str = "fleet-size-overall";

/// A queue with fewer workloads has no 95th percentile worth the name: 15 of them may be late.
const ENOUGH: u64 = 300;

/// A kind of node, as it is.
struct Kind {
    name: String,
    count: u32,
    devices: u64,
    price: Option<Money>,
}

/// Whose waits are bounded.
struct Scope {
    rule: &'static str,
    cap: WaitCap,
    /// Queues that are not bounded: too few workloads, or the replay does not reproduce their waits.
    unbounded: Vec<String>,
}

impl Scope {
    fn every_queue(&self) -> bool {
        self.cap.groups.len() > 1
    }
}

/// What is asked.
struct Task<'a> {
    ground: &'a Ground<'a>,
    kinds: Vec<Kind>,
    /// By price; else devices are counted.
    priced: bool,
    least: Counts,
}

pub(super) fn propose(ground: &Ground, progress: Progress) -> Result<Vec<Finding>, Unfit> {
    let Some(task) = Task::new(ground)? else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    let mut found_before = None;
    for scope in scopes(ground) {
        let withheld =
            |reason: String| Finding::Withheld(Withheld { rule: scope.rule.to_owned(), title: title(&scope), reason });
        match task.find(&scope, progress)? {
            Err(reason) => findings.push(withheld(reason)),
            Ok(found) if found_before.as_ref() == Some(&found.counts) => {
                findings.push(withheld("it is no smaller than the one in which every queue keeps that wait".into()));
            }
            Ok(found) => {
                findings.push(task.report(&scope, &found, progress)?);
                found_before = Some(found.counts);
            }
        }
    }
    Ok(findings)
}

/// What is sought, in one sentence.
fn title(scope: &Scope) -> String {
    let wait = scope.cap.wait;
    let of = if scope.every_queue() { " of every queue" } else { "" };
    let together = if scope.rule == RULE_OVERALL { ", all queues together" } else { "" };
    format!("The smallest fleet in which 95 of 100 workloads{of} wait at most {wait}{together}")
}

/// Every queue's wait, if there are several; and that of all together.
fn scopes(ground: &Ground) -> Vec<Scope> {
    let history = ground.history;
    let ran: Vec<bool> = ground.outcome.workloads.iter().map(|fate| fate.wait().is_some()).collect();
    let all = Group::of("all", ran.clone());
    let cap = |groups: Vec<Group>| WaitCap { wait: ground.options.p95_wait, groups: Arc::from(groups) };
    let (mut queues, mut unbounded) = (vec![all.clone()], Vec::new());
    for queue in &ground.waits.queues {
        let trust = ground.fidelity.queue(&queue.name).map(|queue| queue.verdict);
        if queue.wait_s.count < ENOUGH || trust == Some(Trust::NotReproduced) {
            unbounded.push(queue.name.clone());
            continue;
        }
        let id = history.names.queues.get(&queue.name);
        let of_it = history.workloads.iter().zip(&ran);
        let members = of_it.map(|(recorded, &ran)| ran && Some(recorded.workload.queue) == id);
        queues.push(Group::of(&queue.name, members.collect()));
    }
    let overall = |rule| Scope { rule, cap: cap(vec![all]), unbounded: Vec::new() };
    if ground.waits.queues.len() < 2 || queues.len() < 2 {
        return vec![overall(RULE)];
    }
    vec![Scope { rule: RULE, cap: cap(queues), unbounded }, overall(RULE_OVERALL)]
}

impl<'a> Task<'a> {
    fn new(ground: &'a Ground<'a>) -> Result<Option<Self>, Unfit> {
        let groups = ground.setup.groups();
        let kinds: Vec<Kind> = groups
            .into_iter()
            .map(|(name, members)| {
                let first = &ground.setup.nodes[members[0]];
                let devices =
                    if first.devices > 0 { u64::from(first.devices) } else { first.cpu_milli.unwrap_or(0) / 1_000 };
                Kind { name, count: members.len() as u32, devices, price: first.price_per_hour }
            })
            .collect();
        if kinds.is_empty() || ground.waits.all.wait_s.count == 0 {
            return Ok(None);
        }
        let priced = kinds.iter().all(|kind| kind.price.is_some_and(|price| price.micros > 0));
        let mut task = Self { ground, least: vec![0; kinds.len()], kinds, priced };
        for kind in 0..task.kinds.len() {
            task.least[kind] = task.least_of(kind)?;
        }
        Ok(Some(task))
    }

    fn now(&self) -> Counts {
        self.kinds.iter().map(|kind| kind.count).collect()
    }

    /// What a node of each kind counts: its price, or its devices where one has no price.
    fn weights(&self) -> Vec<u64> {
        let weight = |kind: &Kind| match kind.price {
            Some(price) if self.priced => price.micros as u64,
            _ => kind.devices.max(1),
        };
        self.kinds.iter().map(weight).collect()
    }

    fn scenario(&self, counts: &[u32]) -> Scenario {
        let mut scenario = self.ground.options.baseline.clone();
        for (kind, &count) in self.kinds.iter().zip(counts) {
            if count != kind.count {
                scenario = scenario.with(Change::Nodes { group: kind.name.clone(), count });
            }
        }
        scenario
    }

    /// Why a fleet needs no replay to be refused, if it does not.
    fn refusal(&self, counts: &[u32]) -> Result<Option<&'static str>, Unfit> {
        if counts.iter().all(|&count| count == 0) {
            return Ok(Some("no node would be left"));
        }
        let setup = Setup::new(self.ground.history, &self.scenario(counts))?;
        if !self.ground.keeps_contracts(&setup) {
            return Ok(Some("it would break a contract"));
        }
        let could = possible(&setup);
        let mut fates = could.iter().zip(&self.ground.outcome.workloads);
        let fits = fates.all(|(&could, fate)| could || fate.wait().is_none());
        Ok((!fits).then_some("some work would fit nowhere"))
    }

    /// The least of a kind with which a fleet is not refused, all others being there.
    fn least_of(&self, kind: usize) -> Result<u32, Unfit> {
        let (mut low, mut high) = (0, self.kinds[kind].count);
        while low < high {
            let middle = low.midpoint(high);
            if self.refusal(&search::with(&self.now(), kind, middle))?.is_none() {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(high)
    }

    /// The cheapest counts that keep a bound; or why there are none to show.
    fn find(&self, scope: &Scope, progress: Progress) -> Result<Result<search::Found, String>, Unfit> {
        let ground = self.ground;
        if let Some(reason) = ground.waits_unsure() {
            return Ok(Err(reason));
        }
        let now = self.now();
        let now_verdict = scope.cap.judge(ground.outcome);
        if !now_verdict.kept {
            return Ok(Err(self.kept_by_nobody(scope)));
        }
        let (weights, least) = (self.weights(), self.least.clone());
        let mut ask = |fleets: &[Counts], best: &Counts| {
            progress(&format!("smallest fleet {}, trying {}", self.short(best), self.short(&fleets[0])));
            let mut verdicts = vec![Verdict { kept: false, pressure_permille: u64::MAX }; fleets.len()];
            let mut questions = Vec::new();
            let mut places = Vec::new();
            for (place, counts) in fleets.iter().enumerate() {
                if self.refusal(counts)?.is_none() {
                    questions.push(Question { scenario: self.scenario(counts), cap: Some(scope.cap.clone()) });
                    places.push(place);
                }
            }
            for (place, answer) in places.into_iter().zip(ground.replayer.answer(&questions)?) {
                let Answer::Judged(verdict) = answer else { unreachable!("a cap was set") };
                verdicts[place] = verdict;
            }
            Ok(verdicts)
        };
        let space = Space { weights, least, now: now.clone(), now_verdict };
        let found = Search::new(space, &mut ask).cheapest()?;
        if found.counts == now {
            let refused = self.refused(&now)?;
            return Ok(Err(format!("it is the fleet as it is: {} fails{refused}", self.one_less())));
        }
        Ok(Ok(found))
    }

    /// The fleet as it is does not keep the bound.
    fn kept_by_nobody(&self, scope: &Scope) -> String {
        let cap_s = scope.cap.wait.as_seconds();
        let waits = &self.ground.waits;
        let bounded = |name: &str| scope.cap.groups.iter().any(|group| group.name == name);
        let longest = waits.queues.iter().filter(|queue| bounded(&queue.name));
        let longest = longest.max_by(|a, b| a.wait_s.p95.total_cmp(&b.wait_s.p95));
        let (of, wait_s) = match longest.filter(|queue| queue.wait_s.p95 > cap_s) {
            Some(queue) => (format!(" of queue `{}`", queue.name), queue.wait_s.p95),
            None => (String::new(), waits.all.wait_s.p95),
        };
        format!("the fleet as it is does not keep it: 95 of 100{of} wait up to {}", seconds(wait_s))
    }

    /// "One node less", of whatever kinds there are.
    fn one_less(&self) -> &'static str {
        match self.kinds.len() {
            1 => "one node less",
            2 => "one node less of either kind",
            _ => "one node less of any kind",
        }
    }

    /// Of which kinds one less is refused without a replay, and why, in brackets.
    fn refused(&self, counts: &[u32]) -> Result<String, Unfit> {
        let mut reasons = Vec::new();
        for (kind, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if let Some(reason) = self.refusal(&search::with(counts, kind, count - 1))? {
                reasons.push(format!("one {} less: {reason}", self.kinds[kind].name));
            }
        }
        Ok(if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) })
    }

    /// Counts in a few letters.
    fn short(&self, counts: &[u32]) -> String {
        let parts = self.kinds.iter().zip(counts).map(|(kind, count)| format!("{count} {}", kind.name));
        parts.collect::<Vec<_>>().join(" + ")
    }

    /// Counts beside what there is.
    fn words(&self, counts: &[u32]) -> String {
        let parts =
            self.kinds.iter().zip(counts).map(|(kind, count)| format!("{count} of {} {}", kind.count, kind.name));
        match parts.collect::<Vec<_>>().as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [many @ .., last] => format!("{} and {last}", many.join(", ")),
        }
    }
}
