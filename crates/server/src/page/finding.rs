//! One finding: what is wrong, what shows it, what to do; and the form that mutes it.

mod charts;

use axum::extract::State as Extract;
use axum::response::Redirect;
use axum::{Extension, Json};
use fleet::finding::{Evidence, Finding, Place};
use fleet::ids::FindingId;
use fleet::kept_finding::{FindingState, KeptFinding};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::findings::{badge, cost, faster, sure};
use super::frame::{Page, Wanted};
use super::lines::Course;
use super::refusal::Refusal;
use super::{Form, Part, words};
use crate::access::{Caller, Rights};
use crate::api::reading;
use crate::found::{self, Found};
use crate::mute as muting;
use crate::state::State;

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
    Part(id): Part<u64>,
) -> Result<Markup, Refusal> {
    let (now, signals_of) = (words::now(), state.signals_of);
    let found = reading(move || found::find(&state.reader, id, now)).await?;
    let page = Page {
        title: &format!("Finding {id}"),
        under: "/findings",
        caller: &caller,
        fixed: html! { h1 { "Finding " (id) } },
        address: &format!("/findings/{id}"),
        live: told(&found, caller.rights, now),
        below: html! {
            (charts::section(&found.kept, signals_of(&found.kept.finding.rule)))
            @if caller.rights >= Rights::Operate && found.state == FindingState::Open { (mute_form(id)) }
            p { a href="/findings" { "All findings" } }
        },
    };
    Ok(page.show(wanted))
}

/// What was measured around it.
pub(super) async fn course(Extract(state): Extract<State>, Part(id): Part<u64>) -> Result<Json<Course>, Refusal> {
    let now = words::now();
    let course = reading(move || {
        let kept = found::find(&state.reader, id, now)?.kept;
        charts::course(&state.reader, &kept, (state.signals_of)(&kept.finding.rule), now)
    });
    Ok(Json(course.await?))
}

pub(super) fn told(found: &Found, rights: Rights, now: Timestamp) -> Markup {
    let (kept, finding) = (&found.kept, &found.kept.finding);
    html! {
        p.health { (finding.verdict) "." }
        div.line {
            (badge(found.state))
            span.quiet {
                "since " (words::ago(kept.since(), now)) ", " (sure(finding.confidence))
                @if let Some(closed) = kept.closed { ", over " (words::ago(closed, now)) }
            }
            @if found.state == FindingState::Muted && rights >= Rights::Operate { (unmute_form(kept.id)) }
        }
        @if let Some(heard) = found.unheard {
            p role="status" { "The agent that found it was last heard " (words::ago(heard, now)) ": whether it is still so is not known." }
        }
        (muted(found))
        div.columns {
            section { h2 { "Where, and what it costs" } (facts(found, now)) }
            section {
                h2 { "What to do" }
                @if finding.advice.is_empty() { p { "Nothing is known that would help." } }
                ol.advice { @for sentence in &finding.advice { li { (sentence) } } }
            }
        }
        section { h2 { "What shows it" } (evidence(finding)) }
    }
}

fn muted(found: &Found) -> Markup {
    html! {
        @if let Some(mute) = found.kept.mute.as_ref().filter(|_| found.state == FindingState::Muted) {
            p { "Muted by " (mute.by) " until " time datetime=(mute.until) { (mute.until) } ": " (mute.reason) }
        }
    }
}

fn facts(found: &Found, now: Timestamp) -> Markup {
    let KeptFinding { finding, workload, opened, seen, returns, .. } = &found.kept;
    let place = |place: &Place| format!("{} {}", place.kind.replace('_', " "), place.name);
    let places: Vec<String> = finding.places.iter().map(place).collect();
    html! {
        dl.facts {
            @if !places.is_empty() { dt { "Where" } dd { (places.join(", ")) } }
            @if let Some(id) = workload { dt { "Job" } dd { a href={ "/jobs/" (id.0) } { "workload " (id.0) } } }
            @if let Some(speedup) = finding.speedup {
                dt { "Without it" }
                dd {
                    "steps would be " (faster(speedup.value))
                    @if let Some(range) = speedup.range(words::figure) { " (" (range) ")" }
                }
            }
            @if let Some(realised) = finding.realised {
                dt { "When it was over" }
                dd { "steps became " (faster(realised)) }
            }
            dt { "Costs a day" }
            dd { @match &found.cost { Some(cost) => (self::cost(cost)), None => span.quiet { (unpriced(found)) } } }
            dt { "Found" } dd { (words::ago(*opened, now)) ", last " (words::ago(*seen, now)) }
            @if *returns > 0 { dt { "Came back" } dd { (words::some(u64::from(*returns), "time")) } }
            dt { "Rule" } dd { code { (finding.rule) } }
        }
    }
}

/// Why no cost is told.
fn unpriced(found: &Found) -> &'static str {
    match (found.state, found.kept.workload) {
        (FindingState::Closed, _) => "nothing any more",
        (_, None) => "unknown: it is about no workload of this installation",
        _ => "unknown: no devices are held by what is slow, or it is not known how slow that is",
    }
}

fn evidence(finding: &Finding) -> Markup {
    let figure = |of: &Evidence, value: f64| format!("{} {}", words::figure(value), of.unit).trim_end().to_owned();
    html! {
        @if finding.evidence.is_empty() { p { "The lines below, and nothing else." } } @else {
            div.scroll { table.evidence {
                thead { tr { th { "Measured" } th.n { "Now" } th { "Beside" } } }
                tbody { @for of in &finding.evidence { tr {
                    td.said { (of.what) }
                    td.n { (figure(of, of.value)) }
                    td { @if let Some(beside) = &of.beside { (beside.what) " " (figure(of, beside.value)) } }
                } } }
            } }
        }
    }
}

/// For how long one may mute, in hours, and what that is called.
const LENGTHS: &[(i64, &str)] =
    &[(1, "an hour"), (8, "8 hours"), (24, "a day"), (48, "2 days"), (7 * 24, "a week"), (30 * 24, "30 days")];
/// What is chosen if nothing else is.
const USUAL_HOURS: i64 = 24;

fn mute_form(id: u64) -> Markup {
    html! {
        section {
            h2 { "Mute" }
            p.quiet { "It is not shown among what is open until then, also if it is over and comes again. It is watched all the same." }
            form.filter method="post" action={ "/findings/" (id) "/mute" } {
                label { "Why nobody needs to hear of it" input name="reason" required maxlength="1000" size="40"; }
                label { "For"
                    select name="hours" {
                        @for (hours, words) in LENGTHS { option value=(hours) selected[*hours == USUAL_HOURS] { (words) } }
                    }
                }
                button #mute { "Mute" }
            }
        }
    }
}

fn unmute_form(id: FindingId) -> Markup {
    html! {
        form.buttons method="post" action={ "/findings/" (id.0) "/unmute" } { button #unmute { "Show it again" } }
    }
}

/// What the form sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Muting {
    reason: String,
    hours: u32,
}

pub(super) async fn mute(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<u64>,
    Form(form): Form<Muting>,
) -> Result<Redirect, Refusal> {
    let until = words::now() + Millis::hours(i64::from(form.hours));
    muting::mute(&state, FindingId(id), form.reason, until, caller.name).await?;
    Ok(Redirect::to(&format!("/findings/{id}")))
}

pub(super) async fn unmute(Extract(state): Extract<State>, Part(id): Part<u64>) -> Result<Redirect, Refusal> {
    muting::unmute(&state, FindingId(id)).await?;
    Ok(Redirect::to(&format!("/findings/{id}")))
}
