//! Queues: what each may use, uses and waits for.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State as Extract;
use fleet::history::QueueRecord;
use fleet::quantity::MilliDevice;
use maud::{Markup, html};
use store::{Counts, State as Standing};

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::words;
use crate::access::Caller;
use crate::api::reading;
use crate::running;
use crate::state::State;

pub(super) struct Queue {
    pub(super) rules: QueueRecord,
    pub(super) counts: Counts,
    /// Thousandths of what is metered.
    pub(super) used: u64,
}

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
) -> Result<Markup, Refusal> {
    let (queues, noun) = reading(move || {
        let reader = &state.reader;
        let devices = reader.nodes()?.iter().any(|node| node.facts.devices > 0);
        let mut used: BTreeMap<String, u64> = BTreeMap::new();
        for row in running::rows(reader)? {
            let whole = running::whole(&row);
            *used.entry(row.queue).or_default() += if devices { whole.devices.0 } else { whole.cpu.0 };
        }
        let queue = |rules: QueueRecord| {
            let counts = reader.counts(Some(&rules.name))?;
            Ok(Queue { used: used.get(&rules.name).copied().unwrap_or(0), counts, rules })
        };
        let queues =
            crate::queues::all(reader)?.into_iter().map(queue).collect::<Result<Vec<_>, crate::failure::Failure>>()?;
        Ok((queues, if devices { "devices" } else { "cores" }))
    })
    .await?;
    let (fixed, live) =
        (html! { h1 { "Queues" } p.quiet { "Quotas, limits and use are counted in " (noun) "." } }, table(&queues));
    let below = html! { p.quiet { "Rules are set with " code { "trimtab queues set NAME" } "; what a queue has no number for is not limited." } };
    Ok(Page { title: "Queues", under: "/queues", caller: &caller, fixed, address: "/queues", live, below }.show(wanted))
}

pub(super) fn table(queues: &[Queue]) -> Markup {
    let amount = |amount: Option<MilliDevice>| amount.map_or_else(none, |amount| words::thousandths(amount.0));
    html! {
        div.scroll { table {
            thead { tr {
                th { "Queue" } th.n { "Uses" } th.n { "Quota" } th.n { "Limit" } th.n { "Running" } th.n { "Most running" } th.n { "Waiting" } th.n { "Held" } th.n { "Priority" }
            } }
            tbody { @for queue in queues {
                @let of = |state: Standing| queue.counts.get(&state).copied().unwrap_or(0);
                tr {
                    td.name title=(queue.rules.name) { a href=(listed(queue, None)) { (queue.rules.name) } }
                    td.n { (words::thousandths(queue.used)) }
                    td.n { (amount(queue.rules.quota_milli)) }
                    td.n { (amount(queue.rules.limit_milli)) }
                    td.n { a href=(listed(queue, Some("running"))) { (words::count(of(Standing::Running) + of(Standing::Starting))) } }
                    td.n { (queue.rules.limit_running.map_or_else(none, |limit| words::count(limit.into()))) }
                    td.n { a href=(listed(queue, Some("waiting"))) { (words::count(of(Standing::Waiting))) } }
                    td.n { (words::count(of(Standing::Held) + of(Standing::BackingOff))) }
                    td.n { (queue.rules.priority) }
                }
            } }
        } }
    }
}

fn none() -> String {
    "none".into()
}

fn listed(queue: &Queue, state: Option<&str>) -> String {
    words::address("/jobs", &[("state", state), ("queue", Some(&queue.rules.name))])
}
