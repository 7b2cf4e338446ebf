//! What was promised, beside what was measured.

use axum::Extension;
use axum::extract::State as Extract;
use fleet::quantity::Millis;
use fleet::recommendation::Effect;
use fleet::time::Timestamp;
use maud::{Markup, html};
use store::LedgerLine;

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::words;
use crate::access::Caller;
use crate::api::reading;
use crate::state::State;

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
) -> Result<Markup, Refusal> {
    let lines = reading(move || Ok(state.reader.ledger()?)).await?;
    let (fixed, live) = (html! { h1 { "Ledger" } }, ledger(&lines, words::now()));
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

pub(super) fn ledger(lines: &[LedgerLine], now: Timestamp) -> Markup {
    if lines.is_empty() {
        return html! {
            div.empty {
                p { "No recommendation was applied yet." }
                p { "What one promised, and what was measured after it, will stand here side by side." }
            }
        };
    }
    html! {
        div.scroll { table {
            thead { tr { th { "What was done" } th { "Agreed" } th { "Promised" } th { "Measured" } th { "Taken back" } } }
            tbody { @for line in lines.iter().rev() { (row(line, now)) } }
        } }
    }
}

fn row(line: &LedgerLine, now: Timestamp) -> Markup {
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
                @match &consent.undone {
                    Some((at, who)) => { (words::ago(*at, now)) " by " (who) },
                    None => "–",
                }
            }
        }
    }
}

/// What it does to the mean wait, and how sure that is.
pub(super) fn effect(effect: &Effect) -> String {
    let seconds = |seconds: f64| words::whole_seconds(Millis((seconds * 1_000.0).abs() as i64));
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
