//! What is wrong, and was: a page of its own, the first few on the overview, and those of a job on its page.

use axum::Extension;
use axum::extract::State as Extract;
use fleet::finding::Confidence;
use fleet::ids::WorkloadId;
use fleet::kept_finding::FindingState;
use fleet::time::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use store::{FindingQuery, Reader};

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::{Query, words};
use crate::access::Caller;
use crate::api::reading;
use crate::failure::Failure;
use crate::found::{self, Cost, Found};
use crate::state::State;

/// A page shows so many.
const ROWS_MAX: usize = 200;
/// The overview shows so many.
const SHORT: usize = 5;

/// Which are shown.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    #[serde(default)]
    state: String,
    #[serde(default)]
    workload: String,
}

impl Filter {
    fn query(&self, now: Timestamp) -> Result<FindingQuery, Failure> {
        let state = match self.state.as_str() {
            "" => Some(FindingState::Open),
            "all" => None,
            name => Some(
                FindingState::named(name).ok_or_else(|| Failure::bad(format!("there is no state `{name}`"), None))?,
            ),
        };
        let workload = match self.workload.trim() {
            "" => None,
            id => Some(WorkloadId(id.parse().map_err(|_| Failure::bad(format!("`{id}` is no workload's id"), None))?)),
        };
        Ok(FindingQuery { state, workload, now, limit: ROWS_MAX })
    }

    fn address(&self) -> String {
        let part = |text: &'_ str| if text.is_empty() { None } else { Some(text.to_owned()) };
        let (state, workload) = (part(&self.state), part(&self.workload));
        words::address("/findings", &[("state", state.as_deref()), ("workload", workload.as_deref())])
    }
}

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
    Query(filter): Query<Filter>,
) -> Result<Markup, Refusal> {
    let now = words::now();
    let query = filter.query(now)?;
    let found = reading(move || found::list(&state.reader, &query)).await?;
    let address = filter.address();
    let page = Page {
        title: "Findings",
        under: "/findings",
        caller: &caller,
        fixed: form(&filter),
        address: &address,
        live: listed(&found, &filter, now),
        below: Markup::default(),
    };
    Ok(page.show(wanted))
}

fn listed(found: &[Found], filter: &Filter, now: Timestamp) -> Markup {
    if found.is_empty() {
        return nothing(filter);
    }
    let more = if found.len() == ROWS_MAX { ", the latest" } else { "" };
    html! {
        p.quiet { (words::some(found.len() as u64, "finding")) (more) }
        (table(found, now))
    }
}

fn form(filter: &Filter) -> Markup {
    let named = |value: &str, text: &str| {
        html! { option value=(value) selected[filter.state == value] { (text) } }
    };
    html! {
        h1 { "Findings" }
        form.filter method="get" action="/findings" role="search" {
            label { "State"
                select name="state" {
                    (named("", "open"))
                    (named("muted", "muted"))
                    (named("closed", "over"))
                    (named("all", "any"))
                }
            }
            label { "Workload" input name="workload" value=(filter.workload) size="8" inputmode="numeric"; }
            button { "Show" }
        }
    }
}

fn nothing(filter: &Filter) -> Markup {
    html! {
        div.empty {
            @if filter.state.is_empty() && filter.workload.is_empty() {
                p { "Nothing is wrong that is known." }
                p {
                    "Training that tells its steps is watched: " code { "for batch in tt.StepClock().steps(loader)" }
                    " in its loop is enough, and what runs here is told where to tell them. A job is held against its own past; "
                    "what makes it slower, or stops it, stands here within seconds."
                }
            } @else {
                p { "No finding is like that. " a href="/findings?state=all" { "Show all" } }
            }
        }
    }
}

/// What is open, for the overview; nothing where nothing is.
pub(super) fn short(reader: &Reader, now: Timestamp) -> Result<Vec<Found>, Failure> {
    found::list(reader, &FindingQuery { limit: SHORT + 1, ..FindingQuery::of(FindingState::Open, now) })
}

/// The same, in words.
pub(super) fn section(found: &[Found], now: Timestamp) -> Markup {
    let more = found.len() > SHORT;
    html! {
        @if !found.is_empty() {
            section.findings {
                h2 { "What is wrong now" }
                (table(&found[..found.len().min(SHORT)], now))
                @if more { p { a href="/findings" { "All findings" } } }
            }
        }
    }
}

/// What is wrong with a job, and a way to what was.
pub(super) fn of_job(found: &[Found], id: u32, now: Timestamp) -> Markup {
    let open: Vec<Found> = found.iter().filter(|found| found.state != FindingState::Closed).cloned().collect();
    let all = words::address("/findings", &[("state", Some("all")), ("workload", Some(&id.to_string()))]);
    html! {
        @if !found.is_empty() {
            section.findings {
                h2 { "What is wrong with it" }
                @if open.is_empty() { p { "Nothing any more." } } @else { (table(&open, now)) }
                @if open.len() < found.len() {
                    p { a href=(all) { (words::some((found.len() - open.len()) as u64, "finding")) " of before" } }
                }
            }
        }
    }
}

/// A table of findings.
pub(super) fn table(found: &[Found], now: Timestamp) -> Markup {
    html! {
        div.scroll { table.found {
            thead { tr {
                th { "What is wrong" } th { "State" } th { "Since" } th { "How sure" } th { "Without it" } th { "Costs a day" } th.n { "Job" }
            } }
            tbody { @for one in found { (row(one, now)) } }
        } }
    }
}

fn row(found: &Found, now: Timestamp) -> Markup {
    let kept = &found.kept;
    html! {
        tr {
            td.said {
                a href={ "/findings/" (kept.id.0) } { (kept.finding.verdict) }
                @if let Some(node) = kept.finding.place("node") {
                    " " span.quiet {
                        "on " (node)
                        @if let Some(heard) = found.unheard { ", which was last heard " (words::ago(heard, now)) }
                    }
                }
            }
            td { (badge(found.state)) }
            td { (words::ago(kept.since(), now)) }
            td { (sure(kept.finding.confidence)) }
            td { @match kept.finding.speedup { Some(speedup) => (faster(speedup.value)), None => "–" } }
            td { @match &found.cost { Some(cost) => (self::cost(cost)), None => "–" } }
            td.n { @match kept.workload { Some(id) => a href={ "/jobs/" (id.0) } { (id.0) }, None => "–" } }
        }
    }
}

pub(super) fn badge(state: FindingState) -> Markup {
    let words = if state == FindingState::Closed { "over" } else { state.name() };
    html! { span class={ "state " (state.name()) } { (words) } }
}

pub(super) fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Possible => "possible",
        Confidence::Likely => "likely",
        Confidence::Certain => "certain",
    }
}

/// How many times as fast steps would be.
pub(super) fn faster(times: f64) -> String {
    format!("{} × as fast", words::figure(times))
}

pub(super) fn cost(cost: &Cost) -> String {
    let hours = words::figure(cost.device_hours_a_day);
    let money = cost.money_a_day.map_or_else(String::new, |money| format!(", {money}"));
    format!("{hours} device-hours{money}")
}
