//! Edges of threads: from the start of an operator to the start of the first within it, and so on to its end.

use super::graph::{Graph, Kind};
use super::window::Window;

/// A start or an end on a thread, in the order in which they count: of one moment, ends come before starts, short ones before long
/// ones that end, and long ones before short ones that start (`compare_events` of HolisticTraceAnalysis 0.5.0).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    at_ns: i64,
    start: bool,
    /// The length; of starts, below zero.
    length_ns: i64,
    /// The place in the file; of ends, below zero.
    index: i64,
    host: u32,
}

/// Adds the edges of all threads.
pub(super) fn link(window: &Window, graph: &mut Graph) {
    let mut of_threads: Vec<Vec<u32>> = vec![Vec::new(); window.threads.len()];
    for host in (0..window.hosts.len() as u32).filter(|host| window.takes_time(*host)) {
        of_threads[window.hosts[host as usize].thread as usize].push(host);
    }
    let mut threads: Vec<usize> = (0..of_threads.len()).collect();
    threads.sort_by_key(|thread| window.threads[*thread]);
    for thread in threads {
        link_thread(window, &of_threads[thread], graph);
    }
}

fn link_thread(window: &Window, hosts: &[u32], graph: &mut Graph) {
    let mut marks = Vec::with_capacity(2 * hosts.len());
    for &number in hosts {
        let host = &window.hosts[number as usize];
        let (length_ns, index) = (host.end_ns.saturating_sub(host.start_ns), host.index as i64);
        marks.push(Mark { at_ns: host.start_ns, start: true, length_ns: -length_ns, index, host: number });
        marks.push(Mark { at_ns: host.end_ns, start: false, length_ns, index: -index, host: number });
    }
    marks.sort_unstable();
    let mut open: Vec<u32> = Vec::new();
    // The moment before, within an outermost operator, and the end of the outermost one before.
    let (mut before, mut outermost): (Option<(u32, i64)>, Option<u32>) = (None, None);
    for mark in marks {
        if mark.start {
            let start = Graph::host(mark.host);
            if let Some(end) = outermost.filter(|_| open.is_empty()) {
                graph.add(end, start, 0, Kind::Order);
            }
            if let Some((from, at)) = before {
                graph.add(from, start, mark.at_ns.saturating_sub(at), Kind::Host);
            }
            before = Some((start, mark.at_ns));
            open.push(mark.host);
        } else if let Some(host) = open.pop() {
            // Where operators do not lie within each other, what ends is the one begun last, whoever's the moment is.
            let (end, of) = (Graph::host(host) + 1, &window.hosts[host as usize]);
            if let Some((from, at)) = before {
                // What the host waits for is on the device.
                let weight = if of.call.blocking { 0 } else { of.end_ns.saturating_sub(at) };
                graph.add(from, end, weight, Kind::Host);
            }
            before = Some((end, of.end_ns)).filter(|_| !open.is_empty());
            outermost = if open.is_empty() { Some(end) } else { outermost };
        }
    }
}
