//! The report in four sentences.

use advise::report::Report;
use advise::waste::{Name, PartGroup, Why};

use super::seconds;

/// What somebody who reads nothing else should know.
pub(in crate::command::optimize) fn sentences(report: &Report) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(idle(report));
    sentences.extend(lost(report));
    let waits = &report.baseline.waits.all.wait_s;
    sentences.push(format!(
        "Workloads wait {} on average; 95 of 100 wait no longer than {}.",
        seconds(waits.mean),
        seconds(waits.p95)
    ));
    sentences.push(best(report));
    sentences
}

fn idle(report: &Report) -> Option<String> {
    let capacity = report.account.capacity.as_ref()?;
    let groups = capacity.groups();
    let idle = groups.iter().find(|group| group.group == PartGroup::Idle)?;
    let waited: advise::hours::Hours = idle
        .parts
        .iter()
        .filter(|part| part.part != Name::IdleBecause(Why::NothingWaited))
        .map(|part| part.hours)
        .sum();
    let cost = idle.cost.map_or(String::new(), |cost| format!(", {cost}"));
    Some(format!(
        "{} of all {} were never allocated ({} of {}{cost}); {} while work waited.",
        percent(idle.hours.share_of(capacity.capacity_hours)),
        capacity.unit,
        idle.hours,
        capacity.capacity_hours,
        percent(waited.share_of(capacity.capacity_hours)),
    ))
}

fn lost(report: &Report) -> Option<String> {
    let capacity = report.account.capacity.as_ref()?;
    let groups = capacity.groups();
    let lost = groups.iter().find(|group| group.group == PartGroup::NotCompleted)?;
    let cost = lost.cost.map_or(String::new(), |cost| format!(", {cost}"));
    Some(format!(
        "{} went to runs that did not complete ({}{cost}), most to those that {}.",
        percent(lost.hours.share_of(capacity.capacity_hours)),
        lost.hours,
        lost.parts.first().map_or_else(String::new, |part| part.part.words().replace("were spent on runs that ", "")),
    ))
}

fn best(report: &Report) -> String {
    let Some(best) = report.recommendations.first() else {
        return "No change that was tried is proved to help.".to_owned();
    };
    let brings = match (best.worth.cash_saved_per_month, best.effect.wait_s) {
        (Some(cash), _) => format!("it saves {cash} a month"),
        (None, Some(_)) if best.effect.leaves_waits() => {
            "nobody waits less for it; see below what it is worth".to_owned()
        }
        (None, Some(wait)) => format!("the mean wait falls by {}", seconds(-wait.value)),
        (None, None) => "see below".to_owned(),
    };
    format!("The best of {} proved changes: {}; {brings}.", report.recommendations.len(), lower_first(&best.title))
}

/// Whole percents, but for small ones: `27 %`, `0.4 %`.
pub(in crate::command::optimize) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent > 0.0 && percent < 0.05 => "< 0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
