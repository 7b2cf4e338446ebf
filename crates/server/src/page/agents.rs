//! Agents on other machines: who is heard, how far behind each is, and what it found.

use axum::Extension;
use axum::extract::State as Extract;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::words;
use crate::access::Caller;
use crate::agents::{self, Agent};
use crate::api::reading;
use crate::state::State;

/// What is not older than this when an agent is heard is what it measured last: it reports every ten seconds.
const CAUGHT_UP: Millis = Millis::seconds(15);

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
) -> Result<Markup, Refusal> {
    let now = words::now();
    let agents = reading(move || agents::list(&state.reader, now)).await?;
    let live = if agents.is_empty() { nothing() } else { listed(&agents, now) };
    let (fixed, below) = (html! { h1 { "Agents" } }, Markup::default());
    Ok(Page { title: "Agents", under: "/agents", caller: &caller, fixed, address: "/agents", live, below }.show(wanted))
}

fn nothing() -> Markup {
    html! {
        div.empty {
            p { "No agent on another machine reports here yet." }
            p {
                "Start " code { "trimtab agent --report-to URL --token-file FILE" } " there, with the address of this server and a token that may "
                "report: a line " code { "report NODE SECRET" } " in the file that " code { "trimtab up --token-file" } " names. This machine is watched without one."
            }
        }
    }
}

fn listed(agents: &[Agent], now: Timestamp) -> Markup {
    let silent = agents.iter().filter(|agent| agent.is_silent).count() as u64;
    html! {
        p.quiet { (words::some(agents.len() as u64, "agent")) @if silent > 0 { ", " (words::count(silent)) " silent" } }
        (table(agents, now))
    }
}

pub(super) fn table(agents: &[Agent], now: Timestamp) -> Markup {
    html! {
        div.scroll { table.agents {
            thead { tr {
                th { "Node" } th { "State" } th { "Last heard" } th { "Behind" } th { "Clock" } th { "Version" } th.n { "Open findings" } th.n { "Reports lost" }
            } }
            tbody { @for agent in agents { (row(agent, now)) } }
        } }
    }
}

fn row(agent: &Agent, now: Timestamp) -> Markup {
    let stored = &agent.stored;
    let (state, word) = if agent.is_silent { ("lost", "silent") } else { ("usable", "heard") };
    let lost = stored.lost + stored.refused;
    html! {
        tr {
            td.name title=(stored.node) { (stored.node) }
            td { span class={ "state " (state) } { (word) } }
            td { (words::ago(stored.heard, now)) }
            td { (behind(stored.behind())) }
            td { (clock(agent.clock_off())) }
            td { (stored.version) }
            td.n { @if agent.open > 0 { a href="/findings" { (words::count(agent.open)) } } @else { "0" } }
            td.n { (words::count(lost)) }
        }
    }
}

/// How old its last report was when it was heard last.
fn behind(behind: Option<Millis>) -> String {
    match behind {
        None => "no report yet".into(),
        Some(behind) if behind <= CAUGHT_UP => "–".into(),
        Some(behind) => words::whole_seconds(behind),
    }
}

fn clock(off: Option<Millis>) -> String {
    match off {
        None => "–".into(),
        Some(off) if off.0 > 0 => format!("{} ahead", words::whole_seconds(off)),
        Some(off) => format!("{} behind", words::whole_seconds(Millis(-off.0))),
    }
}
