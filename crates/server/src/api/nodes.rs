//! Nodes: listed, drained, returned.

use axum::extract::State as Extract;
use axum::{Extension, Json};
use control::Input;
use serde::Serialize;
use store::StoredNode;
use utoipa::ToSchema;

use super::shapes::{Amount, Done};
use super::{Part, reading};
use crate::access::Caller;
use crate::failure::{Failure, Problem};
use crate::running::{self, Given};
use crate::state::State;

/// A node.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Node {
    /// Its name.
    name: String,
    /// How it stands: up, drained, lost.
    standing: &'static str,
    /// What it has.
    has: Amount,
    /// The model of its devices.
    model: Option<String>,
    /// What is given out.
    given: Amount,
    /// The workloads there.
    workloads: Vec<u32>,
}

/// All nodes, and what is given out there.
#[utoipa::path(get, path = "/api/v1/nodes", responses((status = 200, body = Vec<Node>)))]
pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Json<Vec<Node>>, Failure> {
    reading(move || {
        let nodes = state.reader.nodes()?;
        let mut given = running::by_node(&running::rows(&state.reader)?);
        let shown = |node: StoredNode| {
            let given = given.remove(&node.id).unwrap_or_default();
            shown(node, given)
        };
        Ok(Json(nodes.into_iter().map(shown).collect()))
    })
    .await
}

fn shown(node: StoredNode, given: Given) -> Node {
    Node {
        standing: node.standing.name(),
        has: Amount {
            cpu_milli: node.facts.cpu_milli.unwrap_or(0),
            memory_bytes: node.facts.memory_bytes.unwrap_or(0),
            devices_milli: u64::from(node.facts.devices) * 1_000,
        },
        model: node.facts.model,
        given: given.amount.into(),
        workloads: given.workloads.iter().map(|id| id.0).collect(),
        name: node.facts.name,
    }
}

/// Nothing new is to start on a node; what runs there goes on.
#[utoipa::path(post, path = "/api/v1/nodes/{name}/drain", params(("name" = String, Path)), responses((status = 200, body = Done), (status = 404, body = Problem)))]
pub(crate) async fn drain(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(node): Part<String>,
) -> Result<Json<Done>, Failure> {
    Ok(Json(state.plane.hear(Input::Drain { node, by: caller.name }).await?.into()))
}

/// A drained node may be used again.
#[utoipa::path(post, path = "/api/v1/nodes/{name}/resume", params(("name" = String, Path)), responses((status = 200, body = Done), (status = 404, body = Problem)))]
pub(crate) async fn resume(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Part(node): Part<String>,
) -> Result<Json<Done>, Failure> {
    Ok(Json(state.plane.hear(Input::Resume { node, by: caller.name }).await?.into()))
}
