//! The smallest fleet in words and money.

use fleet::money::{Money, grouped};
use fleet::recommendation::{Interval, MoneyInterval, Recommendation, Step, Worth};
use replay::measure::{Difference, Waits, waits};
use replay::outcome::Outcome;
use replay::setup::Unfit;

use super::known::Counts;
use super::search::Found;
use super::{Kind, Scope, Task, title};
use crate::ground::{WORSE_S, seconds};
use crate::question::{Answer, Question};
use crate::recommend::prove::effect;
use crate::recommend::{Finding, MONTH, Progress, Withheld};

impl Task<'_> {
    pub(super) fn report(&self, scope: &Scope, found: &Found, progress: Progress) -> Result<Finding, Unfit> {
        let ground = self.ground;
        let title = title(scope);
        let withheld =
            |reason: String| Finding::Withheld(Withheld { rule: scope.rule.to_owned(), title: title.clone(), reason });
        let outcome = self.live(std::slice::from_ref(&found.counts))?.remove(0);
        let words = self.words(&found.counts);
        if !scope.cap.judge(&outcome).kept {
            return Ok(withheld(format!("{words} keep it as far as was looked, but not to the end")));
        }
        let (all, queues) = replay::measure::compare(ground.history, ground.outcome, &outcome, ground.options.seed);
        let after = waits(ground.history, &outcome);
        if let Some(reason) = ground.broken(&queues, &after) {
            return Ok(withheld(reason));
        }
        let worse: Vec<&Difference> = queues.iter().filter(|queue| queue.wait_s.value >= WORSE_S).collect();
        progress("smallest fleet: how sure its counts are");
        let sure = self.sure(scope, &found.counts)?;
        let mut because = vec![self.bound(scope, &words, &after), self.search_words(found)?];
        because.push(self.margin_words(&found.counts, &sure));
        let mut risks = vec![
            "Growth eats the margin: the history has no more work than it has. Look again when submits rise."
                .to_owned(),
        ];
        risks.extend(self.late_words(scope, &outcome));
        if !scope.unbounded.is_empty() {
            risks.push(format!(
                "Not bounded, for want of workloads or of a replay that reproduces them: queue {}.",
                quoted(&scope.unbounded)
            ));
        }
        let scenario = self.scenario(&found.counts);
        let longer = |queue: &&Difference| {
            format!("queue `{}` waits {} longer on average", queue.name, seconds(queue.wait_s.value))
        };
        let steps = |counts: &[u32]| {
            let changed =
                self.kinds.iter().zip(counts).zip(&found.counts).filter(|((kind, _), best)| kind.count != **best);
            changed.map(|((kind, count), _)| step(kind, *count)).collect()
        };
        Ok(Finding::Proved(Box::new(Recommendation {
            id: format!("{}-{}", scope.rule, &scenario.id()[..6]),
            rule: scope.rule.to_owned(),
            title: format!("Run on {words}: {}", lower_first(&title)),
            because,
            effect: effect(ground, &all, &queues, &after),
            worth: self.worth(&found.counts, &sure),
            worse_for: worse.iter().map(longer).collect(),
            risks,
            change: steps(&found.counts),
            undo: steps(&self.now()),
            proof: ground.proof(&scenario),
        })))
    }

    /// What comes of these fleets.
    fn live(&self, fleets: &[Counts]) -> Result<Vec<Outcome>, Unfit> {
        let questions: Vec<Question> =
            fleets.iter().map(|counts| Question { scenario: self.scenario(counts), cap: None }).collect();
        let lived = self.ground.replayer.answer(&questions)?.into_iter().map(|answer| match answer {
            Answer::Done(outcome) => outcome,
            Answer::Judged(_) => unreachable!("no cap was set"),
        });
        Ok(lived.collect())
    }

    /// Counts with which the bound holds in 95 of 100 histories put together from blocks of this one: the found ones and a
    /// sixteenth, an eighth, a quarter, half or all of what would go.
    fn sure(&self, scope: &Scope, best: &Counts) -> Result<Counts, Unfit> {
        let staying = |parts: u32| -> Counts {
            let kinds = self.kinds.iter().zip(best);
            kinds.map(|(kind, &best)| best + ((kind.count - best) * parts).div_ceil(16)).collect()
        };
        for parts in [[1, 2], [4, 8]] {
            let fleets = parts.map(staying);
            for (counts, outcome) in fleets.iter().zip(self.live(&fleets)?) {
                if scope.cap.surely_kept(self.ground.history, &outcome, self.ground.options.seed) {
                    return Ok(counts.clone());
                }
            }
        }
        Ok(self.now())
    }

    /// The wait that is kept, and by whom most narrowly.
    fn bound(&self, scope: &Scope, words: &str, after: &Waits) -> String {
        let today = &self.ground.waits;
        if !scope.every_queue() {
            let (then, now) = (seconds(after.all.wait_s.p95), seconds(today.all.wait_s.p95));
            return format!("With {words}, 95 of 100 workloads wait at most {then} (today {now}).");
        }
        let bounded = after.queues.iter().filter(|queue| !scope.unbounded.contains(&queue.name));
        let longest = bounded.max_by(|a, b| a.wait_s.p95.total_cmp(&b.wait_s.p95)).expect("there are queues");
        let now = today.queues.iter().find(|queue| queue.name == longest.name).map_or(0.0, |queue| queue.wait_s.p95);
        format!(
            "With {words}, 95 of 100 workloads of every queue wait at most {}, as those of `{}` do (today {}); of all together at most {}.",
            seconds(longest.wait_s.p95),
            longest.name,
            seconds(now),
            seconds(after.all.wait_s.p95)
        )
    }

    /// How the counts were found, and what is known of others.
    fn search_words(&self, found: &Found) -> Result<String, Unfit> {
        let (less, sum) = if self.priced { ("cheaper", "price") } else { ("smaller", "devices") };
        let permille = |cost: u64| cost * 1_000 / self.cost(&found.counts).max(1);
        let part =
            |permille: u64| format!("none of less than {}.{} % of its {sum} keeps it", permille / 10, permille % 10);
        let rule = "if more nodes never make anyone wait longer";
        let others = match (permille(found.least_cost), permille(found.traded_cost)) {
            (1_000.., _) => format!("no {less} fleet keeps it, {rule}"),
            (all @ 900.., _) => format!("{}, {rule}; between, not all were tried", part(all)),
            (_, 1_000..) => format!(
                "no {less} one keeps it that has other counts of two kinds, {rule}; of other mixes not all were tried"
            ),
            (all, traded) if traded > all => {
                format!(
                    "of those with other counts of two kinds, {}, {rule}; of other mixes not all were tried",
                    part(traded)
                )
            }
            (all, _) => format!("{}, {rule}; between, not all were tried", part(all)),
        };
        let (one_less, refused) = (self.one_less(), self.refused(&found.counts)?);
        let one_less = format!("{}{}", one_less[..1].to_uppercase(), &one_less[1..]);
        Ok(format!("{one_less} fails{refused}; {others} ({} fleets were looked at).", found.asked))
    }

    /// How much more it takes to be sure.
    fn margin_words(&self, best: &[u32], sure: &[u32]) -> String {
        if sure == self.now() {
            return "How sure that is cannot be told: in histories put together from parts of this one, the bound does not hold 95 times of 100 with half of the nodes kept either.".to_owned();
        }
        let more = self.kinds.iter().zip(best).zip(sure).filter(|((_, best), sure)| sure > best);
        let more: Vec<String> =
            more.map(|((kind, best), sure)| format!("{} more {}", sure - best, kind.name)).collect();
        format!(
            "It is just enough for this history; with {} the bound holds in 95 of 100 histories put together from parts of this one, and what is then left is the lower figure of what it is worth.",
            more.join(" and ")
        )
    }

    /// Who waits longer than the bound all the same.
    fn late_words(&self, scope: &Scope, outcome: &Outcome) -> Option<String> {
        let history = self.ground.history;
        let waits = history.workloads.iter().zip(&outcome.workloads).filter_map(|(recorded, fate)| {
            Some((fate.wait()?, recorded.workload.queue.index(), recorded.workload.tasks))
        });
        let late: Vec<_> = waits.filter(|(wait, ..)| *wait > scope.cap.wait).collect();
        let &(longest, queue, tasks) = late.iter().max_by_key(|(wait, ..)| *wait)?;
        let gang = if tasks > 1 { format!("a gang of {tasks}") } else { "one".to_owned() };
        Some(format!(
            "{} workloads wait longer than that all the same, the longest {longest}: {gang} of queue `{}`.",
            grouped(late.len() as i64),
            history.names.queues.name(queue)
        ))
    }

    fn cost(&self, counts: &[u32]) -> u64 {
        counts.iter().zip(self.weights()).map(|(&count, weight)| u64::from(count) * weight).sum()
    }

    /// What nodes that are not needed are worth: money where they have a price, else only the hours that become free. With the
    /// counts found, the bill falls by exactly the upper figure; the lower one keeps what it takes to be sure of the bound.
    fn worth(&self, best: &[u32], sure: &[u32]) -> Worth {
        let money = |counts: &[u32]| -> Option<Money> {
            let mut saved: Option<Money> = None;
            let gone = self.kinds.iter().zip(counts).zip(best).filter(|((kind, _), best)| kind.count > **best);
            for ((kind, &count), _) in gone {
                let part = kind.price?.per_hour_for(u64::from(kind.count - count) * 1_000, MONTH);
                saved = Some(saved.map_or(Some(part), |sum| sum.checked_add(part))?);
            }
            saved
        };
        if let (Some(low), Some(high)) = (money(sure), money(best)) {
            return Worth { cash_saved_per_month: Some(MoneyInterval { low, high }), ..Worth::default() };
        }
        let hours = |counts: &[u32]| -> f64 {
            let gone = self.kinds.iter().zip(counts);
            gone.map(|(kind, &count)| kind.devices as f64 * f64::from(kind.count - count) * MONTH.as_hours()).sum()
        };
        let (low, value) = (hours(sure), hours(best));
        let interval = Interval { low, value, high: value };
        Worth { capacity_freed_hours_per_month: Some(interval), ..Worth::default() }
    }
}

fn step(kind: &Kind, count: u32) -> Step {
    Step { system: "fleet file".into(), text: format!("[[nodes]]\nname = \"{}\"\ncount = {count}", kind.name) }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
