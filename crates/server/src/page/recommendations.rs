//! What was last recommended here: all of it on a page, and the first few on the overview.

use axum::Extension;
use axum::extract::State as Extract;
use fleet::health::NODE_UNFIT;
use fleet::recommendation::{Recommendation, Step};
use fleet::time::Timestamp;
use maud::{Markup, html};

use super::frame::{Page, Wanted};
use super::ledger::effect;
use super::refusal::Refusal;
use super::words;
use crate::access::Caller;
use crate::api::reading;
use crate::failure::Failure;
use crate::recommended::{self, Ground, Recommended, Stands};
use crate::state::State;

/// The overview shows so many.
const SHORT: usize = 3;

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
) -> Result<Markup, Refusal> {
    let (found, stands) = reading(move || {
        let found = recommended::read(&state.folder, &state.reader)?;
        let ground = Ground::read(&state.reader)?;
        let stands: Vec<Stands> = found.all.iter().map(|one| ground.stands(one, state.rule_of)).collect();
        Ok((found, stands))
    })
    .await?;
    let now = words::now();
    let page = Page {
        title: "Recommendations",
        under: "/recommendations",
        caller: &caller,
        fixed: html! { h1 { "Recommendations" } },
        address: "/recommendations",
        live: summary(&found, &stands, now),
        below: list(&found.all, &stands, now),
    };
    Ok(page.show(wanted))
}

/// The address of one.
pub(super) fn address(one: &Recommendation) -> String {
    words::address("/recommendation", &[("id", Some(&one.id))])
}

pub(super) fn summary(found: &Recommended, stands: &[Stands], now: Timestamp) -> Markup {
    if found.all.is_empty() {
        return none(found, now);
    }
    let count = |of: fn(&Stands) -> bool| stands.iter().filter(|stands| of(stands)).count() as u64;
    let open = count(|stands| matches!(stands, Stands::Open));
    let applied = count(|stands| matches!(stands, Stands::Applied(_)));
    html! {
        p {
            (words::some(found.all.len() as u64, "recommendation")) ", each proved by a replay of what was recorded here"
            @if found.all.iter().any(is_shown_by_test) { ", or shown by a test of a node that fails it" }
            @if let Some(made) = found.made { ", " (words::ago(made, now)) }
            ". " (words::count(open)) " can be applied from here, " (words::count(applied)) " applied."
        }
        p.quiet {
            "Each change is replayed by itself: what several bring does not add up. "
            code { "trimtab optimize" } " makes them anew from what is recorded by then."
        }
    }
}

fn none(found: &Recommended, now: Timestamp) -> Markup {
    html! {
        div.empty {
            @match found.made {
                None => p { "None were made yet from what is recorded here." },
                Some(made) => p { "Nothing that was tried was proved to help, " (words::ago(made, now)) "." },
            }
            p {
                code { "trimtab optimize" } " replays what was recorded under other choices, and ranks those that are proved to help; "
                "each comes with its proof and its undo."
            }
        }
    }
}

pub(super) fn list(all: &[Recommendation], stands: &[Stands], now: Timestamp) -> Markup {
    html! {
        @if !all.is_empty() { ol.ranked { @for (one, stands) in all.iter().zip(stands) { (item(one, stands, now)) } } }
    }
}

fn item(one: &Recommendation, stands: &Stands, now: Timestamp) -> Markup {
    html! {
        li {
            div.line {
                a.what href=(address(one)) { (one.title) }
                (standing(stands, now))
            }
            p { (words::sentence(&effect(&one.effect))) }
            p.quiet { (worse(one)) }
            details {
                summary { "Exact steps, their undo, the proof" }
                (exact(one))
            }
        }
    }
}

/// How one stands, in a few words.
pub(super) fn standing(stands: &Stands, now: Timestamp) -> Markup {
    let told = |words: &str| html! { span.quiet { (words) } };
    match stands {
        Stands::Open => told("can be applied"),
        Stands::Applied(consent) => html! {
            span.state.completed { a href="/ledger" { "applied " (words::ago(consent.at, now)) } " by " (consent.who) }
        },
        Stands::Holds => told("holds already"),
        Stands::Changed(_) => told("the rules have changed since"),
        Stands::Elsewhere => told("done elsewhere"),
        Stands::Unclear(_) => told("cannot be applied here"),
    }
}

/// Whether no replay proves it: it is about a node that fails its test.
pub(super) fn is_shown_by_test(one: &Recommendation) -> bool {
    one.rule == NODE_UNFIT
}

/// Who fares worse, in a sentence.
pub(super) fn worse(one: &Recommendation) -> String {
    match one.worse_for.is_empty() {
        true => "Worse for no queue, by a minute or more on average.".into(),
        false => format!("Worse: {}.", one.worse_for.join("; ")),
    }
}

/// What is done, what takes it back, and what proves it, to the letter.
pub(super) fn exact(one: &Recommendation) -> Markup {
    let proof = &one.proof;
    html! {
        h3 { "Steps" }
        (steps(&one.change))
        h3 { "Undone by" }
        (steps(&one.undo))
        h3 { "Proof" }
        @if is_shown_by_test(one) { p.quiet { "A test of the node shows it; there:" } } @else { p.quiet {
            "Scenario " code { (proof.candidate) } " against " code { (proof.baseline) } ", seed " (proof.seed) ", history " code { (proof.history) }
            ", engine " (proof.engine) ". To replay both:"
        } }
        pre { (proof.command) }
    }
}

fn steps(steps: &[Step]) -> Markup {
    html! {
        @for step in steps {
            @if step.system != Step::TRIMTAB { p.quiet { "In " (step.system) ":" } }
            pre { (step.text) }
        }
    }
}

/// The first few, for the overview.
pub(super) fn short(found: Result<&Recommended, &Failure>, now: Timestamp) -> Markup {
    html! {
        section {
            div.line {
                h2 { "Recommendations" }
                @if let Ok(found) = found { @if !found.all.is_empty() {
                    a href="/recommendations" { "All " (words::count(found.all.len() as u64)) ", with steps and proofs" }
                } }
            }
            @match found {
                Err(failure) => p.wrong { (words::sentence(failure.told().1)) },
                Ok(found) if found.all.is_empty() => (none(found, now)),
                Ok(found) => ol.ranked.short { @for one in found.all.iter().take(SHORT) {
                    li { a.what href=(address(one)) { (one.title) } p { (words::sentence(&effect(&one.effect))) } }
                } },
            }
        }
    }
}
