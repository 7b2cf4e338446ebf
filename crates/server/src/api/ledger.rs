//! Who agreed to what, and what came of it.

use axum::extract::State as Extract;
use axum::{Extension, Json};
use fleet::recommendation::Effect;
use serde::Serialize;
use serde_json::Value;
use store::LedgerLine;
use utoipa::ToSchema;

use super::shapes::Done;
use super::{Body, Part, reading};
use crate::access::Caller;
use crate::agree;
use crate::failure::{Failure, Problem};
use crate::state::State;

/// A consent, what it promised, and what was measured.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    /// The consent.
    consent: i64,
    /// Who agreed.
    by: String,
    /// When.
    at_ms: i64,
    /// When it was taken back.
    undone_ms: Option<i64>,
    /// To what, as it was shown: a recommendation of `trimtab optimize --format json`.
    #[schema(value_type = Object)]
    recommendation: Value,
    /// What was measured; absent: not yet known.
    #[schema(value_type = Option<Object>)]
    measured: Option<Value>,
}

impl From<LedgerLine> for Line {
    fn from(line: LedgerLine) -> Self {
        let json = |value: serde_json::Result<Value>| value.expect("what is stored is plain data");
        Self {
            consent: line.consent.id.0,
            at_ms: line.consent.at.0,
            undone_ms: line.consent.undone.as_ref().map(|(at, _)| at.0),
            recommendation: json(serde_json::to_value(&line.consent.recommendation)),
            measured: line.measured.map(|(_, effect)| json(serde_json::to_value(effect))),
            by: line.consent.who,
        }
    }
}

/// All consents, oldest first.
#[utoipa::path(get, path = "/api/v1/consents", responses((status = 200, body = Vec<Line>)))]
pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Json<Vec<Line>>, Failure> {
    let lines = reading(move || Ok(state.reader.ledger()?)).await?;
    Ok(Json(lines.into_iter().map(Line::from).collect()))
}

/// Records what a consent has brought so far, as `trimtab ledger` works it out; it takes the place of what was recorded before.
#[utoipa::path(put, path = "/api/v1/consents/{id}/measured", params(("id" = i64, Path)), request_body(content = Object), responses((status = 200, body = Done), (status = 422, body = Problem)))]
pub(crate) async fn measured(
    Extract(state): Extract<State>,
    Part(id): Part<i64>,
    Body(effect): Body<Effect>,
) -> Result<Json<Done>, Failure> {
    state.plane.measured(id, Box::new(effect)).await?;
    Ok(Json(Done { changed: true }))
}

/// Takes a consent back: what its undo sets is set, and the ledger says so; both, or neither. One that was taken back before stays as it is.
#[utoipa::path(post, path = "/api/v1/consents/{id}/undo", params(("id" = i64, Path)), responses((status = 200, body = Done), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn undo(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<i64>,
) -> Result<Json<Done>, Failure> {
    Ok(Json(Done { changed: agree::undo(&state, id, caller.name).await? }))
}
