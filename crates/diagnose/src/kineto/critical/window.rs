//! What a step holds: what the host did in it, what that launched, and what waited.

use std::collections::BTreeMap;
use std::io;

use super::super::calls::Call;
use super::super::gather::moment;
use super::super::pair::Rounding;
use super::super::streams::Streams;
use super::record::{self, NONE, Recorder, SyncKind};
use super::{EVENTS_MAX, NoPath};

/// What the host did.
pub(super) struct Host {
    pub(super) start_ns: i64,
    /// Where this is not after the start, it takes no time, and is no part of the graph.
    pub(super) end_ns: i64,
    pub(super) index: u64,
    pub(super) thread: u32,
    pub(super) call: Call,
}

/// What ran on a device.
pub(in super::super) struct Device {
    pub(in super::super) index: u64,
    pub(in super::super) start_ns: i64,
    pub(in super::super) end_ns: i64,
    /// What launched it.
    pub(in super::super) host: u32,
    pub(in super::super) stream: u32,
    pub(in super::super) name: u32,
    /// How long the stream's queue was right after the launch, and right after it began; nothing where it was never in one.
    pub(super) queue: [Option<i32>; 2],
}

/// What waited.
pub(super) struct Sync {
    pub(super) index: u64,
    pub(super) end_ns: i64,
    pub(super) kind: SyncKind,
    /// The call of the host.
    pub(super) host: u32,
    pub(super) device: Option<i64>,
    pub(super) stream: Option<u32>,
    /// The call that recorded what it waits for.
    pub(super) record: Option<u32>,
}

/// A step.
#[derive(Default)]
pub(in super::super) struct Window {
    pub(super) step: Option<String>,
    /// Its start and its end, in nanoseconds.
    pub(super) span: Option<(i64, i64)>,
    pub(super) fault: Option<NoPath>,
    /// In the order of their starts.
    pub(super) hosts: Vec<Host>,
    /// The numbers of calls, in their order, with the calls.
    numbers: Vec<(u64, u32)>,
    pub(super) devices: Vec<Device>,
    pub(super) syncs: Vec<Sync>,
    /// The stream in which a call recorded a CUDA event.
    pub(super) recorded: BTreeMap<u32, u32>,
    /// Processes and threads, by our numbers.
    pub(super) threads: Vec<(i64, i64)>,
    /// Devices of streams.
    pub(super) stream_devices: Vec<Option<i64>>,
}

impl Window {
    /// From what was kept; `last` is when the last of several steps began.
    pub(in super::super) fn open(
        recorder: Recorder,
        whole: Rounding,
        last: Option<i64>,
        streams: &Streams,
    ) -> io::Result<Self> {
        let mut window = Self { fault: recorder.fault(last), ..Self::default() };
        if window.fault.is_some() {
            return Ok(window);
        }
        window.stream_devices = streams.all().iter().map(|stream| stream.device).collect();
        window.threads = vec![(0, 0); recorder.threads.len()];
        for (thread, number) in &recorder.threads {
            window.threads[*number as usize] = *thread;
        }
        let last = last.map(|last| whole.up(last));
        if let Some((name, start, end)) = recorder.step {
            window.step = Some(name);
            window.span = Some((whole.up(start), whole.down(end)));
        }
        let within = window.span.unwrap_or((i64::MIN, i64::MAX));
        recorder.hosts.drain(&mut |[start, index, end, what, correlation]| {
            let (start_ns, end_ns) = (whole.up(moment(start)), whole.down(moment(end)));
            if start_ns >= within.0 && start_ns <= within.1 && last.is_none_or(|last| start_ns < last) {
                let host = Host { start_ns, end_ns, index, thread: (what >> 4) as u32, call: Call::from_code(what) };
                window.host(host, correlation);
            }
            Ok(())
        })?;
        window.numbers.sort_unstable_by_key(|&(number, host)| (number, window.hosts[host as usize].index));
        if window.span.is_none() {
            let end = window.hosts.iter().map(|host| host.end_ns).max();
            window.span = window.hosts.first().map(|host| host.start_ns).zip(end);
        }
        recorder.syncs.drain(&mut |record| {
            window.sync(record, whole, within, streams);
            Ok(())
        })?;
        Ok(window)
    }

    fn host(&mut self, host: Host, correlation: u64) {
        if self.hosts.len() == EVENTS_MAX {
            self.too_large();
        }
        if self.fault.is_some() {
            return;
        }
        if correlation != NONE {
            self.numbers.push((correlation, self.hosts.len() as u32));
        }
        self.hosts.push(host);
    }

    fn sync(&mut self, record: [u64; 9], whole: Rounding, within: (i64, i64), streams: &Streams) {
        let [number, index, start, end, kind, device, stream, waits_in, waits_for] = record;
        let device = (device != NONE).then(|| moment(device));
        let recorded = (waits_for != NONE).then(|| self.call(waits_for)).flatten();
        if let (Some(record), Some(stream)) = (recorded, record::stream(device, waits_in))
            && let Some(stream) = streams.known(stream)
        {
            self.recorded.insert(record, stream);
        }
        let Some(host) = self.call(number).filter(|host| self.takes_time(*host)) else { return };
        let (start_ns, end_ns) = (whole.up(moment(start)), whole.down(moment(end)));
        // What is on no stream counts by its own time, as all that is not on one does.
        if stream == NONE && (start_ns < within.0 || start_ns > within.1 || end_ns <= start_ns) {
            return;
        }
        if self.syncs.len() == EVENTS_MAX {
            self.too_large();
            return;
        }
        self.syncs.push(Sync {
            index,
            end_ns,
            kind: SyncKind::from_code(kind),
            host,
            device,
            stream: record::stream(device, stream).and_then(|stream| streams.known(stream)),
            record: recorded,
        });
    }

    /// The call with a number: the last in the file, where there are several.
    pub(in super::super) fn call(&self, number: u64) -> Option<u32> {
        let after = self.numbers.partition_point(|(of, _)| *of <= number);
        self.numbers[..after].last().filter(|(of, _)| *of == number).map(|(_, host)| *host)
    }

    pub(super) fn takes_time(&self, host: u32) -> bool {
        let host = &self.hosts[host as usize];
        host.end_ns > host.start_ns
    }

    /// Takes what a call of the step launched, and gives it a number.
    pub(in super::super) fn launched(&mut self, device: Device) -> Option<u32> {
        if self.devices.len() == EVENTS_MAX {
            self.too_large();
        }
        if self.fault.is_some() {
            return None;
        }
        self.devices.push(device);
        Some(self.devices.len() as u32 - 1)
    }

    /// Takes how long the queue was when one of them was launched.
    pub(in super::super) fn queue_at_launch(&mut self, device: u32, length: i64) {
        self.queue(device, 0, length);
    }

    /// Takes how long it was when one began.
    pub(in super::super) fn queue_at_start(&mut self, device: u32, length: i64) {
        self.queue(device, 1, length);
    }

    fn queue(&mut self, device: u32, which: usize, length: i64) {
        if let Some(device) = self.devices.get_mut(device as usize) {
            device.queue[which] = Some(length.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32);
        }
    }

    fn too_large(&mut self) {
        *self = Self { fault: Some(NoPath::TooLarge), ..Self::default() };
    }
}

impl Device {
    /// Something launched by a call of the step, which never was in a queue so far.
    pub(in super::super) fn new(index: u64, (start_ns, end_ns): (i64, i64), host: u32, stream: u32, name: u32) -> Self {
        Self { index, start_ns, end_ns, host, stream, name, queue: [None; 2] }
    }
}
