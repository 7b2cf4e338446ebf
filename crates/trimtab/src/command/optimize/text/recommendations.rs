//! What to do: all changes in a table, then each with its reasons, its effect, its change, its undo and its proof.

use std::fmt::Write;

use advise::ground::WORSE_S;
use advise::report::Report;
use fleet::money::grouped;
use fleet::quantity::hours_in_words;
use fleet::recommendation::{Recommendation, Step, Worth};

use super::{seconds, signed};
use crate::table::{Align, Table};
use crate::wrap::{self, paragraph};

pub(super) fn section(text: &mut String, report: &Report, width: usize) {
    wrap::section(text, "What to do");
    if report.recommendations.is_empty() {
        paragraph(text, width, "  ", "Nothing that was tried is proved to help; see below what that was.");
        return;
    }
    if report.recommendations.len() > 1 {
        text.push_str(&table(report).within(width));
        let words = "90 % sure: days were drawn again a thousand times, and the mean changed by between so much in 900 of them. \
                     Each change is replayed by itself; their effects do not add up.";
        paragraph(text, width, "  ", words);
    }
    let bold = anstyle::Style::new().bold();
    for (index, recommendation) in report.recommendations.iter().enumerate() {
        text.push('\n');
        let _ = writeln!(text, "  {bold}{}. {}{bold:#}", index + 1, recommendation.title);
        one(text, recommendation, &report.history.unit, width);
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new([
        ("#", Align::Right),
        ("change", Align::Left),
        ("mean wait", Align::Right),
        ("90 % sure", Align::Right),
        ("money", Align::Right),
    ]);
    for (index, recommendation) in report.recommendations.iter().enumerate() {
        let wait = recommendation.effect.wait_s;
        let worth = &recommendation.worth;
        table.row([
            (index + 1).to_string(),
            recommendation.title.clone(),
            wait.map_or_else(String::new, |wait| signed(wait.value)),
            wait.map_or_else(String::new, |wait| format!("{} to {}", signed(wait.low), signed(wait.high))),
            worth.cash_saved_per_month.map_or_else(String::new, |cash| format!("{cash} a month")),
        ]);
    }
    table.without_empty_columns()
}

fn one(text: &mut String, recommendation: &Recommendation, unit: &str, width: usize) {
    let mut say = |words: &str| paragraph(text, width, "     ", words);
    for reason in &recommendation.because {
        say(reason);
    }
    let effect = &recommendation.effect;
    let nothing = effect.leaves_waits();
    if nothing {
        say("effect: nobody waits less, or longer");
    } else if let Some(wait) = effect.wait_s {
        say(&format!(
            "effect: mean wait {} (90 % sure: {} to {}); {} wait less, {} more",
            signed(wait.value),
            signed(wait.low),
            signed(wait.high),
            grouped(effect.better as i64),
            grouped(effect.worse as i64)
        ));
    }
    if let Some((before, after)) = effect.p95_wait_s.filter(|_| !nothing) {
        say(&format!("        95 of 100 wait at most {} instead of {}", seconds(after), seconds(before)));
    }
    let worth = &recommendation.worth;
    if let Some(cash) = worth.cash_saved_per_month {
        say(&format!("cash saved: {cash} a month"));
    }
    if let Some(price) = worth.purchase_avoided_per_hour {
        say(&format!("purchase avoided: {price} an hour, where that was to be bought"));
    }
    if let Some(freed) = freed(worth, unit) {
        say(&format!("capacity freed: {freed}"));
    }
    for better in better_for(recommendation) {
        say(&format!("better: {better}"));
    }
    match recommendation.worse_for.is_empty() {
        true => say("worse: no queue, by a minute or more on average"),
        false => recommendation.worse_for.iter().for_each(|worse| say(&format!("worse: {worse}"))),
    }
    for risk in &recommendation.risks {
        say(&format!("risk: {risk}"));
    }
    steps(text, "change", &recommendation.change);
    steps(text, "undo", &recommendation.undo);
    let proof = &recommendation.proof;
    let _ = writeln!(text, "     proof: scenario {} against {}; to replay both:", proof.candidate, proof.baseline);
    let _ = writeln!(text, "       {}", proof.command);
}

/// What others could use, as a rate; `unit` is `devices` or `cores`.
pub(in crate::command::optimize) fn freed(worth: &Worth, unit: &str) -> Option<String> {
    let hours = worth.capacity_freed_hours_per_month?.value.max(0.0);
    Some(format!("{} a month", hours_in_words(hours, unit.trim_end_matches('s'))))
}

/// The queues that gain most, in sentences.
pub(in crate::command::optimize) fn better_for(recommendation: &Recommendation) -> Vec<String> {
    const MOST: usize = 3;
    // Its reasons tell whom over-asking delays, which are the same queues.
    if recommendation.rule == "time-limit" {
        return Vec::new();
    }
    let mut queues: Vec<_> =
        recommendation.effect.queues.iter().filter(|queue| queue.wait_s.value <= -WORSE_S).collect();
    queues.sort_by(|a, b| a.wait_s.value.total_cmp(&b.wait_s.value));
    let words = queues.iter().take(MOST).map(|queue| {
        format!(
            "queue `{}` waits {} less on average ({} workloads wait a minute or more less)",
            queue.name,
            seconds(-queue.wait_s.value),
            grouped(queue.better as i64)
        )
    });
    words.collect()
}

fn steps(text: &mut String, what: &str, steps: &[Step]) {
    for step in steps {
        let _ = writeln!(text, "     {what} ({}):", step.system);
        for line in step.text.lines().take(LINES_MAX) {
            let _ = writeln!(text, "       {line}");
        }
        let more = step.text.lines().count().saturating_sub(LINES_MAX);
        if more > 0 {
            let _ = writeln!(text, "       … and {more} lines more (--format json and --html have them all)");
        }
    }
}

/// A change longer than this is cut in a terminal.
const LINES_MAX: usize = 12;

pub(super) fn withheld(text: &mut String, report: &Report, width: usize) {
    if report.withheld.is_empty() {
        return;
    }
    wrap::section(text, "Looked at and not recommended");
    for (reason, titles) in grouped_reasons(report) {
        for title in &titles {
            paragraph(text, width, "  ", &format!("- {title}"));
        }
        paragraph(text, width, "    ", &format!("because {reason}"));
    }
}

/// What was withheld, by reason: many have one in common, and it is told once.
pub(in crate::command::optimize) fn grouped_reasons(report: &Report) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for withheld in &report.withheld {
        match reasons.iter_mut().find(|(reason, _)| *reason == withheld.reason) {
            Some((_, titles)) => titles.push(&withheld.title),
            None => reasons.push((&withheld.reason, vec![&withheld.title])),
        }
    }
    reasons
}
