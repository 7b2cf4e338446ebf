//! Streams by number: streams of different devices may have the same one.

use std::collections::BTreeMap;

/// So many streams are told apart; all further ones are one.
const STREAMS_MAX: usize = 4_096;

/// A stream of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stream {
    /// The device, where the trace says.
    pub(super) device: Option<i64>,
    /// Its number on the device.
    pub(super) stream: u32,
}

/// All that are further, as one.
const FURTHER: Stream = Stream { device: None, stream: u32::MAX };

/// Streams, each with a number of ours.
#[derive(Debug, Default)]
pub(super) struct Streams {
    numbers: BTreeMap<Stream, u32>,
    streams: Vec<Stream>,
}

impl Streams {
    /// The number of a stream, new or known.
    pub(super) fn number(&mut self, stream: Stream) -> u32 {
        if let Some(number) = self.numbers.get(&stream) {
            return *number;
        }
        let stream = if self.streams.len() < STREAMS_MAX { stream } else { FURTHER };
        let number = self.streams.len() as u32;
        if *self.numbers.entry(stream).or_insert(number) == number {
            self.streams.push(stream);
        }
        self.numbers[&stream]
    }

    /// The number of one that is known.
    pub(super) fn known(&self, stream: Stream) -> Option<u32> {
        self.numbers.get(&stream).copied()
    }

    /// All, in the order of their numbers.
    pub(super) fn all(&self) -> &[Stream] {
        &self.streams
    }

    pub(super) fn stream(&self, number: u32) -> Stream {
        self.streams[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_have_numbers_and_bounds() {
        let mut streams = Streams::default();
        let of = |device, stream| Stream { device: Some(device), stream };
        assert_eq!(streams.number(of(0, 7)), 0);
        assert_eq!(streams.number(of(1, 7)), 1);
        assert_eq!(streams.number(of(0, 7)), 0);
        for stream in 0..2 * STREAMS_MAX as u32 {
            streams.number(of(2, stream));
        }
        assert_eq!(streams.streams.len(), STREAMS_MAX + 1);
        let last = streams.number(of(3, 1));
        assert_eq!((streams.stream(last), streams.known(of(3, 1))), (FURTHER, None));
        assert_eq!(streams.stream(1), of(1, 7));
    }
}
