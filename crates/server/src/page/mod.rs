//! The dashboard: pages made of what the store holds, and the few things that can be done from them.
//!
//! Every name is untrusted: all of it goes through maud, which escapes, and nothing is ever marked as escaped already. Pages hold no script
//! and no style of their own (the Content-Security-Policy refuses both), so they work, plainly, without scripts too. What changes anything
//! is a form that is posted, and does what the API does. Start reading at [`routes`].

mod agents;
mod asset;
mod compress;
mod finding;
mod findings;
mod fleet;
mod frame;
#[cfg(test)]
mod golden;
mod job;
mod jobs;
mod ledger;
mod lines;
mod login;
mod overview;
mod queues;
mod recommendation;
mod recommendations;
mod refusal;
mod words;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts};
use axum::middleware;
use axum::routing::{get, post};

use crate::state::State;
use refusal::Refusal;

pub(crate) use frame::wants_page;
pub(crate) use login::OPEN;
pub(crate) use words::now;

/// The query of a page's address.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Refusal))]
struct Query<T>(T);

/// A part of a page's address.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Refusal))]
struct Part<T>(T);

/// A form that was posted.
#[derive(FromRequest)]
#[from_request(via(axum::Form), rejection(Refusal))]
struct Form<T>(T);

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/", get(overview::page))
        .route("/course.json", get(overview::course))
        .route("/jobs", get(jobs::page))
        .route("/jobs/{id}", get(job::page))
        .route("/jobs/{id}/start", get(job::start::page))
        .route("/jobs/{id}/cancel", post(job::cancel))
        .route("/jobs/{id}/requeue", post(job::requeue))
        .route("/fleet", get(fleet::page))
        .route("/node", get(fleet::one))
        .route("/node/course.json", get(fleet::course))
        .route("/node/drain", post(fleet::drain))
        .route("/node/resume", post(fleet::resume))
        .route("/agents", get(agents::page))
        .route("/findings", get(findings::page))
        .route("/findings/{id}", get(finding::page))
        .route("/findings/{id}/course.json", get(finding::course))
        .route("/findings/{id}/mute", post(finding::mute))
        .route("/findings/{id}/unmute", post(finding::unmute))
        .route("/queues", get(queues::page))
        .route("/recommendations", get(recommendations::page))
        .route("/recommendation", get(recommendation::page))
        .route("/recommendation/apply", post(recommendation::apply))
        .route("/ledger", get(ledger::page))
        .route("/ledger/undo", post(ledger::undo))
        .route("/login", get(login::page).post(login::sign_in).layer(DefaultBodyLimit::max(login::FORM_MAX_BYTES)))
        .route("/logout", post(login::sign_out))
        .route("/assets/{file}", get(asset::file))
        .layer(middleware::from_fn(compress::compress))
}

/// What is answered where there is nothing.
pub(crate) fn nothing_here() -> axum::response::Response {
    use axum::response::IntoResponse;
    Refusal::from(crate::failure::Failure::not_found("there is nothing at this address", "")).into_response()
}
