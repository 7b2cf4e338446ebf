//! The rules of scheduling.

use axum::extract::State as Extract;
use axum::{Extension, Json};
use control::{Input, Rule};
use fleet::policy::{Order, Placement, Policy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::Done;
use super::{Body, reading};
use crate::access::Caller;
use crate::failure::{Failure, Problem};
use crate::state::State;

/// The rules of scheduling.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// In which order workloads start: fifo, backfill, trimtab.
    order: String,
    /// Which of the nodes that would do is taken: best_fit, neighbours, least_stranded.
    placement: Option<String>,
}

/// The rules of scheduling.
#[utoipa::path(get, path = "/api/v1/policy", responses((status = 200, body = Rules)))]
pub(crate) async fn show(Extract(state): Extract<State>) -> Result<Json<Rules>, Failure> {
    let policy = reading(move || Ok(state.reader.policy()?.unwrap_or_default())).await?;
    Ok(Json(Rules { order: policy.order.name().into(), placement: Some(policy.placement.name().into()) }))
}

/// Other rules of scheduling, from now on.
#[utoipa::path(put, path = "/api/v1/policy", request_body = Rules, responses((status = 200, body = Done), (status = 400, body = Problem)))]
pub(crate) async fn set(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Body(rules): Body<Rules>,
) -> Result<Json<Done>, Failure> {
    let order = named(&rules.order, "order", &Order::ALL.map(|order| (order.name(), order)))?;
    let placements = Placement::ALL.map(|placement| (placement.name(), placement));
    let placement = rules.placement.map(|name| named(&name, "placement", &placements)).transpose()?;
    let policy = Policy { placement: placement.unwrap_or_default(), ..Policy::new(order) };
    let rules = vec![Rule::Policy(policy)];
    Ok(Json(state.plane.hear(Input::SetRules { rules, by: caller.name }).await?.into()))
}

fn named<T: Copy>(name: &str, field: &str, known: &[(&str, T)]) -> Result<T, Failure> {
    let found = known.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Failure::bad(format!("there is no {field} `{name}`"), Some(&format!("there are: {}", names.join(", "))))
    })
}
