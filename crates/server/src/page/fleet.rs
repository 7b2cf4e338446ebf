//! Nodes and their devices, each drawn as what it does.

pub(super) mod grid;
mod node;

use axum::Extension;
use axum::extract::State as Extract;
use axum::response::Redirect;
use control::Input;
use maud::{Markup, html};
use serde::Deserialize;
use store::StoredNode;

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::{Form, Query, words};
use crate::access::Caller;
use crate::api::reading;
use crate::failure::Failure;
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
    let (nodes, given) = reading(move || {
        let rows = running::rows(&state.reader)?;
        Ok((state.reader.nodes()?, running::by_node(&rows)))
    })
    .await?;
    let live = grid::grid(&nodes, &given);
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
    let name = which.name.clone();
    let (node, rows) = reading(move || {
        let named = |node: &StoredNode| node.facts.name == name;
        let node = state.reader.nodes()?.into_iter().find(named);
        let node =
            node.ok_or_else(|| Failure::not_found(format!("there is no node `{name}`"), "the fleet lists them"))?;
        let mut rows = running::rows(&state.reader)?;
        rows.retain(|row| row.slots.iter().any(|slot| slot.node == node.id));
        Ok((node, rows))
    })
    .await?;
    let address = words::address("/node", &[("name", Some(&which.name))]);
    let live = node::node(&node, &rows, &caller, words::now());
    let fixed = html! { h1.name title=(which.name) { (which.name) } };
    let page = Page {
        title: &which.name,
        under: "/fleet",
        caller: &caller,
        fixed,
        address: &address,
        live,
        below: html! { p { a href="/fleet" { "All nodes" } } },
    };
    Ok(page.show(wanted))
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
