//! Work that was slower than it could be: what was found while it ran, lived again without it. The gain of a finding is an interval, and
//! its ends are replayed too.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use fleet::money::{Money, grouped};
use fleet::quantity::{Millis, hours_in_words};
use fleet::recommendation::{Effect, Interval, Recommendation, Step, Worth};
use replay::history::{History, Recorded};
use replay::measure::{Difference, compare, waits};
use replay::outcome::Outcome;
use replay::scenario::{Change, Scenario, Who};
use replay::setup::Unfit;

use super::{Finding, MONTH, Progress, Withheld, prove, unit};
use crate::ground::Ground;
use crate::hours::Hours;
use crate::question::{Answer, Question};
use crate::slow::Slow;

/// The rule's name.
pub(super) const RULE: &str = "slow-work";
/// So many workloads of one cause are replayed without it, those that lost most; what the others lost is not promised.
const WORKLOADS_MAX: usize = 200;
/// So many are told of by name.
const TOLD_MAX: usize = 4;
/// A cause that costs the work it slows less than this part of its time is not worth anybody's time.
const SMALL: f64 = 0.02;
/// What a record shorter than this cost says nothing of a month.
const MONTHLY_FROM: Millis = Millis::hours(24);

/// The ends of the gain, and the gain itself, in the order in which they are replayed.
const ENDS: [fn(&Interval) -> f64; 3] = [|gain| gain.value, |gain| gain.low, |gain| gain.high];

pub(super) fn propose(ground: &Ground, progress: Progress) -> Result<Vec<Finding>, Unfit> {
    let mut found: BTreeMap<&str, Vec<&Slow>> = BTreeMap::new();
    for slow in &ground.options.slow {
        found.entry(&slow.workload).or_default().push(slow);
    }
    let mut causes: BTreeMap<&str, Vec<Lost>> = BTreeMap::new();
    for recorded in &ground.history.workloads {
        let Some(slow) = found.get(recorded.id.as_str()) else { continue };
        for (rule, lost) in lost(ground.history, recorded, slow) {
            causes.entry(rule).or_default().push(lost);
        }
    }
    if !causes.is_empty() {
        progress(&format!("replaying {} causes of slow work away", causes.len()));
    }
    causes.into_iter().map(|(rule, lost)| Cause::new(ground, rule, lost).prove()).collect()
}

/// What one workload lost to one cause.
struct Lost<'a> {
    recorded: &'a Recorded,
    /// The finding that tells most of it.
    slow: &'a Slow,
    /// Milliseconds of its runs, as an interval.
    ms: Interval,
}

/// What a workload lost, cause by cause.
fn lost<'a>(history: &History, recorded: &'a Recorded, found: &[&'a Slow]) -> BTreeMap<&'a str, Lost<'a>> {
    let mut causes: BTreeMap<&str, Lost> = BTreeMap::new();
    for &slow in found {
        let within = Millis(recorded.attempts.iter().map(|run| overlap(run, slow, history)).sum());
        let part = |speedup: f64| within.0 as f64 * (1.0 - 1.0 / speedup.max(1.0));
        let ms =
            Interval { low: part(slow.speedup.low), value: part(slow.speedup.value), high: part(slow.speedup.high) };
        if ms.high <= 0.0 {
            continue;
        }
        let before = causes.entry(&slow.rule).or_insert(Lost { recorded, slow, ms: Interval::default() });
        if ms.value > before.ms.value {
            before.slow = slow;
        }
        before.ms =
            Interval { low: before.ms.low + ms.low, value: before.ms.value + ms.value, high: before.ms.high + ms.high };
    }
    causes
}

/// For how long a run and what was found of it were together, in milliseconds.
fn overlap(run: &replay::history::Run, slow: &Slow, history: &History) -> i64 {
    let Some(start) = run.start else { return 0 };
    let until = slow.until.unwrap_or(history.until);
    (start + run.length).min(until).since(start.max(slow.from)).0.max(0)
}

/// A cause, and all that lost to it.
struct Cause<'a> {
    ground: &'a Ground<'a>,
    rule: &'a str,
    lost: Vec<Lost<'a>>,
    left_out: usize,
}

impl<'a> Cause<'a> {
    fn new(ground: &'a Ground<'a>, rule: &'a str, mut lost: Vec<Lost<'a>>) -> Self {
        let weight = |lost: &Lost| ground.history.meter(&lost.recorded.workload).0 as f64 * lost.ms.value;
        lost.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.recorded.id.cmp(&b.recorded.id)));
        let left_out = lost.len().saturating_sub(WORKLOADS_MAX);
        lost.truncate(WORKLOADS_MAX);
        Self { ground, rule, lost, left_out }
    }

    fn prove(&self) -> Result<Finding, Unfit> {
        let hours = self.hours();
        let share = hours.value / self.all_hours().max(f64::MIN_POSITIVE);
        if share < SMALL {
            return Ok(self.withheld(format!("it cost {:.1} % of the time of the work that it slowed", share * 100.0)));
        }
        let scenarios = ENDS.map(|end| self.scenario(end));
        let questions = scenarios.clone().map(|scenario| Question { scenario, cap: None });
        let answers = self.ground.replayer.answer(&questions)?;
        let outcomes: Vec<Outcome> = answers
            .into_iter()
            .map(|answer| match answer {
                Answer::Done(outcome) => outcome,
                Answer::Judged(_) => unreachable!("no cap was set"),
            })
            .collect();
        Ok(self.judge(&scenarios[0], hours, &outcomes))
    }

    fn judge(&self, scenario: &Scenario, hours: Interval, outcomes: &[Outcome]) -> Finding {
        let ground = self.ground;
        let mut effect = None;
        let mut worse = Vec::new();
        for outcome in outcomes {
            let after = waits(ground.history, outcome);
            if after.never_ran > ground.waits.never_ran {
                return self
                    .withheld(format!("{} workloads would never run", after.never_ran - ground.waits.never_ran));
            }
            let (all, queues) = compare(ground.history, ground.outcome, outcome, ground.options.seed);
            if let Some(reason) = ground.broken(&queues, &after) {
                return self.withheld(reason);
            }
            let Some(effect) = &mut effect else {
                worse = prove::worse_off(ground, &queues).into_iter().map(prove::worse_words).collect();
                effect = Some(prove::effect(ground, &all, &queues, &after));
                continue;
            };
            widen(effect, &all, &queues);
        }
        let mut risks = vec![
            "What was found of work that ran says how much faster it would have been; work to come is as slow only if nothing else changes."
                .to_owned(),
        ];
        if let Some(reason) = ground.waits_unsure() {
            effect = None;
            risks.push(format!("How much less others wait is not promised: {reason}."));
        }
        Finding::Proved(Box::new(Recommendation {
            id: format!("{RULE}-{}", &scenario.id()[..6]),
            rule: RULE.to_owned(),
            title: self.title(),
            because: self.because(hours),
            effect: effect.unwrap_or_default(),
            worth: self.worth(hours),
            worse_for: worse,
            risks,
            change: self.advice(),
            undo: vec![to_users("take back what was changed for it in the work or on the node".to_owned())],
            proof: ground.proof(scenario),
        }))
    }

    /// The baseline, with the work as fast as it would have been.
    fn scenario(&self, end: fn(&Interval) -> f64) -> Scenario {
        self.lost.iter().fold(self.ground.options.baseline.clone(), |scenario, lost| {
            let run = lost.recorded.run().0.max(1) as f64;
            let factor_permille = ((1.0 - end(&lost.ms) / run) * 1_000.0).round().clamp(1.0, 1_000.0) as u32;
            let who = Who { workload: Some(lost.recorded.id.clone()), ..Who::default() };
            scenario.with(Change::ScaleWork { who, factor_permille })
        })
    }

    /// What the cause cost, in device-hours (core-hours).
    fn hours(&self) -> Interval {
        let sum = |end: fn(&Interval) -> f64| {
            let held = self.lost.iter().map(|lost| {
                let meter = self.ground.history.meter(&lost.recorded.workload);
                Hours::held(meter.0, Millis(end(&lost.ms).round() as i64))
            });
            held.sum::<Hours>().as_hours()
        };
        Interval { low: sum(ENDS[1]), value: sum(ENDS[0]), high: sum(ENDS[2]) }
    }

    /// All that the work held which it slowed.
    fn all_hours(&self) -> f64 {
        let meter = |lost: &Lost| self.ground.history.meter(&lost.recorded.workload).0;
        self.lost.iter().map(|lost| Hours::held(meter(lost), lost.recorded.run())).sum::<Hours>().as_hours()
    }

    fn title(&self) -> String {
        match &self.lost[..] {
            [one] => format!("Fix what slows workload {}: {}", one.recorded.id, self.rule),
            all => format!("Fix what slows {} workloads: {}", grouped(all.len() as i64), self.rule),
        }
    }

    fn because(&self, hours: Interval) -> Vec<String> {
        let mut because: Vec<String> = self
            .lost
            .iter()
            .take(TOLD_MAX)
            .map(|lost| {
                let spared = Millis(lost.ms.value.round() as i64);
                let (run, verdict) = (lost.recorded.run(), sentence(&lost.slow.verdict));
                format!("Workload {}: {verdict} That cost it {spared} of its {run}.", lost.recorded.id)
            })
            .collect();
        if self.lost.len() > TOLD_MAX {
            because.push(format!("So it is of {} more.", grouped((self.lost.len() - TOLD_MAX) as i64)));
        }
        if self.left_out > 0 {
            because.push(format!("{} that lost less are left out.", grouped(self.left_out as i64)));
        }
        let amount = |hours: f64| hours_in_words(hours, unit(self.ground));
        because.push(format!(
            "Without it, the same work takes {} less{}, of the {} that it held.",
            amount(hours.value),
            hours.range(amount).map_or_else(String::new, |range| format!(" ({range})")),
            amount(self.all_hours()),
        ));
        because.extend(self.price().map(|price| {
            format!("At the prices of the nodes where it ran, those cost {price}; that is saved only if others use them, or fewer are rented.")
        }));
        because
    }

    /// What the lost hours cost, where all nodes have a price and are counted in devices or cores.
    fn price(&self) -> Option<Money> {
        let history = self.ground.history;
        self.lost.iter().try_fold(None, |sum: Option<Money>, lost| {
            let node = &history.nodes[lost.recorded.attempts.iter().find_map(|run| run.nodes.first())?.index()];
            let whole = match history.metered() {
                fleet::queue::Metered::Devices => u64::from(node.devices) * 1_000,
                fleet::queue::Metered::Cores => node.cpu_milli?,
            };
            let meter = history.meter(&lost.recorded.workload).0;
            // Thousandths of the node's price: so much of the node did the work hold.
            let part = (meter * 1_000).checked_div(whole)?;
            let cost = node.price_per_hour?.per_hour_for(part, Millis(lost.ms.value.round() as i64));
            Some(Some(sum.map_or(Some(cost), |sum| sum.checked_add(cost))?))
        })?
    }

    fn worth(&self, hours: Interval) -> Worth {
        let history = self.ground.history;
        let window = history.until.since(history.from);
        if window < MONTHLY_FROM {
            return Worth::default();
        }
        let monthly = MONTH.as_hours() / window.as_hours();
        let freed = Interval { low: hours.low * monthly, value: hours.value * monthly, high: hours.high * monthly };
        Worth { capacity_freed_hours_per_month: Some(freed), ..Worth::default() }
    }

    /// What to do, as the findings advise.
    fn advice(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for text in self.lost.iter().flat_map(|lost| &lost.slow.advice) {
            if steps.len() < TOLD_MAX && steps.iter().all(|step| step.text != *text) {
                steps.push(to_users(text.clone()));
            }
        }
        if steps.is_empty() {
            steps.push(to_users(format!("see what `trimtab findings` says of {}", self.rule)));
        }
        steps
    }

    fn withheld(&self, reason: String) -> Finding {
        Finding::Withheld(Withheld { rule: RULE.to_owned(), title: self.title(), reason })
    }
}

/// Makes the intervals of an effect hold another's.
fn widen(effect: &mut Effect, all: &Difference, queues: &[Difference]) {
    let around = |one: Interval, other: Interval| Interval {
        low: one.low.min(other.low),
        high: one.high.max(other.high),
        ..one
    };
    effect.wait_s = effect.wait_s.map(|wait| around(wait, all.wait_s));
    effect.slowdown = effect.slowdown.map(|slowdown| around(slowdown, all.slowdown));
    for queue in &mut effect.queues {
        if let Some(other) = queues.iter().find(|other| other.name == queue.name) {
            queue.wait_s = around(queue.wait_s, other.wait_s);
        }
    }
}

fn to_users(text: String) -> Step {
    Step { system: "users".into(), text }
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}
