//! What is wrong, and was: listed, looked at, muted.

use axum::extract::State as Extract;
use axum::{Extension, Json};
use fleet::ids::{FindingId, WorkloadId};
use fleet::kept_finding::{FindingState, Mute};
use fleet::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{FindingQuery, Reader};
use utoipa::{IntoParams, ToSchema};

use super::shapes::Done;
use super::{Body, Part, Query, reading};
use crate::access::Caller;
use crate::failure::{Failure, Problem};
use crate::found::{self, Found};
use crate::mute;
use crate::page::now;
use crate::state::State;

/// What is listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// `open` if absent, `muted`, `closed`, or `all`.
    state: Option<String>,
    /// About this workload.
    workload: Option<u32>,
    /// How many: 1 to 1000, 100 if absent.
    limit: Option<usize>,
}

/// Findings, the latest opened first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Findings {
    /// Them.
    findings: Vec<One>,
}

/// A finding, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct One {
    /// Its id; it stays the same when `trimtab up` is started anew.
    id: u64,
    /// `open`; `muted`: it is there, and nobody wants to hear of it; `closed`.
    state: &'static str,
    /// The node of the agent that found it; null: the machine of this server.
    node: Option<String>,
    /// When that agent was heard last, where it is open and that is more than 30 s ago: whether it is still so is not known.
    unheard_since_ms: Option<i64>,
    /// The workload that it is about.
    workload: Option<u32>,
    /// Since when something is wrong.
    since_ms: i64,
    /// When it was first opened.
    opened_ms: i64,
    /// When it was last found.
    seen_ms: i64,
    /// When it was closed.
    closed_ms: Option<i64>,
    /// How often it came back within ten minutes after it had been closed.
    returns: u32,
    /// Who does not want to hear of it; also where that is over.
    mute: Option<Muted>,
    /// Hours of devices that are lost to it in a day, where that can be said.
    device_hours_a_day: Option<f64>,
    /// What those cost, such as `USD 96`, where the nodes have prices.
    cost_a_day: Option<String>,
    /// What is wrong, where, the evidence, what to do: a line's `finding` of `trimtab agent --format json`.
    #[schema(value_type = Object)]
    finding: Value,
}

/// Who does not want to hear of a finding.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Muted {
    /// Why.
    reason: String,
    /// Until when.
    until_ms: i64,
    /// Who said so.
    by: String,
    /// When.
    at_ms: i64,
}

impl From<Found> for One {
    fn from(found: Found) -> Self {
        let Found { kept, state, cost, unheard } = found;
        let muted = |mute: Mute| Muted { reason: mute.reason, until_ms: mute.until.0, by: mute.by, at_ms: mute.at.0 };
        Self {
            id: kept.id.0,
            state: state.name(),
            node: kept.finding.place("node").map(str::to_owned),
            unheard_since_ms: unheard.map(|at| at.0),
            workload: kept.workload.map(|id| id.0),
            since_ms: kept.since().0,
            opened_ms: kept.opened.0,
            seen_ms: kept.seen.0,
            closed_ms: kept.closed.map(|at| at.0),
            returns: kept.returns,
            device_hours_a_day: cost.map(|cost| cost.device_hours_a_day),
            cost_a_day: cost.and_then(|cost| cost.money_a_day).map(|money| money.to_string()),
            finding: serde_json::to_value(&kept.finding).expect("a finding is plain data"),
            mute: kept.mute.map(muted),
        }
    }
}

/// What is wrong, and was: the latest opened first.
#[utoipa::path(get, path = "/api/v1/findings", params(Filter), responses((status = 200, body = Findings), (status = 400, body = Problem)))]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    Query(filter): Query<Filter>,
) -> Result<Json<Findings>, Failure> {
    let query = filter.into_query(now())?;
    let found = reading(move || found::list(&state.reader, &query)).await?;
    Ok(Json(Findings { findings: found.into_iter().map(One::from).collect() }))
}

impl Filter {
    fn into_query(self, now: Timestamp) -> Result<FindingQuery, Failure> {
        let state = match self.state.as_deref() {
            None => Some(FindingState::Open),
            Some("all") => None,
            Some(name) => Some(FindingState::named(name).ok_or_else(|| {
                let known: Vec<&str> = FindingState::ALL.into_iter().map(FindingState::name).collect();
                let hint = format!("there are: {}, all", known.join(", "));
                Failure::bad(format!("there is no state `{name}`"), Some(&hint))
            })?),
        };
        let limit = self.limit.unwrap_or(100);
        if !(1..=Reader::FINDINGS_MAX).contains(&limit) {
            return Err(Failure::bad(format!("`limit` is between 1 and {}", Reader::FINDINGS_MAX), None));
        }
        Ok(FindingQuery { state, workload: self.workload.map(WorkloadId), now, limit })
    }
}

/// One finding.
#[utoipa::path(get, path = "/api/v1/findings/{id}", params(("id" = u64, Path)), responses((status = 200, body = One), (status = 404, body = Problem)))]
pub(crate) async fn one(Extract(state): Extract<State>, Part(id): Part<u64>) -> Result<Json<One>, Failure> {
    Ok(Json(reading(move || found::find(&state.reader, id, now())).await?.into()))
}

/// Why a finding is muted, and for how long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Muting {
    /// Why, in 1 to 1000 bytes.
    reason: String,
    /// Until when.
    until_ms: i64,
}

/// Nobody wants to hear of it for a while: it is not among those that are open until then, also if it is over and comes again.
#[utoipa::path(post, path = "/api/v1/findings/{id}/mute", params(("id" = u64, Path)), request_body = Muting, responses((status = 200, body = Done), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn mute(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<u64>,
    Body(muting): Body<Muting>,
) -> Result<Json<Done>, Failure> {
    let Muting { reason, until_ms } = muting;
    mute::mute(&state, FindingId(id), reason, Timestamp(until_ms), caller.name).await?;
    Ok(Json(Done { changed: true }))
}

/// Takes that back.
#[utoipa::path(post, path = "/api/v1/findings/{id}/unmute", params(("id" = u64, Path)), responses((status = 200, body = Done), (status = 404, body = Problem)))]
pub(crate) async fn unmute(Extract(state): Extract<State>, Part(id): Part<u64>) -> Result<Json<Done>, Failure> {
    Ok(Json(Done { changed: mute::unmute(&state, FindingId(id)).await? }))
}
