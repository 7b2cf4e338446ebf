//! The devices of one node: who has them, and how busy they are.

use fleet::quantity::Bytes;
use maud::{Markup, html};
use store::{Row, StoredNode};

use crate::busy::{Now, OfLate};
use crate::page::words::{known, percent};

/// So many of those who share a device are named.
const NAMED_MAX: usize = 4;

/// What is known of a node's devices.
pub(in crate::page) struct Devices<'a> {
    /// What runs on the node.
    pub(in crate::page) rows: &'a [Row],
    /// How busy it is.
    pub(in crate::page) now: &'a Now,
    /// How busy it was of late.
    pub(in crate::page) of_late: &'a OfLate,
}

/// A table, a row a device.
pub(in crate::page) fn table(node: &StoredNode, of: &Devices<'_>) -> Markup {
    let idle = of.of_late.idle_though_given(of.rows).remove(&node.id).unwrap_or(0);
    html! {
        div.scroll { table {
            thead { tr {
                th { "Device" } th { "State" } th { "Given to" } th.n { "Busy now" } th.n { "Last 10 min" } th.n { "Memory used" }
            } }
            tbody { @for device in 0..node.facts.devices.min(u64::BITS) {
                @let holders = holders(of.rows, node, device);
                @let now = of.now.devices.get(&device).copied().unwrap_or_default();
                tr {
                    td { (device) }
                    td { (state(!holders.is_empty(), idle >> device & 1 == 1)) }
                    td {
                        @if holders.is_empty() { "–" }
                        @for (place, id) in holders.iter().take(NAMED_MAX).enumerate() {
                            @if place > 0 { ", " }
                            a href={ "/jobs/" (id) } { (id) }
                        }
                        @if holders.len() > NAMED_MAX { ", …" }
                    }
                    td.n { (known(now.ratio, percent)) }
                    td.n { (known(of.of_late.mean(node.id, device), percent)) }
                    td.n { (known(now.memory, |bytes| Bytes(bytes).to_string())) }
                }
            } }
        } }
    }
}

fn holders(rows: &[Row], node: &StoredNode, device: u32) -> Vec<u32> {
    let holds = |row: &&Row| row.slots.iter().any(|slot| slot.node == node.id && slot.devices >> device & 1 == 1);
    rows.iter().filter(holds).map(|row| row.id.0).collect()
}

fn state(given: bool, idle: bool) -> Markup {
    match (given, idle) {
        (true, true) => html! { span.state.given_idle { "given, left idle" } },
        (true, false) => html! { span.state.running { "given" } },
        (false, _) => html! { span.state { "free" } },
    }
}
