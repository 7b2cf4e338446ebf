//! What each stream worked on, over time, in a bounded number of intervals however long a trace is.
//!
//! While a trace is read nobody knows when it ends. So intervals begin short, and each time the trace proves longer than they reach,
//! pairs of them become one and all are twice as long.

use std::collections::BTreeMap;

use super::names::Work;
use super::pair::Ran;
use super::streams::Streams;

/// There are at most so many intervals: about as many as a wide screen has columns.
pub const INTERVALS: usize = 2_048;

/// So many lanes there are at most; the last is that of all further streams.
pub const STREAMS_DRAWN: usize = 24;

/// How long intervals are at first.
const SHORTEST_NS: i64 = 1_000;

/// What streams worked on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    /// How long an interval is, in microseconds.
    pub interval_us: f64,
    /// From the first start to the last end, in microseconds.
    pub total_us: f64,
    /// Stream by stream.
    pub lanes: Vec<StreamLane>,
}

/// What one stream worked on.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamLane {
    /// Its device, where the trace says.
    pub device: Option<i64>,
    /// Its number; none where these are all further streams.
    pub stream: Option<u32>,
    /// Of each interval the shares in which there were computation, communication, copies and anything else, from 0 to 1.
    pub shares: Vec<[f64; 4]>,
}

/// Gathers them.
#[derive(Debug)]
pub(super) struct Intervals {
    first_ns: Option<i64>,
    last_ns: i64,
    interval_ns: i64,
    /// Nanoseconds of each interval by kind of work.
    streams: BTreeMap<u32, Vec<[i64; 4]>>,
}

/// All further streams; no stream has this number, for there are fewer.
const FURTHER: u32 = u32::MAX;

impl Default for Intervals {
    fn default() -> Self {
        Self { first_ns: None, last_ns: i64::MIN, interval_ns: SHORTEST_NS, streams: BTreeMap::new() }
    }
}

impl Intervals {
    /// Adds what ran; in the order of starts.
    pub(super) fn add(&mut self, ran: &Ran, work: Work) {
        if !ran.device || ran.end_ns <= ran.start_ns {
            return;
        }
        let first = *self.first_ns.get_or_insert(ran.start_ns);
        self.last_ns = self.last_ns.max(ran.end_ns);
        let (start, end) = (ran.start_ns.saturating_sub(first), ran.end_ns.saturating_sub(first));
        while end > self.interval_ns.saturating_mul(INTERVALS as i64) && self.interval_ns < i64::MAX / 2 {
            self.widen();
        }
        let known = self.streams.contains_key(&ran.stream) || self.streams.len() + 1 < STREAMS_DRAWN;
        let intervals = self.streams.entry(if known { ran.stream } else { FURTHER }).or_default();
        let kind = match work {
            Work::Computation => 0,
            Work::Communication => 1,
            Work::Memory => 2,
            Work::Other => 3,
        };
        let last = ((end - 1) / self.interval_ns) as usize;
        if intervals.len() <= last {
            intervals.resize(last + 1, [0; 4]);
        }
        for (at, interval) in intervals.iter_mut().enumerate().skip((start / self.interval_ns) as usize) {
            let begin = at as i64 * self.interval_ns;
            if begin >= end {
                break;
            }
            let within = end.min(begin.saturating_add(self.interval_ns)) - start.max(begin);
            interval[kind] = interval[kind].saturating_add(within);
        }
    }

    fn widen(&mut self) {
        self.interval_ns *= 2;
        for intervals in self.streams.values_mut() {
            let pairs = intervals.chunks(2).map(|pair| {
                let second = pair.get(1).copied().unwrap_or_default();
                std::array::from_fn(|kind| pair[0][kind].saturating_add(second[kind]))
            });
            *intervals = pairs.collect();
        }
    }

    pub(super) fn finish(self, streams: &Streams) -> Lanes {
        let us = |ns: i64| ns as f64 / 1_000.0;
        let lane = |(number, intervals): (&u32, &Vec<[i64; 4]>)| {
            let stream = (*number != FURTHER).then(|| streams.stream(*number));
            StreamLane {
                device: stream.and_then(|stream| stream.device),
                stream: stream.map(|stream| stream.stream),
                shares: intervals.iter().map(|interval| shares(interval, self.interval_ns)).collect(),
            }
        };
        let mut lanes: Vec<StreamLane> = self.streams.iter().map(lane).collect();
        lanes.sort_by_key(|lane| (lane.stream.is_none(), lane.device, lane.stream));
        Lanes {
            interval_us: us(self.interval_ns),
            total_us: self.first_ns.map_or(0.0, |first| us(self.last_ns.saturating_sub(first))),
            lanes,
        }
    }
}

/// Shares of an interval; where several streams are one they may add up to more than the whole, and are told as parts of it.
fn shares(interval: &[i64; 4], interval_ns: i64) -> [f64; 4] {
    let sum: i64 = interval.iter().fold(0, |sum, ns| sum.saturating_add(*ns));
    interval.map(|ns| ns as f64 / interval_ns.max(sum) as f64)
}

#[cfg(test)]
mod tests {
    use super::super::streams::Stream;
    use super::*;

    fn gathered(ran: &[(i64, i64, u32, Work)]) -> Lanes {
        let (mut intervals, mut streams) = (Intervals::default(), Streams::default());
        for &(start_us, end_us, stream, work) in ran {
            let (start_ns, end_ns) = (start_us * 1_000, end_us * 1_000);
            let stream = streams.number(Stream { device: Some(0), stream });
            intervals.add(&Ran { start_ns, end_ns, launched_ns: None, stream, name: 0, device: true }, work);
        }
        intervals.finish(&streams)
    }

    #[test]
    fn intervals_double_when_a_trace_proves_longer() {
        let first = (1_000, 1_001, 7, Work::Computation);
        assert_eq!(gathered(&[first]).lanes[0].shares, [[1.0, 0.0, 0.0, 0.0]]);
        let long = gathered(&[first, (1_001, 1_003, 7, Work::Memory), (3_000, 9_192, 9, Work::Communication)]);
        assert_eq!((long.interval_us, long.total_us), (4.0, 8_192.0));
        assert_eq!(long.lanes[0].shares, [[0.25, 0.0, 0.5, 0.0]]);
        assert_eq!(long.lanes[1].shares.len(), INTERVALS);
        assert_eq!(long.lanes[1].shares[499..501], [[0.0; 4], [0.0, 1.0, 0.0, 0.0]]);
    }

    #[test]
    fn further_streams_are_one() {
        let streams: Vec<(i64, i64, u32, Work)> = (0..100).map(|stream| (0, 1, stream, Work::Computation)).collect();
        let gathered = gathered(&streams);
        assert_eq!(gathered.lanes.len(), STREAMS_DRAWN);
        assert_eq!(
            gathered.lanes[STREAMS_DRAWN - 1],
            StreamLane { device: None, stream: None, shares: vec![[1.0, 0.0, 0.0, 0.0]] }
        );
    }

    #[test]
    fn moments_without_end_are_survived() {
        let (mut intervals, mut streams) = (Intervals::default(), Streams::default());
        let stream = streams.number(Stream { device: None, stream: 7 });
        for (start_ns, end_ns) in [(i64::MIN, 0), (0, i64::MAX), (i64::MAX - 1, i64::MAX)] {
            let ran = Ran { start_ns, end_ns, launched_ns: None, stream, name: 0, device: true };
            intervals.add(&ran, Work::Other);
        }
        assert!(intervals.finish(&streams).lanes[0].shares.len() <= INTERVALS);
    }
}
