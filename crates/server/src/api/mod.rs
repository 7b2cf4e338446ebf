//! The REST API, a file a resource.

#![expect(unused_qualifications, reason = "the macros of utoipa qualify what they write")]

mod agents;
mod events;
mod findings;
mod health;
mod ledger;
mod log;
mod metrics;
mod nodes;
mod policy;
mod queues;
mod recommendations;
mod samples;
mod shapes;
mod why;
mod workloads;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use serde::de::DeserializeOwned;
use utoipa::OpenApi;

use crate::failure::Failure;
use crate::object::Object;
use crate::state::State;

pub(crate) use agents::{Readers, reports as is_report};
pub(crate) use log::{Output, read as read_log};
pub(crate) use nodes::find as find_node;
pub(crate) use why::{Reasons, reasons_of};
pub(crate) use workloads::absent;

/// A body of JSON; what is wrong with it is told as every failure is.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let axum::Json(Object(body)) = axum::Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// The query of an address.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Failure))]
pub(crate) struct Query<T>(pub(crate) T);

/// A part of an address.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Failure))]
pub(crate) struct Part<T>(pub(crate) T);

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/api/v1/health", get(health::health))
        .route("/api/v1/openapi.json", get(async || axum::Json(openapi())))
        .route("/api/v1/workloads", get(workloads::list).post(workloads::submit))
        .route("/api/v1/workloads/{id}", get(workloads::one))
        .route("/api/v1/workloads/{id}/why", get(why::why))
        .route("/api/v1/workloads/{id}/log", get(log::log))
        .route("/api/v1/workloads/{id}/cancel", post(workloads::cancel))
        .route("/api/v1/workloads/{id}/preempt", post(workloads::preempt))
        .route("/api/v1/nodes", get(nodes::list))
        .route("/api/v1/nodes/{name}/samples", get(samples::samples))
        .route("/api/v1/nodes/{name}/drain", post(nodes::drain))
        .route("/api/v1/nodes/{name}/resume", post(nodes::resume))
        .route("/api/v1/events", get(events::events))
        .route("/metrics", get(metrics::metrics))
        .route("/api/v1/consents", get(ledger::list))
        .route("/api/v1/consents/{id}/measured", put(ledger::measured))
        .route("/api/v1/consents/{id}/undo", post(ledger::undo))
        .route("/api/v1/recommendations", get(recommendations::list))
        .route("/api/v1/recommendations/{id}/apply", post(recommendations::apply))
        .route("/api/v1/findings", get(findings::list))
        .route("/api/v1/findings/{id}", get(findings::one))
        .route("/api/v1/findings/{id}/mute", post(findings::mute))
        .route("/api/v1/findings/{id}/unmute", post(findings::unmute))
        .route("/api/v1/agents", get(agents::list))
        .route(
            "/api/v1/agents/{node}/reports",
            post(agents::report).layer(DefaultBodyLimit::max(agents::REPORTS_BYTES_MAX)),
        )
        .route("/api/v1/policy", get(policy::show).put(policy::set))
        .route("/api/v1/queues", get(queues::list))
        .route("/api/v1/queues/{name}", put(queues::set))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trimtab",
        description = "Workloads, nodes and queues of one installation. Every request carries `Authorization: Bearer TOKEN`."
    ),
    paths(
        health::health,
        workloads::list,
        workloads::submit,
        workloads::one,
        why::why,
        workloads::cancel,
        workloads::preempt,
        log::log,
        events::events,
        nodes::list,
        samples::samples,
        nodes::drain,
        nodes::resume,
        agents::list,
        agents::report,
        findings::list,
        findings::one,
        findings::mute,
        findings::unmute,
        recommendations::list,
        recommendations::apply,
        ledger::list,
        ledger::measured,
        ledger::undo,
        policy::show,
        policy::set,
        queues::list,
        queues::set
    )
)]
struct Document;

/// The document that describes the API.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Reads on a thread that may wait for a disk.
pub(crate) async fn reading<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "reading broke off", None)))
}
