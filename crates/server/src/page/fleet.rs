//! Nodes and their devices, each drawn as what it does.

mod charts;
pub(super) mod devices;
pub(super) mod grid;
mod node;

use axum::extract::State as Extract;
use axum::response::Redirect;
use axum::{Extension, Json};
use control::Input;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Page, Wanted};
use super::lines::Course;
use super::refusal::Refusal;
use super::{Form, Query, words};
use crate::access::Caller;
use crate::api::{find_node, reading};
use crate::busy::{self, OfLate};
use crate::running;
use crate::state::State;

/// Which node.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    name: String,
}

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
) -> Result<Markup, Refusal> {
    let (nodes, given, idle) = reading(move || {
        let rows = running::rows(&state.reader)?;
        let idle = OfLate::read(&state.reader, None, words::now())?.idle_though_given(&rows);
        Ok((state.reader.nodes()?, running::by_node(&rows), idle))
    })
    .await?;
    let live = grid::grid(&nodes, &grid::Devices { given: &given, idle: &idle });
    let (fixed, below) = (html! { h1 { "Fleet" } }, Markup::default());
    Ok(Page { title: "Fleet", under: "/fleet", caller: &caller, fixed, address: "/fleet", live, below }.show(wanted))
}

/// One node.
pub(super) async fn one(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
    Query(which): Query<Which>,
) -> Result<Markup, Refusal> {
    let (name, now) = (which.name.clone(), words::now());
    let (node, rows, busy, of_late) = reading(move || {
        let node = find_node(&state.reader, &name)?;
        let mut rows = running::rows(&state.reader)?;
        rows.retain(|row| row.slots.iter().any(|slot| slot.node == node.id));
        let busy = busy::now(&state.reader, Some(node.id), now)?.remove(&node.id).unwrap_or_default();
        let of_late = OfLate::read(&state.reader, Some(node.id), now)?;
        Ok((node, rows, busy, of_late))
    })
    .await?;
    let address = words::address("/node", &[("name", Some(&which.name))]);
    let known = devices::Devices { rows: &rows, now: &busy, of_late: &of_late };
    let live = node::node(&node, &known, &caller, now);
    let fixed = html! { h1.name title=(which.name) { (which.name) } };
    let page = Page {
        title: &which.name,
        under: "/fleet",
        caller: &caller,
        fixed,
        address: &address,
        live,
        below: html! { (charts::section(&node)) p { a href="/fleet" { "All nodes" } } },
    };
    Ok(page.show(wanted))
}

/// The last hour of one node.
pub(super) async fn course(
    Extract(state): Extract<State>,
    Query(which): Query<Which>,
) -> Result<Json<Course>, Refusal> {
    let course = reading(move || {
        let node = find_node(&state.reader, &which.name)?;
        charts::course(&state.reader, &node, words::now())
    });
    Ok(Json(course.await?))
}

pub(super) async fn drain(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(which): Form<Which>,
) -> Result<Redirect, Refusal> {
    state.plane.hear(Input::Drain { node: which.name.clone(), by: caller.name }).await?;
    Ok(Redirect::to(&words::address("/node", &[("name", Some(&which.name))])))
}

pub(super) async fn resume(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Form(which): Form<Which>,
) -> Result<Redirect, Refusal> {
    state.plane.hear(Input::Resume { node: which.name.clone(), by: caller.name }).await?;
    Ok(Redirect::to(&words::address("/node", &[("name", Some(&which.name))])))
}
