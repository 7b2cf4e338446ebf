//! Edges of devices: what runs, what it waited for, and what waits for it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::calls::Deed;
use super::graph::{Graph, Kind};
use super::record::SyncKind;
use super::window::{Sync, Window};

/// Launches in the order of their moments, with what they launched.
type Launches = Vec<(i64, u32)>;

struct Linker<'a> {
    window: &'a Window,
    graph: &'a mut Graph,
    /// Launches of a stream, and of a thread on a stream.
    of_stream: BTreeMap<u32, Launches>,
    of_thread: BTreeMap<(u32, u32), Launches>,
    /// The last that ran on each stream, and streams in the order in which they came.
    last: Vec<Option<u32>>,
    streams: Vec<u32>,
    /// What must wait until something on another stream has ended.
    waits: BTreeMap<u32, u32>,
    /// Edges of waits, each of which is there once.
    waited: BTreeSet<(u32, u32)>,
}

/// Adds the edges of all devices.
pub(super) fn link(window: &Window, graph: &mut Graph) {
    let (mut of_stream, mut of_thread) = (BTreeMap::<u32, Launches>::new(), BTreeMap::<(u32, u32), Launches>::new());
    let mut launched: Vec<u32> = (0..window.devices.len() as u32).collect();
    // Hosts are in the order of their starts.
    launched.sort_by_key(|device| window.devices[*device as usize].host);
    for number in launched {
        let device = &window.devices[number as usize];
        let host = &window.hosts[device.host as usize];
        if matches!(host.call.deed, Deed::Launch(_)) {
            of_stream.entry(device.stream).or_default().push((host.start_ns, number));
            of_thread.entry((host.thread, device.stream)).or_default().push((host.start_ns, number));
        }
    }
    let mut linker = Linker {
        window,
        graph,
        of_stream,
        of_thread,
        last: vec![None; window.stream_devices.len()],
        streams: Vec::new(),
        waits: BTreeMap::new(),
        waited: BTreeSet::new(),
    };
    for row in rows(window) {
        match row {
            Row::Ran(device) => linker.ran(device),
            Row::Waited(sync) => linker.waited(&window.syncs[sync as usize]),
        }
    }
}

#[derive(Clone, Copy)]
enum Row {
    Ran(u32),
    Waited(u32),
}

/// What ran by its start and what waited by its end, so that a wait comes after what it waited for.
fn rows(window: &Window) -> Vec<Row> {
    let ran = (0..).zip(&window.devices).filter(|(_, device)| window.takes_time(device.host));
    let ran = ran.map(|(number, device)| ((device.start_ns, device.index), Row::Ran(number)));
    let waited = (0..).zip(&window.syncs).map(|(number, sync)| ((sync.end_ns, sync.index), Row::Waited(number)));
    let mut rows: Vec<_> = ran.chain(waited).collect();
    rows.sort_by_key(|(key, _)| *key);
    rows.into_iter().map(|(_, row)| row).collect()
}

impl Linker<'_> {
    fn ran(&mut self, number: u32) {
        let device = &self.window.devices[number as usize];
        let (start, end) = (self.graph.device(number), self.graph.device(number) + 1);
        self.graph.add(start, end, device.end_ns.saturating_sub(device.start_ns), Kind::Device);
        let waits_for = self.waits.remove(&number).filter(|other| self.is_in_graph(*other));
        let waits_until = waits_for.map(|other| self.window.devices[other as usize].end_ns);
        if let Some(other) = waits_for {
            self.wait(self.graph.device(other) + 1, start);
        }
        let launched_ns = self.window.hosts[device.host as usize].start_ns;
        let last = self.last[device.stream as usize].replace(number);
        let last_ns = last.map(|last| self.window.devices[last as usize].end_ns);
        if device.queue == [Some(1), Some(0)]
            && last_ns.is_none_or(|last| last < launched_ns)
            && waits_until.is_none_or(|until| until < launched_ns)
        {
            // Nothing else was to be done on the stream, so it is the launch that it waited for.
            self.graph.add(Graph::host(device.host), start, device.start_ns.saturating_sub(launched_ns), Kind::Launch);
        } else if let Some((last, last_ns)) =
            last.zip(last_ns).filter(|(_, last)| waits_until.is_none_or(|until| until < *last))
        {
            let end_of_last = self.graph.device(last) + 1;
            self.graph.add(end_of_last, start, device.start_ns.saturating_sub(last_ns), Kind::Between);
        }
        if last.is_none() {
            self.streams.push(device.stream);
        }
    }

    fn waited(&mut self, sync: &Sync) {
        let end_of_call = Graph::host(sync.host) + 1;
        match sync.kind {
            SyncKind::Event | SyncKind::StreamWait => {
                let Some(source) = sync.record.and_then(|record| self.recorded_after(record)) else { return };
                if sync.kind == SyncKind::Event {
                    if self.is_in_graph(source) {
                        self.wait(self.graph.device(source) + 1, end_of_call);
                    }
                } else if let Some(next) = self.launched_next(sync)
                    // On one stream, one comes after the other anyway.
                    && self.window.devices[next as usize].stream != self.window.devices[source as usize].stream
                {
                    self.waits.insert(next, source);
                }
            }
            SyncKind::Stream | SyncKind::Context => {
                for at in 0..self.streams.len() {
                    let stream = self.streams[at];
                    let meant = match sync.kind {
                        SyncKind::Stream => sync.stream == Some(stream),
                        _ => self.window.stream_devices[stream as usize] == sync.device,
                    };
                    if let Some(last) = self.last[stream as usize].filter(|_| meant) {
                        self.wait(self.graph.device(last) + 1, end_of_call);
                    }
                }
            }
        }
    }

    /// What was launched last on the stream in which a CUDA event was recorded, before that.
    fn recorded_after(&self, record: u32) -> Option<u32> {
        let launches = self.of_stream.get(self.window.recorded.get(&record)?)?;
        let at = self.window.hosts[record as usize].start_ns;
        let after = launches.partition_point(|(start, _)| *start <= at);
        launches[..after].last().map(|(_, device)| *device)
    }

    /// What the same thread launched next on the stream that waits.
    fn launched_next(&self, sync: &Sync) -> Option<u32> {
        let call = &self.window.hosts[sync.host as usize];
        let launches = self.of_thread.get(&(call.thread, sync.stream?))?;
        let after = launches.partition_point(|(start, _)| *start <= call.start_ns);
        launches.get(after).map(|(_, device)| *device)
    }

    fn is_in_graph(&self, device: u32) -> bool {
        self.window.takes_time(self.window.devices[device as usize].host)
    }

    fn wait(&mut self, from: u32, to: u32) {
        if !self.graph.overfull() && self.waited.insert((from, to)) {
            self.graph.add(from, to, 0, Kind::Order);
        }
    }
}
