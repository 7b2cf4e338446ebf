//! What to do, best first, each with its proof.

use advise::report::Report;
use fleet::recommendation::{Recommendation, Step};
use maud::{Markup, html};

use super::super::text::{better_for, freed, seconds, signed};
use super::count;

/// All recommendations.
pub(super) fn section(report: &Report) -> Markup {
    html! {
        section {
            h2 { "What to do" }
            @if report.recommendations.is_empty() {
                p { "Nothing that was tried is proved to help. What was tried, and why it is not recommended, stands below." }
            }
            @if report.recommendations.len() > 1 { (overview(report)) }
            @for (index, recommendation) in report.recommendations.iter().enumerate() {
                (card(index + 1, recommendation, &report.history.unit))
            }
        }
    }
}

/// All of them in a table.
fn overview(report: &Report) -> Markup {
    let unit = &report.history.unit;
    html! {
        div.scroll { table {
            thead { tr { th.n { "#" } th { "change" } th.n { "mean wait" } th.n { "90 % sure" } th.n { "worth" } } }
            tbody { @for (index, recommendation) in report.recommendations.iter().enumerate() {
                tr {
                    td.n { (index + 1) }
                    td { a href={ "#" (recommendation.id) } { (recommendation.title) } }
                    @if let Some(wait) = recommendation.effect.wait_s {
                        td.n { (signed(wait.value)) }
                        td.n { (signed(wait.low)) " to " (signed(wait.high)) }
                    } @else { td {} td {} }
                    td.n {
                        @if let Some(cash) = recommendation.worth.cash_saved_per_month { (cash) " a month saved" }
                        @else if let Some(price) = recommendation.worth.purchase_avoided_per_hour { (price) " an hour not bought" }
                        @else if let Some(freed) = freed(&recommendation.worth, unit) { (freed) " freed" }
                    }
                }
            } }
        } }
        p.soft {
            "90 % sure: days were drawn again a thousand times, and the mean changed by between so much in 900 of them. Each change is \
             replayed by itself; their effects do not add up."
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
                    li { b { (cash) " a month" } span { "cash saved" } }
                }
                @if effect.leaves_waits() {
                    li { b { "nobody" } span { "waits less, or longer" } }
                } @else {
                    @if let Some(wait) = effect.wait_s {
                        li { b { (signed(wait.value)) } span { "mean wait (90 %: " (signed(wait.low)) " to " (signed(wait.high)) ")" } }
                    }
                    @if let Some((before, after)) = effect.p95_wait_s {
                        li { b { (seconds(before)) " → " (seconds(after)) } span { "95 of 100 wait at most" } }
                    }
                    li { b { (count(effect.better)) " / " (count(effect.worse)) } span { "workloads wait less / more" } }
                }
                @if let Some(price) = worth.purchase_avoided_per_hour {
                    li { b { (price) " an hour" } span { "purchase avoided" } }
                }
                @if let Some(freed) = freed(worth, unit) {
                    li { b { (freed) } span { "capacity freed" } }
                }
            }
            @for reason in &recommendation.because { p { (reason) } }
            @let better = better_for(recommendation);
            @if !better.is_empty() {
                p.better { "Who gains most" }
                ul { @for better in &better { li { (sentence(better)) } } }
            }
            p.worse { "Who fares worse" }
            ul {
                @for worse in &recommendation.worse_for { li { (sentence(worse)) } }
                @if recommendation.worse_for.is_empty() { li { "No queue, by a minute or more on average." } }
            }
            @if !recommendation.risks.is_empty() {
                p.risk { "What may be different in life" }
                ul { @for risk in &recommendation.risks { li { (risk) } } }
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

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

fn steps(steps: &[Step]) -> Markup {
    html! {
        @for step in steps {
            p.soft { (step.system) }
            pre { (step.text) }
        }
    }
}
