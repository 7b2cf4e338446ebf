//! Why a workload has not started, what would let it, and when that is expected.

use allocate::{Limit, Reason};
use axum::extract::State as Extract;
use axum::{Extension, Json};
use control::Why;
use fleet::ids::WorkloadId;
use fleet::live::Phase;
use serde::Serialize;
use utoipa::ToSchema;

use super::workloads::absent;
use super::{Part, reading};
use crate::failure::{Failure, Problem};
use crate::foresee::{ExpectedStart, Foreseen};
use crate::plane::Told;
use crate::state::State;

/// Why a workload has not started.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Reasons {
    /// In one word: `held`, `backing_off`, `limit_queue`, `limit_queue_running`, `limit_user`, `limit_user_running`, `impossible`,
    /// `too_little_free`, `pieces`, `kept_for_others`, `starting`, `running`; absent: it is over.
    pub(crate) reason: Option<&'static str>,
    /// In one sentence.
    pub(crate) summary: String,
    /// What would let it start.
    pub(crate) needed: Vec<String>,
    /// The workloads that it waits for, or for which room is kept before it.
    pub(crate) workloads: Vec<u32>,
    /// The last entry of the log when this was so.
    pub(crate) as_of: Option<u64>,
    /// When it is expected to start, for one that waits.
    pub(crate) expected_start: Option<ExpectedStart>,
}

/// Why a workload has not started, and what would let it.
#[utoipa::path(get, path = "/api/v1/workloads/{id}/why", params(("id" = u32, Path)), responses((status = 200, body = Reasons), (status = 404, body = Problem)))]
pub(crate) async fn why(
    Extract(state): Extract<State>,
    Extension(foreseen): Extension<Foreseen>,
    Part(id): Part<u32>,
) -> Result<Json<Reasons>, Failure> {
    let told = state.plane.why(WorkloadId(id)).await?;
    let waits = matches!(&told, Some(Told { why: Why::Waiting { .. }, .. }));
    let mut reasons = in_words(&state, id, told).await?;
    if waits {
        reasons.expected_start = Some(foreseen.start_of(&state.plane, WorkloadId(id)).await?);
    }
    Ok(Json(reasons))
}

/// The same without a look ahead, for whoever asks again and again.
pub(crate) async fn reasons_of(state: &State, id: u32) -> Result<Reasons, Failure> {
    let told = state.plane.why(WorkloadId(id)).await?;
    in_words(state, id, told).await
}

async fn in_words(state: &State, id: u32, told: Option<Told>) -> Result<Reasons, Failure> {
    if let Some(Told { why, stored }) = told {
        return Ok(Reasons { as_of: Some(stored), ..reasons(why) });
    }
    let reader = state.reader.clone();
    let live = reading(move || Ok(reader.workload(WorkloadId(id))?)).await?.ok_or_else(|| absent(id))?;
    let summary = match (live.phase, live.reason) {
        (Phase::Finished { cause }, Some(reason)) => format!("it is over: {}: {reason}", cause.words()),
        (Phase::Finished { cause }, None) => format!("it is over: {}", cause.words()),
        _ => "it was taken in a moment ago".into(),
    };
    Ok(Reasons { summary, ..Reasons::default() })
}

fn reasons(why: Why) -> Reasons {
    let list = |ids: &[WorkloadId]| ids.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(", ");
    let said = |reason, summary: String| Reasons { reason: Some(reason), summary, ..Reasons::default() };
    match why {
        Why::Held(on) => {
            let needed = vec![format!("workload {} completes", list(&on))];
            let summary = format!("it waits for workload {} to complete", list(&on));
            Reasons { needed, workloads: numbers(&on), ..said("held", summary) }
        }
        Why::BackingOff { failures, after } => {
            let summary = format!("it failed {failures} times and is tried again later");
            let needed = vec![format!("the wait after the last failure passes, at {after}")];
            Reasons { needed, ..said("backing_off", summary) }
        }
        Why::Waiting { reason, kept, kept_for, drained, unfit } => {
            let (word, summary, needed) = waiting(reason);
            let mut needed = vec![needed.to_owned()];
            if !kept_for.is_empty() {
                needed.push(format!("workload {}, for which room is kept, starts or is gone", list(&kept_for)));
            }
            needed
                .extend(kept.map(|(at, _)| format!("the room that is kept for it is free, which is expected at {at}")));
            let out = drained.iter().map(|node| format!("{node} is used again, which is drained"));
            needed.extend(out);
            needed.extend(unfit.iter().map(|node| {
                format!("{node} is used again, which failed its self-test: it passes, or somebody answers (trimtab findings)")
            }));
            Reasons { needed, workloads: numbers(&kept_for), ..said(word, summary.to_owned()) }
        }
        Why::Starting => said("starting", "it is being started".to_owned()),
        Why::Running => said("running", "it runs".to_owned()),
    }
}

fn numbers(ids: &[WorkloadId]) -> Vec<u32> {
    ids.iter().map(|id| id.0).collect()
}

/// In one word, in a sentence, and what is needed.
fn waiting(reason: Reason) -> (&'static str, &'static str, &'static str) {
    match reason {
        Reason::Limit(Limit::Queue) => {
            ("limit_queue", "its queue is at its limit", "something of its queue ends, or the limit is raised")
        }
        Reason::Limit(Limit::QueueRunning) => (
            "limit_queue_running",
            "its queue runs as many workloads as it may",
            "one of its queue ends, or the limit is raised",
        ),
        Reason::Limit(Limit::User) => (
            "limit_user",
            "its user is at the queue's limit per user",
            "something of its user ends, or the limit is raised",
        ),
        Reason::Limit(Limit::UserRunning) => (
            "limit_user_running",
            "its user runs as many workloads as one may",
            "one of its user ends, or the limit is raised",
        ),
        Reason::Impossible => {
            ("impossible", "no node there is could ever take it", "a node that is large enough comes")
        }
        Reason::TooLittleFree => ("too_little_free", "too little is free", "enough of what runs ends"),
        Reason::Pieces => (
            "pieces",
            "enough is free in sum, but not in one piece",
            "what runs on one node ends, so that enough is free there",
        ),
        Reason::KeptForOthers => {
            ("kept_for_others", "it would fit, but that room is kept for others that come first", "those start")
        }
    }
}
