//! Nodes: listed, drained, returned.

use axum::extract::State as Extract;
use axum::{Extension, Json};
use control::Input;
use serde::Serialize;
use store::{Reader, StoredNode};
use utoipa::ToSchema;

use super::shapes::{Amount, Done};
use super::{Part, reading};
use crate::access::Caller;
use crate::busy::{self, Now};
use crate::failure::{Failure, Problem};
use crate::page::now;
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
    /// How busy it is.
    busy: Busy,
}

/// How busy a node is: what was measured last. What was not measured in the last 30 seconds, or could not be read, is absent: it is unknown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Busy {
    /// Cores that work.
    cpu_busy_cores: Option<f64>,
    /// Memory that programs cannot have.
    memory_used_bytes: Option<u64>,
    /// The load of the last minute.
    load_1m: Option<f64>,
    /// How much of the time its devices work, from 0 to 1: the mean of those of which it is known.
    device_busy_ratio: Option<f64>,
    /// Its devices.
    devices: Vec<DeviceBusy>,
}

/// How busy a device is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceBusy {
    /// Which device, from 0 on.
    device: u32,
    /// How much of the time it works, from 0 to 1.
    busy_ratio: Option<f64>,
    /// Memory of it in use.
    memory_used_bytes: Option<u64>,
}

/// All nodes, what is given out there, and how busy they are.
#[utoipa::path(get, path = "/api/v1/nodes", responses((status = 200, body = Vec<Node>)))]
pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Json<Vec<Node>>, Failure> {
    reading(move || {
        let nodes = state.reader.nodes()?;
        let mut given = running::by_node(&running::rows(&state.reader)?);
        let mut busy = busy::now(&state.reader, None, now())?;
        let shown = |node: StoredNode| {
            let given = given.remove(&node.id).unwrap_or_default();
            let busy = busy.remove(&node.id).unwrap_or_default();
            shown(node, given, &busy)
        };
        Ok(Json(nodes.into_iter().map(shown).collect()))
    })
    .await
}

/// The node of a name.
pub(crate) fn find(reader: &Reader, name: &str) -> Result<StoredNode, Failure> {
    let node = reader.nodes()?.into_iter().find(|node| node.facts.name == name);
    node.ok_or_else(|| {
        Failure::not_found(
            format!("there is no node `{name}`"),
            "GET /api/v1/nodes and the page of the fleet list them",
        )
    })
}

fn shown(node: StoredNode, given: Given, busy: &Now) -> Node {
    Node {
        busy: measured(busy, node.facts.devices),
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

fn measured(now: &Now, devices: u32) -> Busy {
    let device = |device: u32| {
        let now = now.devices.get(&device).copied().unwrap_or_default();
        DeviceBusy { device, busy_ratio: now.ratio, memory_used_bytes: now.memory }
    };
    Busy {
        cpu_busy_cores: now.cores,
        memory_used_bytes: now.memory,
        load_1m: now.load,
        device_busy_ratio: now.devices_mean(),
        devices: (0..devices.min(u64::BITS)).map(device).collect(),
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
