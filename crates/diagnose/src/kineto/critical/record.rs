//! What may belong to the step, kept while a trace is read: which step it is may only turn out at the end.

use std::collections::BTreeMap;
use std::io;

use super::super::calls::Call;
use super::super::gather::ordered;
use super::super::streams::Stream;
use super::{NoPath, Step};
use crate::sorter::{Sorter, Space};

/// So many threads are told apart; what runs on further ones is left out.
const THREADS_MAX: usize = 1 << 16;

/// A moment may be rounded by so much after this, in nanoseconds.
const ROUNDED_NS: i64 = 1_000;

/// An operator or a call of the host.
pub(in super::super) struct HostEvent {
    /// Its place in the file.
    pub(in super::super) index: u64,
    pub(in super::super) start_ns: i64,
    pub(in super::super) end_ns: i64,
    /// Process and thread.
    pub(in super::super) thread: (i64, i64),
    pub(in super::super) call: Call,
    /// The number that it has in common with what it launched.
    pub(in super::super) correlation: Option<u64>,
}

/// That something waits, as CUPTI tells it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum SyncKind {
    /// The host for a CUDA event.
    Event,
    /// The host for a stream.
    Stream,
    /// The host for a device.
    Context,
    /// A stream for a CUDA event.
    StreamWait,
}

/// Something that waits.
pub(in super::super) struct SyncEvent<'a> {
    pub(in super::super) index: u64,
    pub(in super::super) name: &'a str,
    pub(in super::super) start_ns: i64,
    pub(in super::super) end_ns: i64,
    pub(in super::super) device: Option<i64>,
    pub(in super::super) stream: Option<u32>,
    /// The number of the host's call.
    pub(in super::super) correlation: u64,
    /// The stream in which the CUDA event was recorded, and the number of the call that did so.
    pub(in super::super) waits_for: Option<(u32, u64)>,
}

/// Keeps what may belong to the step.
#[derive(Default)]
pub(in super::super) struct Recorder {
    pub(super) wanted: Step,
    /// The step as far as it is known: its name, its start and its end.
    pub(super) step: Option<(String, i64, i64)>,
    /// Start, place in the file, end, thread and what it calls, number.
    pub(super) hosts: Sorter<5>,
    /// Number, place in the file, start, end, kind, device, stream, what it waits for.
    pub(super) syncs: Sorter<9>,
    pub(super) threads: BTreeMap<(i64, i64), u32>,
}

/// Stands for what is not there.
pub(super) const NONE: u64 = u64::MAX;

impl Recorder {
    pub(in super::super) fn new(wanted: Step) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Takes a step that the profiler marked.
    pub(in super::super) fn step(&mut self, name: &str, start_ns: i64, end_ns: i64) {
        let better = match self.wanted {
            Step::First => self.step.as_ref().is_none_or(|(_, first, _)| start_ns < *first),
            Step::Number(wanted) => self.step.is_none() && number(name) == Some(wanted),
        };
        if better {
            self.step = Some((name.to_owned(), start_ns, end_ns));
        }
    }

    /// Takes what the host does.
    pub(in super::super) fn host(&mut self, event: &HostEvent, space: &mut Space<'_>) -> io::Result<()> {
        if !self.may_hold(event.start_ns) {
            return Ok(());
        }
        let next = self.threads.len() as u32;
        let thread = match self.threads.get(&event.thread) {
            Some(thread) => *thread,
            None if self.threads.len() < THREADS_MAX => *self.threads.entry(event.thread).or_insert(next),
            None => return Ok(()),
        };
        let what = u64::from(thread) << 4 | event.call.code();
        let correlation = event.correlation.unwrap_or(NONE);
        self.hosts.push([ordered(event.start_ns), event.index, ordered(event.end_ns), what, correlation], space)
    }

    /// Takes something that waits. When it began says little: its call counts.
    pub(in super::super) fn sync(&mut self, event: &SyncEvent<'_>, space: &mut Space<'_>) -> io::Result<()> {
        let kind = match event.name {
            "Event Sync" => SyncKind::Event,
            "Stream Sync" => SyncKind::Stream,
            "Context Sync" => SyncKind::Context,
            "Stream Wait Event" => SyncKind::StreamWait,
            _ => return Ok(()),
        };
        let (stream, record) = event.waits_for.map_or((NONE, NONE), |(stream, record)| (u64::from(stream), record));
        let record = [
            event.correlation,
            event.index,
            ordered(event.start_ns),
            ordered(event.end_ns),
            kind as u64,
            event.device.map_or(NONE, ordered),
            event.stream.map_or(NONE, u64::from),
            stream,
            record,
        ];
        self.syncs.push(record, space)
    }

    /// Whether what begins then may still turn out to be of the step. Of the first step only its end is sure to come down.
    fn may_hold(&self, start_ns: i64) -> bool {
        let (first, last) = match (self.wanted, &self.step) {
            (_, None) => return true,
            (Step::First, Some((_, _, end))) => (i64::MIN, *end),
            (Step::Number(_), Some((_, start, end))) => (*start, *end),
        };
        start_ns >= first && start_ns <= last.saturating_add(ROUNDED_NS)
    }

    /// Why the step cannot be looked at, if so; `last` is when the last of several steps began.
    pub(super) fn fault(&self, last: Option<i64>) -> Option<NoPath> {
        match (self.wanted, &self.step, last) {
            (Step::Number(_), None, _) => Some(NoPath::UnknownStep),
            (_, Some((_, start, _)), Some(last)) if *start >= last => Some(NoPath::LastStep),
            _ => None,
        }
    }
}

/// The number in the name of a step.
fn number(name: &str) -> Option<u64> {
    name.split_once('#')?.1.trim().parse().ok()
}

impl SyncKind {
    pub(super) fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Event,
            1 => Self::Stream,
            2 => Self::Context,
            _ => Self::StreamWait,
        }
    }
}

/// A stream of a device, from their numbers in a record.
pub(super) fn stream(device: Option<i64>, stream: u64) -> Option<Stream> {
    (stream != NONE).then_some(Stream { device, stream: stream as u32 })
}
