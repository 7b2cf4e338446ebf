//! What values come to over lengths of time: for lines, from scrapes and from what they were taken together to.

use std::collections::BTreeMap;

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use rusqlite::Connection;

use super::bytes::Broken;
use super::chunks::{self, Chunk};
use super::names::{Found, SeriesQuery};
use super::piece::{Reading, read_readings, read_sums};
use super::sum::{Known, Sum};
use super::{Series, pieces, values};
use crate::error::{Fault, StoreError};
use crate::reader::Reader;

/// Which intervals are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalQuery {
    /// Of which series.
    pub of: SeriesQuery,
    /// Not before.
    pub from: Timestamp,
    /// Before.
    pub until: Timestamp,
    /// How long an interval is, at least a millisecond. Intervals begin at multiples of it since 1970. What was taken together to longer ones
    /// counts where those begin.
    pub interval: Millis,
    /// At most so many of each series, the latest.
    pub limit: usize,
}

/// The intervals of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct IntervalLine {
    /// Its source.
    pub source: String,
    /// Which series.
    pub series: Series,
    /// In order of time. Those in which it was not there are absent.
    pub intervals: Vec<Interval>,
    /// Whether older ones may be in the span, beyond the limit.
    pub is_cut: bool,
}

/// What the values of one interval come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// When it begins.
    pub at: Timestamp,
    /// The mean of what is known; absent: nothing is. Not a number, where one of the values is none.
    pub mean: Option<f64>,
    /// The least that is known.
    pub least: Option<f64>,
    /// The most that is known.
    pub most: Option<f64>,
    /// At how many scrapes it was known.
    pub known: u64,
    /// At how many scrapes it was asked for, and not known.
    pub unknown: u64,
}

impl Reader {
    /// What the values of series come to, interval by interval, as far back as anything is kept.
    ///
    /// # Errors
    /// As [`Reader::values`].
    pub fn intervals(&self, query: &IntervalQuery) -> Result<Vec<IntervalLine>, StoreError> {
        self.read(|snapshot| {
            let found = values::found(snapshot, &query.of)?;
            let limit = query.limit.min(Self::POINTS_MAX / found.len().max(1));
            found.into_iter().map(|found| line(snapshot, found, query, limit)).collect()
        })
    }
}

fn line(connection: &Connection, found: Found, query: &IntervalQuery, limit: usize) -> Result<IntervalLine, Fault> {
    let (from, until) = (query.from.0, query.until.0);
    let mut sums = Sums { interval: query.interval.0.max(1), limit, sums: BTreeMap::new(), is_cut: false };
    chunks::head(connection, found.source, |at, readings| {
        let place = readings.binary_search_by_key(&found.slot, |(slot, _)| *slot);
        if let Some(sum) =
            place.ok().and_then(|place| of_reading(readings[place].1)).filter(|_| (from..until).contains(&at))
        {
            sums.add(at, &sum);
        }
    })?;
    for chunk in chunks::of_source(connection, found.source, from, until)? {
        if sums.is_full_by(chunk.last) {
            sums.is_cut = true;
            break;
        }
        let read = |piece: &[u8]| self::sums(&chunk, piece);
        let Some(found) = pieces::piece(connection, &chunk, found.slot, read)? else { continue };
        for (at, sum) in pieces::moments(connection, &chunk)?.into_iter().zip(&found) {
            if let Some(sum) = sum.as_ref().filter(|_| (from..until).contains(&at)) {
                sums.add(at, sum);
            }
        }
    }
    let interval = |(at, Sum { known, unknown }): (i64, Sum)| Interval {
        at: Timestamp(at),
        mean: known.map(|known| known.mean),
        least: known.map(|known| known.least),
        most: known.map(|known| known.most),
        known: known.map_or(0, |known| known.count),
        unknown,
    };
    let intervals = sums.sums.into_iter().map(interval).collect();
    Ok(IntervalLine { source: found.stored.source, series: found.stored.series, intervals, is_cut: sums.is_cut })
}

/// What a piece of a chunk holds, for each of its moments.
pub(super) fn sums(chunk: &Chunk, piece: &[u8]) -> Result<Vec<Option<Sum>>, Broken> {
    match chunk.step {
        0 => Ok(read_readings(piece, chunk.count)?.into_iter().map(of_reading).collect()),
        _ => read_sums(piece, chunk.count),
    }
}

fn of_reading(reading: Reading) -> Option<Sum> {
    match reading {
        Reading::Absent => None,
        Reading::Unknown => Some(Sum { known: None, unknown: 1 }),
        Reading::Known(value) => Some(Sum { known: Some(Known::once(value)), unknown: 0 }),
    }
}

/// The latest intervals of a series, in whatever order its chunks bring them.
struct Sums {
    interval: i64,
    limit: usize,
    sums: BTreeMap<i64, Sum>,
    is_cut: bool,
}

impl Sums {
    fn add(&mut self, at: i64, sum: &Sum) {
        self.sums.entry(at - at.rem_euclid(self.interval)).or_default().add(sum);
        if self.sums.len() > self.limit {
            self.sums.pop_first();
            self.is_cut = true;
        }
    }

    /// Whether nothing that is not after `last` can be in one of the latest intervals.
    fn is_full_by(&self, last: i64) -> bool {
        self.sums.len() == self.limit && self.sums.first_key_value().is_none_or(|(oldest, _)| last < *oldest)
    }
}
