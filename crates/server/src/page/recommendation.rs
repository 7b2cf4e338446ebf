//! One recommendation: what it would change here, what it brings and to whom, and the button that does it.

use axum::Extension;
use axum::extract::State as Extract;
use axum::response::Redirect;
use fleet::money::grouped;
use fleet::quantity::Millis;
use fleet::recommendation::{Recommendation, Step};
use fleet::time::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Page, Wanted};
use super::recommendations::{address, exact, is_shown_by_test, standing};
use super::refusal::Refusal;
use super::{Form, Query, ledger, words};
use crate::access::{Caller, Rights};
use crate::agree;
use crate::api::reading;
use crate::dry_run::Difference;
use crate::recommended::{self, Ground, Stands};
use crate::state::State;

/// Which recommendation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    id: String,
}

/// A step, and what it would change; nothing can be told of those that are not ours.
pub(super) type Dry<'a> = (&'a Step, Option<Vec<Difference>>);

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
    Query(which): Query<Which>,
) -> Result<Markup, Refusal> {
    let (one, made, rules, stands) = reading(move || {
        let found = recommended::read(&state.folder, &state.reader)?;
        let one = found.find(&which.id)?.clone();
        let ground = Ground::read(&state.reader)?;
        let stands = ground.stands(&one, state.rule_of);
        let would = recommended::rules(&one.change, state.rule_of).map(|rules| ground.would_change(&rules));
        Ok((one, found.made, would.ok(), stands))
    })
    .await?;
    let now = words::now();
    let would = |place: usize| rules.as_ref().map(|all| all[place].clone());
    let dry: Vec<Dry<'_>> = one.change.iter().enumerate().map(|(place, step)| (step, would(place))).collect();
    let page = Page {
        title: &one.title,
        under: "/recommendations",
        caller: &caller,
        fixed: fixed(&one),
        address: &address(&one),
        live: live(&one, &dry, &stands, caller.rights, now),
        below: below(&one, made, now),
    };
    Ok(page.show(wanted))
}

pub(super) fn fixed(one: &Recommendation) -> Markup {
    html! {
        h1.name title=(one.title) { (one.title) }
        @for reason in &one.because { p { (reason) } }
    }
}

pub(super) fn live(one: &Recommendation, dry: &[Dry<'_>], stands: &Stands, rights: Rights, now: Timestamp) -> Markup {
    html! {
        div.line {
            (standing(stands, now))
            @if matches!(stands, Stands::Open) && rights >= Rights::Operate {
                form.buttons method="post" action="/recommendation/apply"
                    data-confirm="Apply it now? It is recorded that you agreed; Undo in the ledger takes it back." {
                    input type="hidden" name="id" value=(one.id);
                    button #apply { "Apply" }
                }
            }
        }
        h2 { @if matches!(stands, Stands::Elsewhere) { "What is to be done" } @else { "What it would change here" } }
        @match stands {
            Stands::Applied(_) => p { "It is applied. The ledger tells what it has brought, and takes it back." },
            Stands::Holds => p { "Nothing: all of it is set so already." },
            Stands::Elsewhere => p { "Trimtab does not steer what it is done to. Do this there:" },
            Stands::Unclear(why) => p { (words::sentence(why)) " Run " code { "trimtab optimize" } " again." },
            Stands::Changed(since) => {
                p {
                    "It cannot be applied: the rules are not those that it was proved against, and its undo would not bring them back. Run "
                    code { "trimtab optimize" } " again. When it was proved, this was otherwise:"
                }
                (table(since, ["Setting", "Now", "In the proof"]))
            }
            Stands::Open => {}
        }
        @if !matches!(stands, Stands::Applied(_) | Stands::Holds | Stands::Changed(_)) {
            @for (step, differences) in dry {
                @match differences {
                    None => { p.quiet { "In " (step.system) ":" } pre { (step.text) } },
                    Some(differences) if differences.is_empty() => p.quiet { code { (step.text) } " changes nothing." },
                    Some(differences) => (table(differences, ["Setting", "Now", "Then"])),
                }
            }
        }
    }
}

fn table(differences: &[Difference], head: [&str; 3]) -> Markup {
    html! {
        div.scroll { table.dry {
            thead { tr { @for head in head { th { (head) } } } }
            tbody { @for one in differences {
                tr { th scope="row" { (one.of) ": " (one.setting) } td { (one.now) } td { b { (one.then) } } }
            } }
        } }
    }
}

pub(super) fn below(one: &Recommendation, made: Option<Timestamp>, now: Timestamp) -> Markup {
    html! {
        div.columns {
            section { h2 { "What it brings" } (brings(one)) }
            section {
                h2 { "Who fares worse" }
                @if one.worse_for.is_empty() { p { "No queue, by a minute or more on average." } }
                ul { @for worse in &one.worse_for { li { (words::sentence(worse)) } } }
                @if !one.risks.is_empty() {
                    h2 { "What may be different in life" }
                    ul { @for risk in &one.risks { li { (risk) } } }
                }
            }
        }
        section {
            h2 { "To the letter" }
            @if let Some(made) = made.filter(|_| !is_shown_by_test(one)) { p.quiet { "Proved " (words::ago(made, now)) " by " code { "trimtab optimize" } "." } }
            (exact(one))
        }
        p { a href="/recommendations" { "All recommendations" } }
    }
}

/// `12,345 hours`, `1.5 hours`.
fn some_hours(hours: f64) -> String {
    let figure = if hours < 100.0 { words::figure(hours) } else { grouped(hours.round() as i64) };
    format!("{figure} hours")
}

fn brings(one: &Recommendation) -> Markup {
    let (effect, worth) = (&one.effect, &one.worth);
    let seconds = |seconds: f64| words::whole_seconds(Millis((seconds * 1_000.0) as i64));
    html! {
        p { (words::sentence(&ledger::effect(effect))) }
        dl.facts {
            @if let Some((before, after)) = effect.p95_wait_s.filter(|_| !effect.leaves_waits()) {
                dt { "95 of 100 wait at most" } dd { (seconds(before)) " → " (seconds(after)) }
            }
            @if !is_shown_by_test(one) {
                dt { "Wait less by a minute" } dd { (words::some(effect.better, "workload")) }
                dt { "Wait more by a minute" } dd { (words::some(effect.worse, "workload")) }
            }
            @if let Some(cash) = worth.cash_saved_per_month { dt { "Cash saved" } dd { (cash) " a month" } }
            @if let Some(price) = worth.purchase_avoided_per_hour { dt { "Purchase avoided" } dd { (price) " an hour" } }
            @if let Some(freed) = worth.capacity_freed_hours_per_month {
                dt { "Capacity freed" } dd { (some_hours(freed.value.max(0.0))) " a month" }
            }
        }
    }
}

pub(super) async fn apply(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(which): Form<Which>,
) -> Result<Redirect, Refusal> {
    agree::apply(&state, which.id, caller.name).await?;
    Ok(Redirect::to("/ledger"))
}
