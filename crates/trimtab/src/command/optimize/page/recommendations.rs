//! What to do, best first, each with its proof.

use advise::report::Report;
use fleet::recommendation::{Recommendation, Step};
use maud::{Markup, html};

use super::super::text::{seconds, signed};
use super::count;

/// All recommendations.
pub(super) fn section(report: &Report) -> Markup {
    html! {
        section {
            h2 { "What to do" }
            @if report.recommendations.is_empty() {
                p { "Nothing that was tried is proved to help. What was tried, and why it is not recommended, stands below." }
            }
            @for (index, recommendation) in report.recommendations.iter().enumerate() {
                (card(index + 1, recommendation, &report.history.unit))
            }
        }
    }
}

fn card(number: usize, recommendation: &Recommendation, unit: &str) -> Markup {
    let worth = &recommendation.worth;
    let effect = &recommendation.effect;
    html! {
        article.card id=(recommendation.id) {
            h3 { (number) ". " (recommendation.title) }
            ul.facts {
                @if let Some(cash) = worth.cash_saved_per_month {
                    li { b { (cash.low) " a month" } span { "cash saved" } }
                }
                @if let Some(price) = worth.purchase_avoided_per_hour {
                    li { b { (price) " an hour" } span { "purchase avoided" } }
                }
                @if let Some(freed) = worth.capacity_freed_hours_per_month {
                    li { b { (count(freed.value.max(0.0) as u64)) " " (unit.trim_end_matches('s')) "-hours a month" } span { "capacity freed" } }
                }
                @if let Some(wait) = effect.wait_s {
                    li { b { (signed(wait.value)) } span { "mean wait (90 %: " (signed(wait.low)) " to " (signed(wait.high)) ")" } }
                }
                @if let Some((before, after)) = effect.p95_wait_s {
                    li { b { (seconds(before)) " → " (seconds(after)) } span { "95 of 100 wait at most" } }
                }
                li { b { (count(effect.better)) " / " (count(effect.worse)) } span { "workloads wait less / more" } }
            }
            @for reason in &recommendation.because { p { (reason) } }
            @if !recommendation.worse_for.is_empty() {
                p.worse { "Who fares worse:" }
                ul { @for worse in &recommendation.worse_for { li { (worse) } } }
            }
            @if !recommendation.risks.is_empty() {
                ul { @for risk in &recommendation.risks { li.soft { (risk) } } }
            }
            details { summary { "The change" } (steps(&recommendation.change)) }
            details { summary { "The undo" } (steps(&recommendation.undo)) }
            details {
                summary { "The proof" }
                p { "Scenario " code { (recommendation.proof.candidate) } " against " code { (recommendation.proof.baseline) }
                    ", seed " (recommendation.proof.seed) ". Replay both with:" }
                pre { (recommendation.proof.command) }
            }
        }
    }
}

fn steps(steps: &[Step]) -> Markup {
    html! {
        @for step in steps {
            p.soft { (step.system) }
            pre { (step.text) }
        }
    }
}
