//! Figures queue by queue, and what was not recommended.

use advise::report::Report;
use advise::waste::Account;
use maud::{Markup, html};

use super::super::text::{SLOWDOWN, grouped_reasons, seconds};
use super::count;

/// Waits of each queue in the baseline.
pub(super) fn waits(report: &Report) -> Markup {
    let mut queues: Vec<_> = report.baseline.waits.queues.iter().collect();
    queues.sort_by(|a, b| b.wait_s.mean.total_cmp(&a.wait_s.mean));
    html! {
        section {
            h2 { "Waits under " code { (report.baseline.policy) } @if !report.baseline.policy_recorded { " (assumed)" } ", replayed" }
            div.scroll { table {
                thead { tr { th { "queue" } th.n { "workloads" } th.n { "mean" } th.n { "p95" } th.n { "p99" } th.n { "longest" } th.n { "slowdown" } } }
                tbody {
                    @for group in std::iter::once(&report.baseline.waits.all).chain(queues) { tr {
                        td { (group.name) }
                        td.n { (count(group.wait_s.count)) }
                        td.n { (seconds(group.wait_s.mean)) }
                        td.n { (seconds(group.wait_s.p95)) }
                        td.n { (seconds(group.wait_s.p99)) }
                        td.n { (seconds(group.wait_s.max)) }
                        td.n { (format!("{:.2}", group.slowdown.mean)) }
                    } }
                }
            } }
            p.soft { "p95: 95 of 100 wait no longer. " (sentence_case(SLOWDOWN)) }
        }
    }
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What users held.
pub(super) fn users(account: &Account) -> Markup {
    html! {
        @for (what, groups) in [("queue", &account.queues), ("user", &account.users)] {
            @if !groups.largest.is_empty() {
                section {
                    h2 { "Who held the " (account.unit) ", by " (what) }
                    div.scroll { table {
                        thead { tr { th { (what) } th.n { "workloads" } th.n { (account.unit) } th.n { "waited " (account.unit) } } }
                        tbody { @for group in groups.largest.iter().take(15) { tr {
                            td { (group.name.as_deref().unwrap_or("unknown")) }
                            td.n { (count(group.jobs)) }
                            td.n { (group.allocated_hours) }
                            td.n { (group.waiting_hours) }
                        } } }
                    } }
                }
            }
        }
    }
}

/// What was looked at and is not recommended.
pub(super) fn withheld(report: &Report) -> Markup {
    html! {
        @if !report.withheld.is_empty() {
            section {
                h2 { "Looked at and not recommended" }
                @for (reason, titles) in grouped_reasons(report) {
                    ul { @for title in titles { li { (title) } } }
                    p.soft { "because " (reason) "." }
                }
            }
        }
    }
}
