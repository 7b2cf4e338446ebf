//! Workloads: listed, looked at, handed in, stopped.

use std::collections::BTreeMap;
use std::ops::Range;

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::{Extension, Json};
use control::{Asked, Input, Reply};
use fleet::event::EndCause;
use fleet::ids::WorkloadId;
use fleet::live::Phase;
use serde::{Deserialize, Serialize};
use store::State as Standing;
use utoipa::{IntoParams, ToSchema};

use super::shapes::{Done, NewWorkload, Workload, WorkloadPage};
use super::{Body, Part, Query, reading};
use crate::access::Caller;
use crate::failure::{Failure, Problem};
use crate::object;
use crate::state::State;

/// The most workloads handed in at once.
const SUBMIT_MAX: usize = 10_000;

/// What is listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// States, with commas between.
    state: Option<String>,
    /// Of this queue.
    queue: Option<String>,
    /// Of this user.
    user: Option<String>,
    /// With this in its name or command.
    text: Option<String>,
    /// Older than this id.
    before: Option<u32>,
    /// How many rows: 1 to 500, 50 if absent.
    limit: Option<usize>,
}

/// Workloads, newest first.
#[utoipa::path(get, path = "/api/v1/workloads", params(Filter), responses((status = 200, body = WorkloadPage), (status = 400, body = Problem)))]
pub(crate) async fn list(
    Extract(state): Extract<State>,
    Query(filter): Query<Filter>,
) -> Result<Json<WorkloadPage>, Failure> {
    let query = filter.into_query()?;
    let page = reading(move || Ok(state.reader.page(&query)?)).await?;
    Ok(Json(WorkloadPage {
        workloads: page.rows.into_iter().map(Into::into).collect(),
        next: page.next.map(|id| id.0),
        counts: page.counts.into_iter().map(|(state, count)| (state.name(), count)).collect(),
    }))
}

impl Filter {
    fn into_query(self) -> Result<store::Query, Failure> {
        let parse = |name: &str| {
            Standing::parse(name).ok_or_else(|| {
                let known: Vec<&str> = Standing::ALL.into_iter().map(Standing::name).collect();
                Failure::bad(format!("there is no state `{name}`"), Some(&format!("there are: {}", known.join(", "))))
            })
        };
        let names = self.state.as_deref().unwrap_or_default().split(',').filter(|name| !name.is_empty());
        let limit = self.limit.unwrap_or(50);
        if !(1..=store::Query::LIMIT_MAX).contains(&limit) {
            return Err(Failure::bad("`limit` is between 1 and 500", None));
        }
        Ok(store::Query {
            states: names.map(parse).collect::<Result<_, _>>()?,
            queue: self.queue,
            user: self.user,
            text: self.text,
            before: self.before.map(WorkloadId),
            limit,
        })
    }
}

/// What is handed in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Submit {
    /// All of them are taken in, or none.
    #[serde(deserialize_with = "object::all")]
    workloads: Vec<NewWorkload>,
}

/// The ids that were given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Submitted {
    /// In the order of the list.
    ids: Vec<u32>,
}

/// Hands in workloads. What is answered is stored.
#[utoipa::path(post, path = "/api/v1/workloads", request_body = Submit, responses((status = 201, body = Submitted), (status = 422, body = Problem)))]
pub(crate) async fn submit(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Body(submit): Body<Submit>,
) -> Result<(StatusCode, Json<Submitted>), Failure> {
    let members: usize = submit.workloads.iter().map(NewWorkload::members).sum();
    if !(1..=SUBMIT_MAX).contains(&members) {
        let error = format!("1 to {SUBMIT_MAX} workloads are expected, members of arrays counted");
        return Err(Failure::bad(error, None));
    }
    let asked = asked(submit.workloads, &caller.name)?;
    let past = past_of(&state, &asked).await?;
    let reply = state.plane.hear(Input::Submit { asked, past, by: caller.name }).await?;
    let Reply::Submitted(ids) = reply else { return Err(Failure::broken("the control loop gave no ids")) };
    Ok((StatusCode::CREATED, Json(Submitted { ids: ids.iter().map(|id| id.0).collect() })))
}

/// A list as the control loop takes it: arrays member by member. Who waits for an array waits for all of it.
fn asked(workloads: Vec<NewWorkload>, caller: &str) -> Result<Vec<Asked>, Failure> {
    let mut all: Vec<Asked> = Vec::new();
    let mut places: Vec<Range<usize>> = Vec::new();
    for mut workload in workloads {
        let mut after = Vec::new();
        for place in std::mem::take(&mut workload.after) {
            let members = places.get(place).ok_or_else(|| {
                let error = format!(
                    "workload {} of the list: `after`: workload {} comes no earlier",
                    places.len() + 1,
                    place + 1
                );
                Failure::new(StatusCode::UNPROCESSABLE_ENTITY, error, Some("places are counted from 0"))
            })?;
            after.extend(members.clone());
        }
        let first = all.len();
        let members = workload.into_submissions(caller).into_iter();
        all.extend(members.map(|submission| Asked { submission, after: after.clone() }));
        places.push(first..all.len());
    }
    Ok(all)
}

/// How those ended that are depended on and over.
async fn past_of(state: &State, asked: &[Asked]) -> Result<BTreeMap<WorkloadId, EndCause>, Failure> {
    let ids: std::collections::BTreeSet<WorkloadId> =
        asked.iter().flat_map(|asked| asked.submission.depends_on.iter().copied()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let reader = state.reader.clone();
    reading(move || {
        let mut past = BTreeMap::new();
        for id in ids {
            if let Some(Phase::Finished { cause }) = reader.workload(id)?.map(|live| live.phase) {
                past.insert(id, cause);
            }
        }
        Ok(past)
    })
    .await
}

/// A workload and all that became of it.
#[utoipa::path(get, path = "/api/v1/workloads/{id}", params(("id" = u32, Path)), responses((status = 200, body = Workload), (status = 404, body = Problem)))]
pub(crate) async fn one(Extract(state): Extract<State>, Part(id): Part<u32>) -> Result<Json<Workload>, Failure> {
    let live = reading(move || Ok(state.reader.workload(WorkloadId(id))?)).await?;
    live.map(|live| Json(live.into())).ok_or_else(|| absent(id))
}

pub(crate) fn absent(id: u32) -> Failure {
    Failure::not_found(format!("there is no workload {id}"), "GET /api/v1/workloads lists what is there")
}

/// A workload is not wanted any more: it stops waiting, or running.
#[utoipa::path(post, path = "/api/v1/workloads/{id}/cancel", params(("id" = u32, Path)), responses((status = 200, body = Done), (status = 404, body = Problem)))]
pub(crate) async fn cancel(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<u32>,
) -> Result<Json<Done>, Failure> {
    let reply = state.plane.hear(Input::Cancel { workload: WorkloadId(id), by: caller.name }).await?;
    Ok(Json(reply.into()))
}

/// A running workload gives way: it is asked to stop, and runs again later.
#[utoipa::path(post, path = "/api/v1/workloads/{id}/preempt", params(("id" = u32, Path)), responses((status = 200, body = Done), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn preempt(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<u32>,
) -> Result<Json<Done>, Failure> {
    let reply = state.plane.hear(Input::Preempt { workload: WorkloadId(id), by: caller.name }).await?;
    Ok(Json(reply.into()))
}
