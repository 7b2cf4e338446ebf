//! The whole fleet: a node a cell, a device a square in it.
//!
//! A square is four letters long, `<b>`, `<i>` or `<u>`, styled by what the node is: ten thousand of them are 100 kB before they are compressed,
//! where a class on each were three times that.

use std::collections::BTreeMap;

use fleet::ids::NodeId;
use maud::{Markup, html};
use store::{NodeStanding, StoredNode};

use crate::page::words;
use crate::running::Given;

/// What is known of the devices of a fleet.
pub(in crate::page) struct Devices<'a> {
    /// What is given out, by node.
    pub(in crate::page) given: &'a BTreeMap<NodeId, Given>,
    /// The devices, as bits, that are given out and do next to nothing.
    pub(in crate::page) idle: &'a BTreeMap<NodeId, u64>,
}

/// With more nodes than this only squares are shown, and names in titles.
const NAMED_MAX: usize = 200;

pub(in crate::page) fn grid(nodes: &[StoredNode], known: &Devices<'_>) -> Markup {
    if nodes.is_empty() {
        return html! { div.empty { p { "No node was found yet." } } };
    }
    let none = Given::default();
    let given = |node: &StoredNode| known.given.get(&node.id).unwrap_or(&none);
    let idle = |node: &StoredNode| known.idle.get(&node.id).copied().unwrap_or(0);
    let devices = nodes.iter().any(|node| node.facts.devices > 0);
    html! {
        p { (summary(nodes, known, devices)) }
        ul.legend aria-label="Legend" {
            li { span.cell { b {} } " given" }
            @if devices { li { span.cell { u {} } " given, but under 5 % busy for 10 min" } }
            li { span.cell { i {} } " idle" }
            li { span.cell.drained { i {} } " drained: nothing new starts" }
            li { span.cell.lost { i {} } " lost" }
        }
        div class={ "grid" @if nodes.len() > NAMED_MAX { " dense" } } {
            @for node in nodes { (cell(node, given(node), idle(node))) }
        }
    }
}

fn summary(nodes: &[StoredNode], known: &Devices<'_>, devices: bool) -> String {
    let usable = nodes.iter().filter(|node| node.standing != NodeStanding::Lost);
    let (mut there, mut out) = (0, 0);
    for node in usable {
        let amount = known.given.get(&node.id).map(|given| given.amount).unwrap_or_default();
        there += if devices { u64::from(node.facts.devices) * 1_000 } else { node.facts.cpu_milli.unwrap_or(0) };
        out += if devices { amount.devices.0 } else { amount.cpu.0 };
    }
    let count = |standing| nodes.iter().filter(|node| node.standing == standing).count() as u64;
    let (drained, lost) = (count(NodeStanding::Drained), count(NodeStanding::Lost));
    let idle: u64 = known.idle.values().map(|idle| u64::from(idle.count_ones())).sum();
    format!(
        "{}, {drained} drained, {lost} lost. {} of {} {} given{}.",
        words::some(nodes.len() as u64, "node"),
        words::thousandths(out),
        words::thousandths(there),
        if devices { "devices" } else { "cores" },
        if idle > 0 { format!(", {} of them left idle", words::count(idle)) } else { String::new() },
    )
}

fn cell(node: &StoredNode, given: &Given, idle: u64) -> Markup {
    let class = match node.standing {
        NodeStanding::Usable => "cell",
        NodeStanding::Drained => "cell drained",
        NodeStanding::Lost => "cell lost",
    };
    html! {
        a class=(class) href=(words::address("/node", &[("name", Some(&node.facts.name))])) title=(title(node, given, idle)) {
            span { (node.facts.name) }
            @if node.facts.devices == 0 { (share(node, given)) }
            @for device in 0..node.facts.devices.min(u64::BITS) {
                @if idle >> device & 1 == 1 { u {} } @else if given.devices >> device & 1 == 1 { b {} } @else { i {} }
            }
        }
    }
}

/// How much of a node without devices is given.
fn share(node: &StoredNode, given: &Given) -> Markup {
    let there = node.facts.cpu_milli.unwrap_or(0).max(1);
    let width = (given.amount.cpu.0.min(there) * 100 / there).to_string();
    html! {
        svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="10" {}
            rect.running width=(width) height="10" {}
        }
    }
}

/// What the squares say, in words: this is what is read where colours cannot be told.
fn title(node: &StoredNode, given: &Given, idle: u64) -> String {
    let standing = match node.standing {
        NodeStanding::Usable => "",
        NodeStanding::Drained => ", drained",
        NodeStanding::Lost => ", lost",
    };
    let amount = if node.facts.devices > 0 {
        let idle = match idle.count_ones() {
            0 => String::new(),
            idle => format!(", {idle} left idle"),
        };
        format!("{} of {} devices given{idle}", words::thousandths(given.amount.devices.0), node.facts.devices)
    } else {
        let there = words::thousandths(node.facts.cpu_milli.unwrap_or(0));
        format!("{} of {there} cores given", words::thousandths(given.amount.cpu.0))
    };
    format!("{}: {amount}{standing}", node.facts.name)
}
