//! Workloads, newest first, a page at a time.

use axum::Extension;
use axum::extract::State as Extract;
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use store::{Query as Asked, Row, State as Standing};

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::{Query, words};
use crate::access::Caller;
use crate::api::reading;
use crate::failure::Failure;
use crate::state::State;

/// Rows of a page.
const ROWS: usize = 50;

/// What is listed. What is empty in the form is not asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Filter {
    state: String,
    queue: String,
    user: String,
    text: String,
    before: Option<u32>,
}

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
    Query(filter): Query<Filter>,
) -> Result<Markup, Refusal> {
    let query = filter.query()?;
    let reader = state.reader.clone();
    let page = reading(move || Ok(reader.page(&query)?)).await?;
    let address = filter.address(filter.before);
    let live = live(&filter, &page, words::now());
    let (fixed, below) = (form(&filter), Markup::default());
    Ok(Page { title: "Jobs", under: "/jobs", caller: &caller, fixed, address: &address, live, below }.show(wanted))
}

impl Filter {
    fn query(&self) -> Result<Asked, Failure> {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let states =
            match self.state.as_str() {
                "" => Vec::new(),
                "open" => Standing::ALL.into_iter().filter(|state| !state.is_finished()).collect(),
                name => vec![Standing::parse(name).ok_or_else(|| {
                    Failure::bad(format!("there is no state `{name}`"), Some("choose one of the list"))
                })?],
            };
        let (queue, user, text) = (some(&self.queue), some(&self.user), some(&self.text));
        Ok(Asked { states, queue, user, text, before: self.before.map(WorkloadId), limit: ROWS })
    }

    /// The address of a page of what is listed.
    fn address(&self, before: Option<u32>) -> String {
        let some = |text: &'_ String| (!text.is_empty()).then(|| text.clone());
        let parts = [some(&self.state), some(&self.queue), some(&self.user), some(&self.text)];
        let before = before.map(|id| id.to_string());
        let [state, queue, user, text] = &parts;
        words::address(
            "/jobs",
            &[
                ("state", state.as_deref()),
                ("queue", queue.as_deref()),
                ("user", user.as_deref()),
                ("text", text.as_deref()),
                ("before", before.as_deref()),
            ],
        )
    }

    fn is_all(&self) -> bool {
        [&self.state, &self.queue, &self.user, &self.text].into_iter().all(String::is_empty)
    }
}

fn form(filter: &Filter) -> Markup {
    let named = |name: &str, words: &str| {
        html! { option value=(name) selected[filter.state == name] { (words) } }
    };
    html! {
        h1 { "Jobs" }
        form.filter method="get" action="/jobs" role="search" {
            label { "State"
                select name="state" {
                    (named("", "any"))
                    (named("open", "not over"))
                    @for state in Standing::ALL { (named(state.name(), &words::state(state))) }
                }
            }
            label { "Queue" input name="queue" value=(filter.queue) size="12"; }
            label { "User" input name="user" value=(filter.user) size="12"; }
            label { "Name or command" input type="search" name="text" value=(filter.text) size="20"; }
            button { "Show" }
            @if !filter.is_all() { a href="/jobs" { "Show all" } }
        }
    }
}

fn live(filter: &Filter, page: &store::Page, now: Timestamp) -> Markup {
    html! {
        p.quiet {
            @for (place, (state, count)) in page.counts.iter().enumerate() {
                @if place > 0 { ", " }
                (words::count(*count)) " " (words::state(*state))
            }
        }
        @if page.rows.is_empty() { (nothing(filter)) } @else { (table(&page.rows, now)) }
        nav.pages aria-label="Pages of the list" {
            @if filter.before.is_some() { a href=(filter.address(None)) { "Newest" } }
            @if let Some(next) = page.next { a href=(filter.address(Some(next.0))) rel="next" { "Older" } }
        }
    }
}

fn nothing(filter: &Filter) -> Markup {
    html! {
        div.empty {
            @if filter.before.is_some() {
                p { "There is nothing older." }
            } @else if filter.is_all() {
                p { "Nothing was handed in yet." }
                p { "Try " code { "trimtab submit -- echo hello" } " on this machine." }
            } @else {
                p { "No workload is like that. " a href="/jobs" { "Show all" } }
            }
        }
    }
}

/// A table of workloads.
pub(super) fn table(rows: &[Row], now: Timestamp) -> Markup {
    html! {
        div.scroll { table.jobs {
            thead { tr {
                th.n { "Id" } th { "Name" } th { "State" } th { "Queue" } th { "User" } th { "Asks for" } th { "Handed in" } th.n { "Ran" }
            } }
            tbody { @for row in rows { tr {
                td.n { a #{ "w" (row.id.0) } href={ "/jobs/" (row.id.0) } { (row.id.0) } }
                td.name title=(words::called(row)) { a href={ "/jobs/" (row.id.0) } tabindex="-1" { (words::called(row)) } }
                td { (words::badge(row.state)) }
                td.name title=(row.queue) { (row.queue) }
                td.name title=(row.user) { (row.user) }
                td { (words::resources(row.request)) }
                td { (words::ago(row.submitted, now)) }
                td.n { (ran(row, now)) }
            } } }
        } }
    }
}

/// How long the last run took, or has taken.
fn ran(row: &Row, now: Timestamp) -> String {
    match (row.state, row.started) {
        (Standing::Running, Some(started)) => words::whole_seconds(Millis((now.0 - started.0).max(0))),
        (Standing::Finished(_), Some(started)) => {
            let end = row.finished.unwrap_or(started);
            words::whole_seconds(Millis((end.0 - started.0).max(0)))
        }
        _ => "–".into(),
    }
}
