//! The report as one page that opens from disk without a network: no script, no font, no picture from elsewhere.

mod charts;
mod recommendations;
mod style;
mod tables;
#[cfg(test)]
mod tests;

use advise::report::Report;
use fleet::money::grouped;
use fleet::recommendation::Recommendation;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use replay::fidelity::Verdict;

use super::text;
use crate::page_style;

/// The page. Whatever the history names is escaped.
pub(super) fn render(report: &Report) -> String {
    let title = format!(
        "Trimtab: {} workloads on {} {}",
        count(report.history.workloads),
        count(report.history.capacity),
        report.history.unit
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(page_style::BASE)) (PreEscaped(style::CSS)) }
            }
            body {
                header {
                    @if report.history.synthetic {
                        p.synthetic { "This history is made up: a generator wrote it, no fleet ran it." }
                    }
                    h1 { (headline(report)) }
                    p.about { (about(report)) }
                }
                main {
                    section.short { ul { @for sentence in text::in_short(report) { li { (sentence) } } } }
                    (fidelity(report))
                    (charts::waterfall(&report.account))
                    (charts::allocation(&report.account))
                    (recommendations::section(report))
                    (charts::waits(report))
                    (tables::waits(report))
                    (tables::users(&report.account))
                    (tables::withheld(report))
                    section {
                        h2 { "Good to know" }
                        ul { @for note in &report.notes { li { (note) } } }
                    }
                }
                footer {
                    "History " code { (report.history.hash) } ", baseline " code { (report.baseline.scenario) }
                    ", engine " (report.baseline.engine) "."
                }
            }
        }
    };
    page.into_string()
}

/// What was found, in one sentence.
fn headline(report: &Report) -> String {
    let idle = report.account.capacity.as_ref().map(|capacity| {
        let share = capacity.idle_hours().share_of(capacity.capacity_hours) * 100.0;
        format!("{share:.0} % of {} {} were never allocated", capacity.capacity_hours, capacity.unit)
    });
    let best = report.recommendations.first().map(best_words);
    match (idle, best) {
        (Some(idle), Some(best)) => format!("{idle}; {best}."),
        (Some(idle), None) => format!("{idle}; no change that was tried is proved to help."),
        (None, Some(best)) => format!("Best found: {best}."),
        (None, None) => "No change that was tried is proved to help.".to_owned(),
    }
}

fn best_words(best: &Recommendation) -> String {
    if let Some(cash) = best.worth.cash_saved_per_month {
        return format!("a smaller fleet saves {cash} a month");
    }
    match best.effect.wait_s {
        Some(wait) if !best.effect.leaves_waits() => {
            format!("the best change cuts the mean wait by {}", text::seconds(-wait.value))
        }
        _ => best.title.clone(),
    }
}

fn about(report: &Report) -> String {
    let about = &report.history;
    let nodes: Vec<String> = about.nodes.iter().map(|(name, n)| format!("{} {name}", count(*n))).collect();
    format!(
        "{} workloads from {} to {} on {} {} ({}); read from {}.",
        count(about.workloads),
        &about.from.to_string()[..10],
        &about.until.to_string()[..10],
        count(about.capacity),
        about.unit,
        nodes.join(", "),
        about.source
    )
}

fn fidelity(report: &Report) -> Markup {
    let all = &report.fidelity.all;
    let (class, word) = match all.verdict {
        Verdict::Reproduced => ("good", "Fidelity: good"),
        Verdict::NotReproduced => ("bad", "Fidelity: poor"),
        Verdict::NotRecorded => ("unknown", "Fidelity: unknown"),
    };
    let queues: Vec<_> = report.fidelity.queues.iter().filter(|queue| queue.count > 0).collect();
    html! {
        section {
            h2 { "Can the replay be trusted?" }
            p { span class={ "badge " (class) } { (word) } " " (text::sentence(all)) }
            @if queues.len() > 1 {
                details {
                    summary { "Queue by queue" }
                    div.scroll { table {
                        thead { tr { th { "queue" } th.n { "workloads" } th.n { "recorded wait" } th.n { "replayed wait" } th.n { "starts off by (median)" } th { "" } } }
                        tbody { @for queue in queues { tr {
                            td { (queue.name) }
                            td.n { (count(queue.count)) }
                            td.n { (text::seconds(queue.recorded_wait_s)) }
                            td.n { (text::seconds(queue.replayed_wait_s)) }
                            td.n { (text::seconds(queue.start_error_s.p50)) }
                            td { @if queue.verdict == Verdict::Reproduced { "reproduced" } @else { "not reproduced" } }
                        } } }
                    } }
                }
            }
        }
    }
}

/// A number with its thousands apart.
fn count(value: u64) -> String {
    grouped(i64::try_from(value).unwrap_or(i64::MAX))
}
