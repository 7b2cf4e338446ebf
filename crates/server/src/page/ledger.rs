//! What was promised, beside what was measured, and the button that takes it back.

use axum::Extension;
use axum::extract::State as Extract;
use axum::response::Redirect;
use control::Rule;
use fleet::quantity::Millis;
use fleet::recommendation::Effect;
use fleet::time::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use store::{Consent, LedgerLine};

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::{Form, words};
use crate::access::{Caller, Rights};
use crate::agree;
use crate::api::reading;
use crate::dry_run::Difference;
use crate::recommended::{self, Ground};
use crate::state::{RuleOf, State};

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
) -> Result<Markup, Refusal> {
    let lines = reading(move || {
        let ground = Ground::read(&state.reader)?;
        let line = |line: LedgerLine| {
            let undo = undo_of(&line.consent, state.rule_of).map(|rules| ground.would_change(&rules).concat());
            Line { line, undo }
        };
        Ok(state.reader.ledger()?.into_iter().map(line).collect::<Vec<_>>())
    })
    .await?;
    let (fixed, live) = (html! { h1 { "Ledger" } }, ledger(&lines, caller.rights, words::now()));
    let page = Page {
        title: "Ledger",
        under: "/ledger",
        caller: &caller,
        fixed,
        address: "/ledger",
        live,
        below: Markup::default(),
    };
    Ok(page.show(wanted))
}

/// What would take a consent back, if it is in force and that can be done here.
fn undo_of(consent: &Consent, rule_of: RuleOf) -> Option<Vec<Rule>> {
    let open = consent.undone.is_none() && consent.recommendation.is_ours();
    open.then(|| recommended::rules(&consent.recommendation.undo, rule_of).ok()).flatten()
}

/// A line, and what taking it back would change, if it can be.
pub(super) struct Line {
    pub(super) line: LedgerLine,
    pub(super) undo: Option<Vec<Difference>>,
}

pub(super) fn ledger(lines: &[Line], rights: Rights, now: Timestamp) -> Markup {
    if lines.is_empty() {
        return html! {
            div.empty {
                p { "No recommendation was applied yet. " a href="/recommendations" { "See what is recommended" } }
                p { "What one promised, and what was measured after it, will stand here side by side." }
            }
        };
    }
    html! {
        div.scroll { table.ledger {
            thead { tr { th { "What was done" } th { "Agreed" } th { "Promised" } th { "Measured" } th { "Taken back" } } }
            tbody { @for line in lines.iter().rev() { (row(line, rights, now)) } }
        } }
    }
}

fn row(Line { line, undo }: &Line, rights: Rights, now: Timestamp) -> Markup {
    let consent = &line.consent;
    html! {
        tr {
            td.name title=(consent.recommendation.title) { (consent.recommendation.title) }
            td { (words::ago(consent.at, now)) " by " (consent.who) }
            td { (effect(&line.promised)) }
            td {
                @match &line.measured {
                    Some((at, measured)) => { (effect(measured)) ", " span.quiet { (words::ago(*at, now)) } },
                    None => span.quiet { "not yet known" },
                }
            }
            td {
                @match (&consent.undone, undo) {
                    (Some((at, who)), _) => { (words::ago(*at, now)) " by " (who) },
                    (None, Some(undo)) if rights >= Rights::Operate => (button(consent, undo)),
                    (None, _) => "–",
                }
            }
        }
    }
}

fn button(consent: &Consent, undo: &[Difference]) -> Markup {
    let changes: Vec<String> = undo.iter().map(ToString::to_string).collect();
    let changes = if changes.is_empty() { "Nothing changes: it is set so already.".into() } else { changes.join("\n") };
    html! {
        form method="post" action="/ledger/undo" data-confirm={ "Take it back?\n" (changes) } {
            input type="hidden" name="consent" value=(consent.id.0);
            button #{ "undo" (consent.id.0) } title=(changes) { "Undo" }
        }
    }
}

/// Which consent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    consent: i64,
}

pub(super) async fn undo(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(which): Form<Which>,
) -> Result<Redirect, Refusal> {
    agree::undo(&state, which.consent, caller.name).await?;
    Ok(Redirect::to("/ledger"))
}

/// What it does to the mean wait, and how sure that is.
pub(super) fn effect(effect: &Effect) -> String {
    let seconds = |seconds: f64| words::whole_seconds(Millis((seconds * 1_000.0).abs() as i64));
    if effect.leaves_waits() {
        return "nobody waits less or longer".into();
    }
    let wait = effect.wait_s.map(|wait| {
        let way = |seconds: f64| if seconds <= 0.0 { "shorter" } else { "longer" };
        let (near, far) = (wait.low.abs().min(wait.high.abs()), wait.low.abs().max(wait.high.abs()));
        let signs = wait.low <= 0.0 && wait.high >= 0.0;
        let sure = if signs {
            let (low, high) = (wait.low, wait.high);
            format!("{} {} to {} {}", seconds(low), way(low), seconds(high), way(high))
        } else {
            format!("{} to {}", seconds(near), seconds(far))
        };
        format!("mean wait {} {} ({sure})", seconds(wait.value), way(wait.value))
    });
    wait.unwrap_or_else(|| "the wait is not known".into())
}
