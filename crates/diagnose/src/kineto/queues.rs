//! How much work was launched and had not begun, stream by stream.
//!
//! Figures are those of HolisticTraceAnalysis 0.5.0 (`get_queue_length_summary`, `get_time_spent_blocked_on_full_queue`): values of the
//! length each time that it changes. Of what comes at one moment, launches count before beginnings.

use std::collections::BTreeMap;

use serde::Serialize;

use super::spread::{Spread, Values};
use super::streams::Streams;

/// A stream holds about so many launches that have not begun; the next then waits on the host (`CUDA_MAX_LAUNCH_QUEUE_PER_STREAM`).
pub const FULL: i64 = 1_024;

/// How long the queue of a stream was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Queue {
    /// The device, where the trace says.
    pub device: Option<i64>,
    /// The stream.
    pub stream: u32,
    /// Lengths, one each time that it changed.
    pub length: Spread,
    /// How long [`FULL`] or more were in it, in microseconds.
    pub full_us: f64,
}

/// Queues, as moments come in their order.
#[derive(Default)]
pub(super) struct Queues(BTreeMap<u32, Length>);

#[derive(Default)]
struct Length {
    now: i64,
    since_ns: i64,
    full_ns: i64,
    values: Values,
}

/// What happens to a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Work is launched.
    Launched,
    /// It begins.
    Begun,
}

impl Queues {
    /// The length of a stream's queue after a change.
    pub(super) fn change(&mut self, stream: u32, at_ns: i64, change: Change) -> i64 {
        let length = self.0.entry(stream).or_default();
        if length.now >= FULL {
            length.full_ns = length.full_ns.saturating_add(at_ns.saturating_sub(length.since_ns));
        }
        length.now += if change == Change::Launched { 1 } else { -1 };
        length.since_ns = at_ns;
        length.values.add(length.now as f64);
        length.now
    }

    /// All, in the order of devices and streams.
    pub(super) fn all(&self, streams: &Streams) -> Vec<Queue> {
        let of = |(number, length): (&u32, &Length)| {
            let stream = streams.stream(*number);
            Queue {
                device: stream.device,
                stream: stream.stream,
                length: length.values.spread(),
                full_us: length.full_ns as f64 / 1_000.0,
            }
        };
        let mut all: Vec<Queue> = self.0.iter().map(of).collect();
        all.sort_by_key(|queue| (queue.device, queue.stream));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::streams::Stream;
    use super::*;

    #[test]
    fn a_queue_grows_with_launches_and_shrinks_with_beginnings() {
        let (mut streams, mut queues) = (Streams::default(), Queues::default());
        let [one, other] = [7, 3].map(|stream| streams.number(Stream { device: Some(0), stream }));
        for (at, change) in [(0, Change::Launched), (5, Change::Launched), (6, Change::Begun), (9, Change::Begun)] {
            queues.change(one, at, change);
        }
        for at in 0..FULL {
            queues.change(other, at, Change::Launched);
        }
        queues.change(other, FULL + 4_999, Change::Begun);
        let all = queues.all(&streams);
        assert_eq!((all[0].stream, all[0].length.max, all[0].full_us), (3, 1_024.0, 5.0));
        assert_eq!((all[1].stream, all[1].length.count, all[1].length.mean, all[1].full_us), (7, 4, 1.0, 0.0));
    }
}
