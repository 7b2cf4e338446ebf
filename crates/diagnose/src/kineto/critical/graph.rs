//! Moments, and what leads from one to another.

use super::EVENTS_MAX;

/// So many edges are held: hosts and devices have two or three an event each, and only a step in which ever again one waits for thousands
/// of streams has more.
const EDGES_MAX: usize = 8 * EVENTS_MAX;

/// What leads from one moment to another.
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    /// How long, in nanoseconds. Below zero where times overlap that should not; it counts as none for the longest path.
    pub(super) weight: i64,
    pub(super) kind: Kind,
}

/// What the time is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The host works.
    Host,
    /// A device works.
    Device,
    /// A stream goes from one piece of work to the next.
    Between,
    /// A launch reaches the device.
    Launch,
    /// One comes after the other; no time is spent.
    Order,
}

/// A graph of the starts and ends of what hosts and devices do. Its edges are in the order in which they were added, which decides
/// between paths of the same length.
pub(super) struct Graph {
    hosts: usize,
    edges: Vec<Edge>,
    overfull: bool,
}

impl Graph {
    pub(super) fn new(hosts: usize) -> Self {
        Self { hosts, edges: Vec::new(), overfull: false }
    }

    pub(super) fn add(&mut self, from: u32, to: u32, weight: i64, kind: Kind) {
        self.overfull |= self.edges.len() == EDGES_MAX;
        if !self.overfull {
            self.edges.push(Edge { from, to, weight, kind });
        }
    }

    /// Whether there were more edges than are held.
    pub(super) fn overfull(&self) -> bool {
        self.overfull
    }

    pub(super) fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// How many moments there are, with so many events of devices.
    pub(super) fn nodes(&self, devices: usize) -> usize {
        2 * (self.hosts + devices)
    }

    /// The device's event whose moment this is.
    pub(super) fn device_of(&self, node: u32) -> usize {
        node as usize / 2 - self.hosts
    }

    /// The start of a host's event; its end is the next.
    pub(super) fn host(host: u32) -> u32 {
        2 * host
    }

    /// The start of a device's event; its end is the next.
    pub(super) fn device(&self, device: u32) -> u32 {
        2 * (self.hosts as u32 + device)
    }
}
