//! The critical path of one step: the longest chain of work on the host and the devices in which each link waits for the one before.
//!
//! The graph is that of HolisticTraceAnalysis 0.5.0 (`critical_path_analysis`), so that figures can be compared; its options are as they
//! are by default. [`Recorder`] takes what may belong to the step while a trace is read, [`Window`] holds what does, `hosts` and `devices` make
//! the edges, and `longest` finds the path. Memory is bounded by [`EVENTS_MAX`].

mod devices;
mod graph;
mod hosts;
mod longest;
mod record;
#[cfg(test)]
mod tests;
mod window;

use serde::Serialize;

pub(super) use record::{HostEvent, Recorder, SyncEvent};
pub(super) use window::{Device, Window};

use super::names::Names;
use graph::{Graph, Kind};

/// So many events of the host, and so many of devices, are held of a step.
pub const EVENTS_MAX: usize = 1 << 19;

/// The step whose critical path is worked out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// The one that begins first; of a trace without marked steps, all of it.
    #[default]
    First,
    /// The one that the profiler gave this number (`ProfilerStep#5`).
    Number(u64),
}

/// The critical path of a step. Times are in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CriticalPath {
    /// The name of the step; nothing where it is the whole trace.
    pub step: Option<String>,
    /// From the start of the step to its end on the host.
    pub step_us: f64,
    /// How many links the path has.
    pub links: u64,
    /// The length of the path. Time that the host waits in a call for the device counts only where something on the device is told
    /// to be what it waits for (`cuda_sync` events); so it may be shorter than the step.
    pub total_us: f64,
    /// On the host (`cpu_bound`).
    pub host_us: f64,
    /// On a device, except communication (`gpu_compute_bound`).
    pub device_us: f64,
    /// In collectives, sends and receives of NCCL (`gpu_communication_bound`).
    pub communication_us: f64,
    /// Between one piece of work and the next on a stream (`gpu_kernel_kernel_overhead`).
    pub between_us: f64,
    /// From a launch to what it launched (`gpu_kernel_launch_overhead`).
    pub launch_us: f64,
}

/// Why there is no critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoPath {
    /// There is no step of that number.
    UnknownStep,
    /// The step is the last of several, which is left out, since it may be cut.
    LastStep,
    /// It holds more than [`EVENTS_MAX`] events, or waits for more than can be held.
    TooLarge,
    /// Nothing in it takes time.
    Empty,
    /// Events wait for each other in a circle: their times cannot be right.
    Circular,
}

impl CriticalPath {
    /// Of what a window holds.
    pub(super) fn of(window: &Window, names: &Names) -> Result<Self, NoPath> {
        if let Some(fault) = window.fault {
            return Err(fault);
        }
        let mut graph = Graph::new(window.hosts.len());
        hosts::link(window, &mut graph);
        devices::link(window, &mut graph);
        if graph.overfull() {
            return Err(NoPath::TooLarge);
        }
        let edges = graph.edges();
        let path = longest::path(edges, graph.nodes(window.devices.len())).ok_or(NoPath::Circular)?;
        if path.is_empty() {
            return Err(NoPath::Empty);
        }
        let (first, last) = window.span.unwrap_or_default();
        let mut of = Self {
            step: window.step.clone(),
            step_us: last.saturating_sub(first) as f64 / 1_000.0,
            links: path.len() as u64,
            ..Self::default()
        };
        for edge in path.into_iter().map(|at| &edges[at]) {
            let us = edge.weight as f64 / 1_000.0;
            of.total_us += us;
            match edge.kind {
                Kind::Host => of.host_us += us,
                Kind::Between => of.between_us += us,
                Kind::Launch => of.launch_us += us,
                Kind::Order => {}
                Kind::Device => {
                    let name = window.devices[graph.device_of(edge.from)].name;
                    if is_communication(names.name(name)) { of.communication_us += us } else { of.device_us += us }
                }
            }
        }
        Ok(of)
    }
}

/// By the name without its arguments and what stands before it, as `bound_by` of HolisticTraceAnalysis 0.5.0 has it.
fn is_communication(name: &str) -> bool {
    let end = name.find(['(', '<']).unwrap_or(name.len());
    let word = name[..end].trim_end().rsplit(' ').next().unwrap_or_default();
    word.strip_prefix("nccl").is_some_and(|rest| rest.contains("Kernel"))
}
