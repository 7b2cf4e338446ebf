//! The smallest fleet that keeps a stated wait: the cheapest counts of each kind of node with which 95 of a hundred workloads
//! wait no longer than asked, such that one node less of any kind fails.
//!
//! More nodes mostly mean shorter waits, so counts are searched by halving; since that is not certain (an order of starts is
//! chaotic), the result is checked at its own edge, and the edge is part of the evidence.

use fleet::money::Money;
use fleet::quantity::Millis;
use fleet::recommendation::{Interval, MoneyInterval, Recommendation, Step, Worth};
use replay::measure::waits;
use replay::outcome::Outcome;
use replay::scenario::{Change, Scenario};
use replay::setup::{Setup, Unfit};

use super::prove::effect;
use super::{Finding, Withheld};
use crate::ground::{Ground, seconds};
use crate::question::{Answer, Question, WaitCap};

const RULE: &str = "fleet-size";
const MONTH: Millis = Millis::hours(30 * 24);

/// A kind of node, as it is.
struct Kind {
    name: String,
    count: u32,
    devices: u64,
    price: Option<Money>,
}

/// The search: what is asked and what was found out.
struct Search<'a> {
    ground: &'a Ground<'a>,
    kinds: Vec<Kind>,
    cap: WaitCap,
    /// What a node of each kind counts in the sum that is made small: its price, or its devices where a price is unknown.
    weights: Vec<u64>,
    asked: std::collections::BTreeMap<Vec<u32>, bool>,
    replays: u32,
}

pub(super) fn propose(ground: &Ground) -> Result<Vec<Finding>, Unfit> {
    let Some(mut search) = Search::new(ground) else { return Ok(Vec::new()) };
    let target = ground.options.p95_wait;
    let title = format!("The smallest fleet in which 95 of 100 workloads wait at most {target}");
    let withheld =
        |reason: String| vec![Finding::Withheld(Withheld { rule: RULE.to_owned(), title: title.clone(), reason })];
    if let Some(reason) = ground.waits_unsure() {
        return Ok(withheld(reason));
    }
    let now: Vec<u32> = search.kinds.iter().map(|kind| kind.count).collect();
    if !search.feasible(std::slice::from_ref(&now))?[0] {
        let p95 = ground.waits.all.wait_s.p95;
        return Ok(withheld(format!("the fleet as it is does not keep it: 95 of 100 wait up to {}", seconds(p95))));
    }
    let best = match search.kinds.len() {
        1 => search.single(&now)?,
        2 => search.pair(&now)?,
        _ => now.clone(),
    };
    let best = search.descend(best)?;
    if best == now {
        return Ok(withheld("it is the fleet as it is: one node less of any kind fails, or is under contract".into()));
    }
    search.report(&best, title)
}

impl<'a> Search<'a> {
    fn new(ground: &'a Ground<'a>) -> Option<Self> {
        let kinds: Vec<Kind> = ground
            .setup
            .groups()
            .into_iter()
            .map(|(name, members)| {
                let first = &ground.setup.nodes[members[0]];
                let devices =
                    if first.devices > 0 { u64::from(first.devices) } else { first.cpu_milli.unwrap_or(0) / 1_000 };
                Kind { name, count: members.len() as u32, devices, price: first.price_per_hour }
            })
            .collect();
        let total = ground.waits.all.wait_s.count;
        if kinds.is_empty() || total == 0 {
            return None;
        }
        let priced = kinds.iter().all(|kind| kind.price.is_some_and(|price| price.micros > 0));
        let weight = |kind: &Kind| match kind.price {
            Some(price) if priced => price.micros as u64,
            _ => kind.devices.max(1),
        };
        let weights = kinds.iter().map(weight).collect();
        // The nearest-rank 95th percentile is at most the target exactly if so few are above it.
        let cap = WaitCap { wait: ground.options.p95_wait, late_max: total - (total * 95).div_ceil(100) };
        Some(Self { ground, kinds, cap, weights, asked: std::collections::BTreeMap::new(), replays: 0 })
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

    fn cost(&self, counts: &[u32]) -> u64 {
        counts.iter().zip(&self.weights).map(|(&count, &weight)| u64::from(count) * weight).sum()
    }

    /// Whether each of these fleets keeps the wait.
    fn feasible(&mut self, fleets: &[Vec<u32>]) -> Result<Vec<bool>, Unfit> {
        let mut new: Vec<&Vec<u32>> = fleets.iter().filter(|counts| !self.asked.contains_key(*counts)).collect();
        new.sort_unstable();
        new.dedup();
        let (empty, new): (Vec<_>, Vec<_>) = new.into_iter().partition(|counts| !self.allowed(counts));
        let questions: Vec<Question> =
            new.iter().map(|counts| Question { scenario: self.scenario(counts), cap: Some(self.cap) }).collect();
        self.replays += questions.len() as u32;
        let answers = self.ground.replayer.answer(&questions)?;
        let kept: Vec<bool> = answers.iter().map(|answer| self.keeps(answer)).collect();
        for counts in empty {
            self.asked.insert(counts.clone(), false);
        }
        for (counts, kept) in new.into_iter().zip(kept) {
            self.asked.insert(counts.clone(), kept);
        }
        Ok(fleets.iter().map(|counts| self.asked[counts]).collect())
    }

    /// Whether there are any nodes, and all contracts are kept.
    fn allowed(&self, counts: &[u32]) -> bool {
        let fleet = Setup::new(self.ground.history, &self.scenario(counts));
        fleet.is_ok_and(|fleet| self.ground.keeps_contracts(&fleet))
    }

    fn keeps(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Exceeded => false,
            Answer::Done(outcome) => self.outcome_keeps(outcome),
        }
    }

    fn outcome_keeps(&self, outcome: &Outcome) -> bool {
        let waits = waits(self.ground.history, outcome);
        waits.never_ran <= self.ground.waits.never_ran && waits.all.wait_s.p95 <= self.cap.wait.as_seconds()
    }

    /// Halves the count of kind `at`, for several fleets in step: the smallest count that keeps the wait, or none.
    fn halve(&mut self, fleets: &[Vec<u32>], at: usize, most: &[u32]) -> Result<Vec<Option<u32>>, Unfit> {
        let mut bounds: Vec<(u32, u32)> = Vec::new();
        let tops: Vec<Vec<u32>> = fleets.iter().zip(most).map(|(counts, &most)| with(counts, at, most)).collect();
        let top_keeps = self.feasible(&tops)?;
        for &most in most {
            bounds.push((0, most));
        }
        loop {
            let open: Vec<usize> = (0..fleets.len()).filter(|&i| top_keeps[i] && bounds[i].0 < bounds[i].1).collect();
            if open.is_empty() {
                break;
            }
            let middle = |i: usize| bounds[i].0.midpoint(bounds[i].1);
            let asked: Vec<Vec<u32>> = open.iter().map(|&i| with(&fleets[i], at, middle(i))).collect();
            let kept = self.feasible(&asked)?;
            for (&i, kept) in open.iter().zip(kept) {
                let middle = bounds[i].0.midpoint(bounds[i].1);
                if kept { bounds[i].1 = middle } else { bounds[i].0 = middle + 1 }
            }
        }
        Ok((0..fleets.len()).map(|i| top_keeps[i].then_some(bounds[i].1)).collect())
    }

    fn single(&mut self, now: &[u32]) -> Result<Vec<u32>, Unfit> {
        let found = self.halve(&[now.to_vec()], 0, now)?;
        Ok(vec![found[0].unwrap_or(now[0])])
    }

    /// Two kinds: for counts of the first on a grid that grows finer around the best, the second is found by halving. Counts that
    /// cannot beat the best sum so far are not tried.
    fn pair(&mut self, now: &[u32]) -> Result<Vec<u32>, Unfit> {
        const GRID: u32 = 6;
        let mut best = now.to_vec();
        let mut step = now[0].div_ceil(GRID).max(1);
        let mut tries: Vec<u32> = (0..=GRID).map(|i| (i * step).min(now[0])).collect();
        loop {
            tries.sort_unstable();
            tries.dedup();
            // The most of the second kind that still beats the best sum.
            let most = |first: u32, best: &[u32]| {
                let left = self.cost(best).saturating_sub(1).checked_sub(u64::from(first) * self.weights[0])?;
                Some(u32::try_from(left / self.weights[1]).unwrap_or(u32::MAX).min(now[1]))
            };
            let open: Vec<(u32, u32)> = tries.iter().filter_map(|&first| Some((first, most(first, &best)?))).collect();
            let fleets: Vec<Vec<u32>> = open.iter().map(|&(first, _)| vec![first, 0]).collect();
            let tops: Vec<u32> = open.iter().map(|&(_, most)| most).collect();
            let found = self.halve(&fleets, 1, &tops)?;
            for (&(first, _), second) in open.iter().zip(found) {
                if let Some(second) = second
                    && self.cost(&[first, second]) < self.cost(&best)
                {
                    best = vec![first, second];
                }
            }
            if step == 1 {
                return Ok(best);
            }
            step = step.div_ceil(3);
            let around = [-2_i64, -1, 1, 2].map(|times| i64::from(best[0]) + times * i64::from(step));
            tries = around.into_iter().filter(|&c| c >= 0 && c <= i64::from(now[0])).map(|c| c as u32).collect();
        }
    }

    /// Takes away one node at a time, the dearest kind first, until one less of any kind fails.
    fn descend(&mut self, mut counts: Vec<u32>) -> Result<Vec<u32>, Unfit> {
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by_key(|&at| (std::cmp::Reverse(self.weights[at]), at));
        loop {
            let fewer: Vec<Vec<u32>> =
                order.iter().filter(|&&at| counts[at] > 0).map(|&at| with(&counts, at, counts[at] - 1)).collect();
            let kept = self.feasible(&fewer)?;
            match fewer.into_iter().zip(kept).find(|(_, kept)| *kept) {
                Some((less, _)) if counts.len() > 2 => {
                    // Many kinds: halve the rest of this kind at once.
                    let at = (0..counts.len()).find(|&at| less[at] != counts[at]).expect("one count differs");
                    let found = self.halve(std::slice::from_ref(&less), at, &[less[at]])?;
                    counts = with(&less, at, found[0].unwrap_or(less[at]));
                }
                Some((less, _)) => counts = less,
                None => return Ok(counts),
            }
        }
    }

    fn report(&mut self, best: &[u32], title: String) -> Result<Vec<Finding>, Unfit> {
        let ground = self.ground;
        let scenario = self.scenario(best);
        let question = Question { scenario: scenario.clone(), cap: None };
        let Some(Answer::Done(outcome)) = ground.replayer.answer(&[question])?.pop() else {
            unreachable!("no cap was set");
        };
        let after = waits(ground.history, &outcome);
        let (all, queues) = replay::measure::compare(ground.history, ground.outcome, &outcome, ground.options.seed);
        if let Some(reason) = ground.broken(&queues, &after) {
            return Ok(vec![Finding::Withheld(Withheld { rule: RULE.to_owned(), title, reason })]);
        }
        let words = self.words(best);
        let gone: Vec<(&Kind, u32)> = self
            .kinds
            .iter()
            .zip(best)
            .map(|(kind, &count)| (kind, kind.count - count))
            .filter(|(_, n)| *n > 0)
            .collect();
        let worse = queues.iter().filter(|queue| queue.wait_s.value >= 60.0);
        let worse = worse
            .map(|queue| format!("queue `{}` waits {} longer on average", queue.name, seconds(queue.wait_s.value)));
        let because = vec![
            format!(
                "With {words}, 95 of 100 workloads wait at most {} (today {}).",
                seconds(after.all.wait_s.p95),
                seconds(ground.waits.all.wait_s.p95)
            ),
            format!(
                "One node less of any kind passes the bound, or breaks a contract; {} replays looked for it.",
                self.replays
            ),
        ];
        Ok(vec![Finding::Proved(Box::new(Recommendation {
            id: format!("{RULE}-{}", &scenario.id()[..6]),
            rule: RULE.to_owned(),
            title: format!("Run on {words}: {}", lower_first(&title)),
            because,
            effect: effect(ground, &all, &queues, &after),
            worth: worth(&gone),
            worse_for: worse.collect(),
            risks: vec![
                "Growth eats the margin: the history has no more work than it has. Look again when submits rise."
                    .into(),
            ],
            change: gone.iter().map(|(kind, n)| self.step(kind, kind.count - n)).collect(),
            undo: gone.iter().map(|(kind, _)| self.step(kind, kind.count)).collect(),
            proof: ground.proof(&scenario),
        }))])
    }

    fn step(&self, kind: &Kind, count: u32) -> Step {
        Step { system: "fleet file".into(), text: format!("[[nodes]]\nname = \"{}\"\ncount = {count}", kind.name) }
    }

    fn words(&self, counts: &[u32]) -> String {
        let parts =
            self.kinds.iter().zip(counts).map(|(kind, count)| format!("{count} of {} {}", kind.count, kind.name));
        parts.collect::<Vec<_>>().join(" and ")
    }
}

/// What nodes that are not needed are worth: money where they have a price, else only the hours that become free.
fn worth(gone: &[(&Kind, u32)]) -> Worth {
    let hours: f64 = gone.iter().map(|(kind, n)| kind.devices as f64 * f64::from(*n) * MONTH.as_hours()).sum();
    let mut saved: Option<Money> = None;
    for (kind, n) in gone {
        let Some(price) = kind.price else { return freed(hours) };
        let part = price.per_hour_for(u64::from(*n) * 1_000, MONTH);
        saved = Some(match saved {
            None => part,
            Some(sum) => match sum.checked_add(part) {
                Some(sum) => sum,
                None => return freed(hours),
            },
        });
    }
    match saved {
        Some(money) => {
            Worth { cash_saved_per_month: Some(MoneyInterval { low: money, high: money }), ..Worth::default() }
        }
        None => freed(hours),
    }
}

fn freed(hours: f64) -> Worth {
    let interval = Interval { low: hours, value: hours, high: hours };
    Worth { capacity_freed_hours_per_month: Some(interval), ..Worth::default() }
}

fn with(counts: &[u32], at: usize, count: u32) -> Vec<u32> {
    let mut counts = counts.to_vec();
    counts[at] = count;
    counts
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
