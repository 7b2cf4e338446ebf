//! One node: what it has, what it gives to whom, and whether it may be used.

use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice};
use fleet::time::Timestamp;
use maud::{Markup, html};
use store::{NodeStanding, StoredNode};

use super::devices::{self, Devices};
use crate::access::{Caller, Rights};
use crate::page::{jobs, words};
use crate::running;

pub(super) fn node(node: &StoredNode, of: &Devices<'_>, caller: &Caller, now: Timestamp) -> Markup {
    let given = running::by_node(of.rows).remove(&node.id).unwrap_or_default();
    let has = Resources {
        cpu: MilliCpu(node.facts.cpu_milli.unwrap_or(0)),
        memory: Bytes(node.facts.memory_bytes.unwrap_or(0)),
        devices: MilliDevice::whole(u64::from(node.facts.devices)),
    };
    html! {
        div.line {
            span class={ "state " (node.standing.name()) } { (node.standing.name()) }
            span.quiet {
                "since " (words::ago(node.since, now))
                @if let Some(by) = &node.by { ", by " (by) }
            }
            @if caller.rights >= Rights::Operate { (button(node)) }
        }
        dl.facts {
            dt { "Has" } dd { (words::resources(has)) }
            @if let Some(model) = &node.facts.model { dt { "Model" } dd.name title=(model) { (model) } }
            dt { "Given" } dd { (words::resources(given.amount)) }
            dt { "Cores busy" } dd { (words::known(of.now.cores, cores)) }
            dt { "Memory used" } dd { (words::known(of.now.memory, |bytes| Bytes(bytes).to_string())) }
            dt { "Found" } dd { (words::ago(node.found, now)) }
        }
        @if node.facts.devices > 0 { h2 { "Devices" } (devices::table(node, of)) }
        h2 { "What runs there" }
        @if of.rows.is_empty() { div.empty { p { "Nothing." } } } @else { (jobs::table(of.rows, now)) }
    }
}

fn cores(busy: f64) -> String {
    format!("{busy:.1}")
}

fn button(node: &StoredNode) -> Markup {
    let (action, words, question) = match node.standing {
        NodeStanding::Usable => ("/node/drain", "Drain", "Start nothing new there? What runs goes on."),
        NodeStanding::Drained => ("/node/resume", "Resume", "Let workloads start there again?"),
        NodeStanding::Lost => return Markup::default(),
    };
    html! {
        form.buttons method="post" action=(action) data-confirm=(question) {
            input type="hidden" name="name" value=(node.facts.name);
            button #stand { (words) }
        }
    }
}
