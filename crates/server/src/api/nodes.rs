//! Nodes: listed, drained, returned.

use axum::extract::State as Extract;
use axum::{Extension, Json};
use control::Input;
use serde::Serialize;
use store::{State as Standing, StoredNode};
use utoipa::ToSchema;

use super::shapes::{Amount, Done};
use super::{Part, reading};
use crate::access::Caller;
use crate::failure::{Failure, Problem};
use crate::state::State;

/// The most running workloads that are looked at to tell what is used.
const RUNNING_MAX: usize = store::Query::LIMIT_MAX;

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
        let mut rows = Vec::new();
        let mut before = None;
        loop {
            let states = vec![Standing::Starting, Standing::Running];
            let query = store::Query { states, before, limit: RUNNING_MAX, ..store::Query::default() };
            let page = state.reader.page(&query)?;
            rows.extend(page.rows);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        Ok(Json(nodes.into_iter().map(|node| shown(node, &rows)).collect()))
    })
    .await
}

fn shown(node: StoredNode, rows: &[store::Row]) -> Node {
    let there = || rows.iter().flat_map(|row| row.slots.iter().map(move |slot| (row, slot)));
    let here = there().filter(|(_, slot)| slot.node == node.id);
    let given =
        here.clone().fold(fleet::node::Resources::ZERO, |sum, (row, slot)| sum.plus(row.request.times(slot.tasks)));
    Node {
        standing: node.standing.name(),
        has: Amount {
            cpu_milli: node.facts.cpu_milli.unwrap_or(0),
            memory_bytes: node.facts.memory_bytes.unwrap_or(0),
            devices_milli: u64::from(node.facts.devices) * 1_000,
        },
        model: node.facts.model,
        given: given.into(),
        workloads: here.map(|(row, _)| row.id.0).collect(),
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
