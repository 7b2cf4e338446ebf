//! From a candidate to a recommendation: replay it, compare it job by job with the baseline, and keep what holds.

use fleet::money::grouped;
use fleet::recommendation::{Effect, QueueEffect, Recommendation, Worth};
use replay::fidelity::Verdict;
use replay::measure::{Difference, Waits, compare, waits};
use replay::outcome::Outcome;
use replay::setup::Unfit;

use super::{Candidate, Finding, Withheld};
use crate::ground::{Ground, WORSE_S, seconds, signed};
use crate::question::{Answer, Question};

/// An effect on the mean wait below this part of it is not worth anybody's time.
const SMALL: f64 = 0.02;

/// Replays all candidates and keeps those whose replay supports them.
pub(super) fn prove(ground: &Ground, candidates: Vec<(&'static str, Candidate)>) -> Result<Vec<Finding>, Unfit> {
    if let Some(reason) = ground.waits_unsure() {
        let withheld = candidates.into_iter().map(|(rule, candidate)| {
            let (rule, reason) = (rule.to_owned(), reason.clone());
            Finding::Withheld(Withheld { rule, title: candidate.title, reason })
        });
        return Ok(withheld.collect());
    }
    let questions: Vec<Question> =
        candidates.iter().map(|(_, candidate)| Question { scenario: candidate.scenario.clone(), cap: None }).collect();
    let answers = ground.replayer.answer(&questions)?;
    let judged = candidates.into_iter().zip(answers).map(|((rule, candidate), answer)| match answer {
        Answer::Done(outcome) => judge(ground, rule, candidate, &outcome),
        Answer::Judged(_) => unreachable!("no cap was set"),
    });
    Ok(judged.collect())
}

fn judge(ground: &Ground, rule: &str, candidate: Candidate, outcome: &Outcome) -> Finding {
    let withheld = |title: String, reason: String| Finding::Withheld(Withheld { rule: rule.to_owned(), title, reason });
    let after = waits(ground.history, outcome);
    if after.never_ran > ground.waits.never_ran {
        let reason = format!("{} workloads would never run", after.never_ran - ground.waits.never_ran);
        return withheld(candidate.title, reason);
    }
    let (all, queues) = compare(ground.history, ground.outcome, outcome, ground.options.seed);
    let mean = ground.waits.all.wait_s.mean;
    if all.wait_s.high >= 0.0 || -all.wait_s.value < mean * SMALL {
        let reason = format!(
            "its replay does not support it: the mean wait changes by {} (90 % interval {} to {})",
            signed(all.wait_s.value),
            signed(all.wait_s.low),
            signed(all.wait_s.high)
        );
        return withheld(candidate.title, reason);
    }
    if let Some(reason) = hangs_on_unsure(ground, &queues, mean) {
        return withheld(candidate.title, reason);
    }
    if let Some(reason) = ground.broken(&queues, &after) {
        return withheld(candidate.title, reason);
    }
    let worse = worse_off(ground, &queues);
    let before = &ground.waits.all;
    let mut because = candidate.because;
    because.push(format!(
        "The mean wait falls from {} to {}, the mean slowdown from {:.2} to {:.2}.",
        seconds(mean),
        seconds(after.all.wait_s.mean),
        before.slowdown.mean,
        after.all.slowdown.mean
    ));
    if rule == super::time_limit::RULE {
        because.extend(delays(&queues));
    }
    Finding::Proved(Box::new(Recommendation {
        id: format!("{rule}-{}", &candidate.scenario.id()[..6]),
        rule: rule.to_owned(),
        title: candidate.title,
        because,
        effect: effect(ground, &all, &queues, &after),
        worth: Worth::default(),
        worse_for: worse.iter().map(|queue| worse_words(queue)).collect(),
        risks: candidate.risks,
        change: candidate.change,
        undo: candidate.undo,
        proof: ground.proof(&candidate.scenario),
    }))
}

/// What a replay brings.
pub(super) fn effect(ground: &Ground, all: &Difference, queues: &[Difference], after: &Waits) -> Effect {
    let queues = queues.iter().map(|queue| QueueEffect {
        name: queue.name.clone(),
        wait_s: queue.wait_s,
        better: queue.better,
        worse: queue.worse,
    });
    Effect {
        wait_s: Some(all.wait_s),
        slowdown: Some(all.slowdown),
        p95_wait_s: Some((ground.waits.all.wait_s.p95, after.all.wait_s.p95)),
        better: all.better,
        worse: all.worse,
        queues: queues.collect(),
    }
}

/// Whether the gain is gone once the queues are left out whose recorded waits the baseline does not reproduce.
fn hangs_on_unsure(ground: &Ground, queues: &[Difference], mean: f64) -> Option<String> {
    let unsure = |queue: &&Difference| {
        ground.fidelity.queue(&queue.name).is_some_and(|queue| queue.verdict == Verdict::NotReproduced)
    };
    let count: u64 = queues.iter().map(|queue| queue.count).sum();
    let sure: f64 =
        queues.iter().filter(|queue| !unsure(queue)).map(|queue| queue.wait_s.value * queue.count as f64).sum();
    let most = queues
        .iter()
        .filter(unsure)
        .min_by(|a, b| (a.wait_s.value * a.count as f64).total_cmp(&(b.wait_s.value * b.count as f64)))?;
    (-sure < mean * SMALL * count as f64).then(|| {
        format!("it hangs on the waits of queue `{}`, which the baseline replay does not reproduce", most.name)
    })
}

/// By how much limits that ask for too much delay whom: what the replay without them spares each queue, most first.
fn delays(queues: &[Difference]) -> Option<String> {
    const MOST: usize = 4;
    let mut spared: Vec<&Difference> = queues.iter().filter(|queue| queue.wait_s.value <= -WORSE_S).collect();
    spared.sort_by(|a, b| a.wait_s.value.total_cmp(&b.wait_s.value));
    let parts: Vec<String> = spared
        .iter()
        .take(MOST)
        .map(|queue| {
            format!(
                "queue `{}` by {} ({} of {} workloads)",
                queue.name,
                seconds(-queue.wait_s.value),
                grouped(queue.better as i64),
                grouped(queue.count as i64)
            )
        })
        .collect();
    (!parts.is_empty()).then(|| format!("Asking for too much delays {} on average.", parts.join(", ")))
}

pub(super) fn worse_off<'a>(ground: &Ground, queues: &'a [Difference]) -> Vec<&'a Difference> {
    let trusted = |name: &str| ground.fidelity.queue(name).is_none_or(|queue| queue.verdict != Verdict::NotReproduced);
    queues
        .iter()
        .filter(|queue| queue.wait_s.value >= WORSE_S && (trusted(&queue.name) || ground.protects(&queue.name)))
        .collect()
}

pub(super) fn worse_words(queue: &Difference) -> String {
    format!(
        "queue `{}` waits {} longer on average ({} of {} workloads wait a minute or more longer)",
        queue.name,
        seconds(queue.wait_s.value),
        grouped(queue.worse as i64),
        grouped(queue.count as i64)
    )
}
