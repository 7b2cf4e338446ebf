//! One pass over what ran, in its order: when devices worked, on what, and what they waited for in between.

use std::collections::BTreeMap;

use serde::Serialize;

use super::names::Work;
use super::pair::Ran;
use super::streams::Streams;

/// Kernels that follow each other within this, launched in time, wait for nothing but their launch: 30 of the trace's units, which are
/// microseconds (HolisticTraceAnalysis 0.5.0, `consecutive_kernel_delay`).
const FOLLOWS_NS: i64 = 30_000;

/// Where device time went, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Temporal {
    /// From the first start to the last end.
    pub total_us: f64,
    /// Nothing ran.
    pub idle_us: f64,
    /// Something computed.
    pub compute_us: f64,
    /// Something ran, and nothing computed.
    pub non_compute_us: f64,
}

/// Time in which these kinds of work ran at once, and no other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overlap {
    /// The kinds.
    pub kinds: Vec<Work>,
    /// For how long, in microseconds.
    pub us: f64,
}

/// What a stream waited for between what ran on it, in microseconds. Work that overlaps on one stream counts below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Idle {
    /// The device, where the trace says.
    pub device: Option<i64>,
    /// The stream.
    pub stream: u32,
    /// The host had not launched the next yet when the one before ended.
    pub host_wait_us: f64,
    /// It was launched, and followed closely.
    pub kernel_wait_us: f64,
    /// It was launched, and still did not begin: it waited for other streams, say.
    pub other_us: f64,
    /// How often each of these came.
    pub host_waits: u64,
    /// See `host_waits`.
    pub kernel_waits: u64,
    /// See `host_waits`.
    pub others: u64,
}

/// The pass.
#[derive(Default)]
pub(super) struct Sweep {
    first_ns: Option<i64>,
    last_ns: i64,
    busy: Merged,
    compute: Merged,
    /// Of communication, memory and computation, in the order of [`KINDS`].
    until: [i64; 3],
    now: i64,
    /// Time by which of them ran, as bits.
    together: [i64; 8],
    streams: BTreeMap<u32, Waits>,
}

/// The kinds whose overlaps are told.
const KINDS: [Work; 3] = [Work::Computation, Work::Communication, Work::Memory];

/// Intervals that come in the order of their starts, without what they overlap.
#[derive(Default)]
struct Merged {
    until: Option<i64>,
    ns: i64,
}

#[derive(Default)]
struct Waits {
    before_ns: Option<i64>,
    idle: [i64; 3],
    counts: [u64; 3],
}

impl Merged {
    fn add(&mut self, start: i64, end: i64) {
        let from = self.until.map_or(start, |until| until.max(start));
        if end > from {
            self.ns = self.ns.saturating_add(end.saturating_sub(from));
        }
        self.until = Some(self.until.map_or(end, |until| until.max(end)));
    }
}

impl Sweep {
    pub(super) fn add(&mut self, ran: &Ran, work: Work) {
        let Ran { start_ns, end_ns, .. } = *ran;
        if self.first_ns.is_none() {
            self.first_ns = Some(start_ns);
            (self.now, self.until) = (start_ns, [start_ns; 3]);
        }
        self.last_ns = if self.busy.until.is_none() { end_ns } else { self.last_ns.max(end_ns) };
        self.busy.add(start_ns, end_ns);
        if work == Work::Computation {
            self.compute.add(start_ns, end_ns);
        }
        if let Some(kind) = KINDS.iter().position(|kind| *kind == work) {
            self.advance(start_ns);
            self.until[kind] = self.until[kind].max(end_ns);
        }
        if ran.device {
            self.wait(ran);
        }
    }

    /// Counts time up to `to` by what runs until when.
    fn advance(&mut self, to: i64) {
        while self.now < to {
            let running = |kind: usize| self.until[kind] > self.now;
            let bits = (0..KINDS.len()).filter(|&kind| running(kind)).fold(0, |bits, kind| bits | 1 << kind);
            let next = (0..KINDS.len()).filter(|&kind| running(kind)).map(|kind| self.until[kind]).min();
            let next = next.map_or(to, |end| end.min(to));
            self.together[bits] = self.together[bits].saturating_add(next.saturating_sub(self.now));
            self.now = next;
        }
    }

    fn wait(&mut self, ran: &Ran) {
        let stream = self.streams.entry(ran.stream).or_default();
        if let Some(before) = stream.before_ns {
            let idle = ran.start_ns.saturating_sub(before);
            let reason = if ran.launched_ns.is_some_and(|launched| launched > before) {
                0
            } else if idle < FOLLOWS_NS {
                1
            } else {
                2
            };
            stream.idle[reason] = stream.idle[reason].saturating_add(idle);
            stream.counts[reason] += 1;
        }
        stream.before_ns = Some(ran.end_ns);
    }

    pub(super) fn temporal(&self) -> Temporal {
        let total = self.first_ns.map_or(0, |first| self.last_ns.saturating_sub(first));
        let us = |ns: i64| ns as f64 / 1_000.0;
        Temporal {
            total_us: us(total),
            idle_us: us(total.saturating_sub(self.busy.ns)),
            compute_us: us(self.compute.ns),
            non_compute_us: us(self.busy.ns - self.compute.ns),
        }
    }

    /// When the first began.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        self.first_ns.map(|first| (first, self.last_ns))
    }

    pub(super) fn overlaps(&mut self) -> Vec<Overlap> {
        self.advance(self.until.iter().copied().max().unwrap_or(self.now));
        let of = |bits: usize| {
            KINDS.iter().enumerate().filter(move |(kind, _)| bits >> kind & 1 == 1).map(|(_, kind)| *kind)
        };
        let some = (1..self.together.len()).filter(|&bits| self.together[bits] > 0);
        let mut overlaps: Vec<Overlap> =
            some.map(|bits| Overlap { kinds: of(bits).collect(), us: self.together[bits] as f64 / 1_000.0 }).collect();
        overlaps.sort_by(|a, b| b.us.total_cmp(&a.us));
        overlaps
    }

    pub(super) fn idle(&self, streams: &Streams) -> Vec<Idle> {
        let us = |ns: i64| ns as f64 / 1_000.0;
        let of = |(number, waits): (&u32, &Waits)| Idle {
            device: streams.stream(*number).device,
            stream: streams.stream(*number).stream,
            host_wait_us: us(waits.idle[0]),
            kernel_wait_us: us(waits.idle[1]),
            other_us: us(waits.idle[2]),
            host_waits: waits.counts[0],
            kernel_waits: waits.counts[1],
            others: waits.counts[2],
        };
        let mut idle: Vec<Idle> = self.streams.iter().map(of).collect();
        idle.sort_by_key(|idle| (idle.device, idle.stream));
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::super::streams::Stream;
    use super::*;

    /// What ran: start, end and launch in microseconds, stream, and kind.
    fn sweep(ran: &[(i64, i64, i64, u32, Work)]) -> Sweep {
        let mut sweep = Sweep::default();
        for &(start, end, launched, stream, work) in ran {
            let ns = |us: i64| us * 1_000;
            let ran = Ran {
                start_ns: ns(start),
                end_ns: ns(end),
                launched_ns: Some(ns(launched)),
                stream,
                name: 0,
                device: true,
            };
            sweep.add(&ran, work);
        }
        sweep
    }

    use Work::{Communication, Computation, Memory};

    #[test]
    fn time_is_counted_once() {
        let mut sweep = sweep(&[
            (0, 10, 0, 1, Computation),
            (5, 20, 0, 2, Communication),
            (8, 12, 0, 3, Computation),
            (30, 40, 0, 1, Memory),
            (35, 36, 0, 2, Computation),
        ]);
        let expected = Temporal { total_us: 40.0, idle_us: 10.0, compute_us: 13.0, non_compute_us: 17.0 };
        assert_eq!(sweep.temporal(), expected);
        let overlaps: Vec<(Vec<Work>, f64)> =
            sweep.overlaps().into_iter().map(|overlap| (overlap.kinds, overlap.us)).collect();
        assert_eq!(
            overlaps,
            [
                (vec![Memory], 9.0),
                (vec![Communication], 8.0),
                (vec![Computation, Communication], 7.0),
                (vec![Computation], 5.0),
                (vec![Computation, Memory], 1.0),
            ]
        );
    }

    #[test]
    fn waits_have_their_reasons() {
        let sweep = sweep(&[
            (0, 10, 0, 7, Computation),
            // Launched after the one before had ended.
            (50, 60, 45, 7, Computation),
            // Launched in time, and close.
            (70, 80, 5, 7, Computation),
            // Launched in time, and still late.
            (180, 190, 75, 7, Computation),
        ]);
        let mut streams = Streams::default();
        (0..8).for_each(|stream| _ = streams.number(Stream { device: Some(1), stream }));
        let idle = sweep.idle(&streams);
        let expected = Idle {
            device: Some(1),
            stream: 7,
            host_wait_us: 40.0,
            kernel_wait_us: 10.0,
            other_us: 100.0,
            host_waits: 1,
            kernel_waits: 1,
            others: 1,
        };
        assert_eq!(idle, [expected]);
    }
}
