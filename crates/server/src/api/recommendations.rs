//! What was last recommended here: listed, and done.

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Part, reading};
use crate::access::Caller;
use crate::agree;
use crate::dry_run::Difference;
use crate::failure::{Failure, Problem};
use crate::recommended::{self, Ground, Stands};
use crate::state::State;

/// What was last recommended here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Recommendations {
    /// When; absent: not yet.
    made_ms: Option<i64>,
    /// The most worth first.
    recommendations: Vec<One>,
}

/// A recommendation, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct One {
    /// As `trimtab optimize --format json` has it.
    #[schema(value_type = Object)]
    recommendation: Value,
    /// Whether it can be applied: `open` (it can), `applied`, `holds` (what it would set is set), `changed` (the rules are not those it was
    /// proved against), `elsewhere` (Trimtab does not steer what it is done to), `unclear` (a step is no command that sets rules).
    stands: &'static str,
    /// The consent under which it was applied.
    consent: Option<i64>,
    /// What its own steps would change now, in their order.
    would_change: Vec<Difference>,
}

/// What `trimtab optimize` last recommended here, and before it the nodes to be drained that fail their self-test; how each of it stands, and what it would change.
#[utoipa::path(get, path = "/api/v1/recommendations", responses((status = 200, body = Recommendations), (status = 400, body = Problem)))]
pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Json<Recommendations>, Failure> {
    reading(move || {
        let found = recommended::read(&state.folder, &state.reader)?;
        let ground = Ground::read(&state.reader)?;
        let one = |one: &fleet::recommendation::Recommendation| {
            let stands = ground.stands(one, state.rule_of);
            let rules = recommended::rules(&one.change, state.rule_of).unwrap_or_default();
            One {
                recommendation: serde_json::to_value(one).expect("a recommendation is plain data"),
                stands: stands.name(),
                consent: if let Stands::Applied(consent) = stands { Some(consent.id.0) } else { None },
                would_change: ground.would_change(&rules).concat(),
            }
        };
        let recommendations = found.all.iter().map(one).collect();
        Ok(Json(Recommendations { made_ms: found.made.map(|at| at.0), recommendations }))
    })
    .await
}

/// The id of a consent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Agreed {
    consent: i64,
}

/// Does what was recommended under this id, as the caller's consent: the ledger says so and its rules are set; both, or neither.
#[utoipa::path(post, path = "/api/v1/recommendations/{id}/apply", params(("id" = String, Path)), responses((status = 201, body = Agreed), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn apply(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(id): Part<String>,
) -> Result<(StatusCode, Json<Agreed>), Failure> {
    let consent = agree::apply(&state, id, caller.name).await?.0;
    Ok((StatusCode::CREATED, Json(Agreed { consent })))
}
