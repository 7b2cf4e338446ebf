//! What a workload asked for, beside what it used.

use fleet::live::{Live, Run};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};

use super::told;
use crate::page::words;

/// The most runs in the table: the last ones.
const RUNS_MAX: usize = 20;

pub(super) fn facts(job: &Live, now: Timestamp) -> Markup {
    let asked = &job.submission;
    html! {
        dl.facts {
            dt { "Asked for" } dd { (words::resources(asked.request)) }
            dt { "Time limit" } dd { (asked.time_limit_ms.map_or_else(|| "none".to_owned(), |limit| limit.to_string())) }
            dt { "Queue" } dd.name title=(asked.queue) { (asked.queue) }
            dt { "User" } dd.name { (asked.user.as_deref().unwrap_or(&job.by)) }
            dt { "Priority" } dd { (asked.priority) }
            @if !asked.depends_on.is_empty() {
                dt { "After" }
                dd { @for id in asked.depends_on.iter().take(20) { a href={ "/jobs/" (id.0) } { (id.0) } " " } }
            }
            @if let Some(place) = asked.array { dt { "Array" } dd { (place.index) " of " (place.count) } }
            @if asked.retries > 0 { dt { "Retries" } dd { (asked.retries) } }
            dt { "Command" } dd { code.command { (asked.command.join(" ")) } }
            dt { "Directory" } dd { code { (asked.directory) } }
        }
        @if !job.runs.is_empty() { (runs(job, now)) }
    }
}

fn runs(job: &Live, now: Timestamp) -> Markup {
    let hidden = job.runs.len().saturating_sub(RUNS_MAX);
    html! {
        h3 { "Runs" }
        div.scroll { table {
            thead { tr { th.n { "Run" } th { "Began" } th.n { "Ran" } th.n { "Cores used" } th.n { "Memory, most" } th { "End" } } }
            tbody { @for (place, run) in job.runs.iter().enumerate().skip(hidden) { tr {
                td.n { (place + 1) }
                td { (words::maybe_ago(run.started, now)) }
                td.n { (ran(run, now)) }
                td.n { (cores(run)) }
                td.n { (run.end.and_then(|end| end.used.memory_peak).map_or_else(unknown, |peak| peak.to_string())) }
                td { (end(run)) }
            } } }
        } }
    }
}

fn unknown() -> String {
    "unknown".into()
}

fn ran(run: &Run, now: Timestamp) -> String {
    match (run.end, run.started) {
        (Some(end), _) => words::whole_seconds(end.ran),
        (None, Some(started)) => words::whole_seconds(Millis((now.0 - started.0).max(0))),
        (None, None) => "–".into(),
    }
}

fn cores(run: &Run) -> String {
    run.end.and_then(|end| told::mean_cores(end.used.cpu?, end.ran)).unwrap_or_else(unknown)
}

fn end(run: &Run) -> String {
    match (&run.end, &run.start_failed) {
        (Some(end), _) => end.exit.words_with(end.cause),
        (None, Some(reason)) => format!("did not start: {reason}"),
        (None, None) => "not over".into(),
    }
}
