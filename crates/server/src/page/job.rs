//! One workload: what became of it, why it waits, what it asked for and used, what it wrote.

mod facts;
pub(super) mod start;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use axum::Extension;
use axum::extract::State as Extract;
use axum::response::Redirect;
use control::Input;
use fleet::ids::{NodeId, WorkloadId};
use fleet::live::{Entry, Live, Logged, Phase};
use fleet::time::Timestamp;
use maud::{Markup, html};
use store::{FindingQuery, Reader, State as Standing};

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::{Part, findings, words};
use crate::access::{Caller, Rights};
use crate::api::{Output, Reasons, absent, read_log, reading, reasons_of};
use crate::failure::Failure;
use crate::found;
use crate::logs_kept::LogsKept;
use crate::state::State;

/// The most entries of the timeline.
const ENTRIES_MAX: usize = 200;
/// The most findings that are counted.
const FINDINGS_MAX: usize = 200;

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
    Part(id): Part<u32>,
) -> Result<Markup, Refusal> {
    let (reader, kept) = (state.reader.clone(), state.clone());
    let now = words::now();
    let (job, entries, names, log, found) = reading(move || {
        let live = reader.workload(WorkloadId(id))?.ok_or_else(|| absent(id))?;
        let entries = reader.entries_of(WorkloadId(id))?;
        let names = names(&reader, &entries)?;
        let attempt = live.runs.len() as u32;
        let log =
            if attempt == 0 || wanted == Wanted::Part { None } else { Some(read_log(&kept, &live, attempt, None)?) };
        let query = FindingQuery { state: None, workload: Some(WorkloadId(id)), now, limit: FINDINGS_MAX };
        Ok((live, entries, names, log, found::list(&reader, &query)?))
    })
    .await?;
    let why = if job.is_finished() || job.phase == Phase::Running { None } else { reasons_of(&state, id).await.ok() };
    let title = called(&job);
    let wrong = findings::of_job(&found, id, now);
    let live = changing(&job, &timeline(&entries, &names), why.as_ref(), &wrong, &caller, now);
    let address = format!("/jobs/{id}");
    let fixed = html! { h1.name title=(title) { (title) } };
    let below = written(&job, log.as_ref(), &state.logs);
    Ok(Page { title: &title, under: "/jobs", caller: &caller, fixed, address: &address, live, below }.show(wanted))
}

/// What the nodes are called that the entries speak of.
fn names(reader: &Reader, entries: &[Logged]) -> Result<BTreeMap<NodeId, String>, Failure> {
    let slots = |logged: &Logged| match &logged.entry {
        Entry::Decided { slots, .. } => slots.iter().map(|slot| slot.node).collect(),
        _ => Vec::new(),
    };
    let wanted: BTreeSet<NodeId> = entries.iter().flat_map(slots).collect();
    let nodes = if wanted.is_empty() { Vec::new() } else { reader.nodes()? };
    let nodes = nodes.into_iter().filter(|node| wanted.contains(&node.id));
    Ok(nodes.map(|node| (node.id, node.facts.name)).collect())
}

fn called(job: &Live) -> String {
    job.submission.name.clone().unwrap_or_else(|| job.submission.command.join(" "))
}

fn changing(
    job: &Live,
    timeline: &Markup,
    why: Option<&Reasons>,
    wrong: &Markup,
    caller: &Caller,
    now: Timestamp,
) -> Markup {
    html! {
        div.line {
            (words::badge(Standing::of(job.phase)))
            span.quiet { "workload " (job.id.0) ", handed in " (words::ago(job.submitted, now)) " by " (job.by) }
            @if caller.rights >= Rights::Operate { (buttons(job)) }
        }
        @if let Some(reason) = &job.reason { p { "Over because: " (reason) "." } }
        @if let Some(why) = why { (because(why, job)) }
        (wrong)
        div.columns {
            section { h2 { "Asked and used" } (facts::facts(job, now)) }
            section { h2 { "What happened, in UTC" } (timeline) }
        }
    }
}

fn buttons(job: &Live) -> Markup {
    let id = job.id.0;
    let button = |action: &str, words: &str, question: &str| {
        html! {
            form method="post" action={ "/jobs/" (id) "/" (action) } data-confirm=(question) { button #(action) { (words) } }
        }
    };
    html! {
        @if !job.is_finished() && job.stopping.is_none() {
            div.buttons {
                @if job.phase == Phase::Running {
                    (button("requeue", "Requeue", "Ask it to stop, and run it again later?"))
                }
                (button("cancel", "Cancel", "Stop it for good?"))
            }
        }
        @if job.stopping.is_some() { span.quiet { "asked to stop" } }
    }
}

fn because(why: &Reasons, job: &Live) -> Markup {
    let (id, waits) = (job.id.0, job.phase == Phase::Waiting);
    html! {
        section.why {
            h2 { "Why it has not started" }
            p { (words::sentence(&why.summary)) }
            @for needed in &why.needed { p.quiet { "What would let it start: " (needed) "." } }
            @if waits { (start::place(id)) }
        }
    }
}

pub(super) fn timeline(entries: &[Logged], names: &BTreeMap<NodeId, String>) -> Markup {
    let hidden = entries.len().saturating_sub(ENTRIES_MAX);
    html! {
        @if hidden > 0 { p.quiet { "The first " (words::count(hidden as u64)) " entries are left out." } }
        ol.timeline {
            @for logged in &entries[hidden..] {
                li { time datetime=(logged.at) { (told::moment(logged.at)) } " " (told::told(&logged.entry, names)) }
            }
        }
    }
}

fn written(job: &Live, log: Option<&Output>, kept: &LogsKept) -> Markup {
    let id = job.id.0;
    html! {
        section.log {
            h2 { "Log" }
            @match log {
                None => p.quiet { "It has not run yet." },
                Some(Output::LetGo) => {
                    p { "Its log is no longer kept." }
                    p.quiet { (words::sentence(&kept.why_gone())) }
                }
                Some(Output::Kept { bytes, next }) => {
                    pre tabindex="0" aria-label="What it wrote last" data-log={ "/api/v1/workloads/" (id) "/log" } data-next=(next)
                        data-over=[job.is_finished().then_some("yes")] { (String::from_utf8_lossy(bytes)) }
                    p.quiet.hint { "The last part; " code { "trimtab logs " (id) } " prints all of it." }
                }
            }
        }
    }
}

pub(super) async fn cancel(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<u32>,
) -> Result<Redirect, Refusal> {
    state.plane.hear(Input::Cancel { workload: WorkloadId(id), by: caller.name }).await?;
    Ok(Redirect::to(&format!("/jobs/{id}")))
}

pub(super) async fn requeue(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<u32>,
) -> Result<Redirect, Refusal> {
    state.plane.hear(Input::Preempt { workload: WorkloadId(id), by: caller.name }).await?;
    Ok(Redirect::to(&format!("/jobs/{id}")))
}
