//! Values read back, every scrape.

use std::ops::Range;

use fleet::time::Timestamp;
use rusqlite::Connection;

use super::names::{self, Found, SeriesQuery};
use super::piece::{Reading, read_readings};
use super::{CHUNK_SCRAPES, Series, chunks, pieces};
use crate::error::{Fault, StoreError};
use crate::reader::Reader;

/// Which values are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueQuery {
    /// Of which series.
    pub of: SeriesQuery,
    /// Not before.
    pub from: Timestamp,
    /// Before.
    pub until: Timestamp,
    /// At most so many of each series, the latest.
    pub limit: usize,
}

/// The values of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its source.
    pub source: String,
    /// Which series.
    pub series: Series,
    /// Its values, in order of time; those of one moment in the order in which they came.
    pub points: Vec<Point>,
    /// Whether older ones may be in the span, beyond the limit.
    pub is_cut: bool,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When it was measured.
    pub at: Timestamp,
    /// What came out; absent: it was asked for, and is not known.
    pub value: Option<f64>,
}

impl Reader {
    /// The most series of one answer with values or intervals.
    pub const LINES_MAX: usize = 1_000;

    /// The most points of one answer, shared among its series.
    pub const POINTS_MAX: usize = 2_000_000;

    /// The values of series, as they were measured. What was taken together since is not among them: [`Reader::intervals`] tells of that too.
    ///
    /// # Errors
    /// If more than [`Reader::LINES_MAX`] series are asked for, or the file cannot be read or is damaged.
    pub fn values(&self, query: &ValueQuery) -> Result<Vec<Line>, StoreError> {
        self.read(|snapshot| {
            let found = found(snapshot, &query.of)?;
            let limit = query.limit.min(Self::POINTS_MAX / found.len().max(1));
            found.into_iter().map(|found| line(snapshot, found, query, limit)).collect()
        })
    }
}

/// The series of an answer with values.
pub(super) fn found(connection: &Connection, query: &SeriesQuery) -> Result<Vec<Found>, Fault> {
    let found = names::find(connection, query, Reader::LINES_MAX + 1)?;
    if found.len() > Reader::LINES_MAX {
        return Err(Fault::Misshapen {
            why: format!(
                "more than {} series are asked for at once; name their source, or more of their labels",
                Reader::LINES_MAX
            ),
        });
    }
    Ok(found)
}

fn line(connection: &Connection, found: Found, query: &ValueQuery, limit: usize) -> Result<Line, Fault> {
    let (from, until) = (query.from.0, query.until.0);
    let mut latest = Latest::new(limit);
    let mut in_head = Vec::new();
    chunks::head(connection, found.source, |at, readings| {
        let place = readings.binary_search_by_key(&found.slot, |(slot, _)| *slot);
        in_head.extend(place.map(|place| (at, readings[place].1)));
    })?;
    latest.add(i64::MAX, from..until, in_head.into_iter());
    for chunk in chunks::of_source(connection, found.source, from, until)? {
        if chunk.step > 0 {
            continue;
        }
        if latest.is_full_by(chunk.last) {
            latest.is_cut = true;
            break;
        }
        let read = |body: &[u8]| read_readings(body, chunk.count);
        let Some(readings) = pieces::piece(connection, &chunk, found.slot, read)? else { continue };
        let moments = pieces::moments(connection, &chunk)?;
        latest.add(chunk.id, from..until, moments.into_iter().zip(readings));
    }
    let (points, is_cut) = latest.finish();
    Ok(Line { source: found.stored.source, series: found.stored.series, points, is_cut })
}

/// The latest points of a series, in whatever order its chunks bring them.
struct Latest {
    limit: usize,
    /// Those of each chunk, as the chunks came: mostly from the latest back, so that in the end there is nothing to sort.
    blocks: Vec<Vec<Read>>,
    count: usize,
    is_cut: bool,
}

/// A point, with the chunk that it came from: ids rise in the order in which scrapes came.
struct Read {
    at: i64,
    chunk: i64,
    value: Option<f64>,
}

impl Latest {
    fn new(limit: usize) -> Self {
        Self { limit, blocks: Vec::new(), count: 0, is_cut: false }
    }

    /// Takes what a chunk has of the series.
    fn add(&mut self, chunk: i64, span: Range<i64>, readings: impl Iterator<Item = (i64, Reading)>) {
        let found = |(at, reading)| match reading {
            Reading::Absent => None,
            Reading::Unknown => Some(Read { at, chunk, value: None }),
            Reading::Known(value) => Some(Read { at, chunk, value: Some(value) }),
        };
        let block: Vec<Read> = readings.filter(|(at, _)| span.contains(at)).filter_map(found).collect();
        self.count += block.len();
        self.blocks.push(block);
        if self.count > self.limit.saturating_mul(2).saturating_add(CHUNK_SCRAPES) {
            self.trim();
        }
    }

    /// Whether nothing that is not after `last` can be among the latest.
    fn is_full_by(&mut self, last: i64) -> bool {
        if self.count < self.limit {
            return false;
        }
        self.trim();
        self.blocks.first().and_then(|block| block.first()).is_none_or(|oldest| last < oldest.at)
    }

    /// All in one block, sorted by time, and then as they came: the order within a chunk stays.
    fn trim(&mut self) {
        let mut points: Vec<Read> = Vec::with_capacity(self.count);
        self.blocks.drain(..).rev().for_each(|block| points.extend(block));
        points.sort_by_key(|point| (point.at, point.chunk));
        let beyond = points.len().saturating_sub(self.limit);
        self.is_cut |= beyond > 0;
        points.drain(..beyond);
        self.count = points.len();
        self.blocks.push(points);
    }

    fn finish(mut self) -> (Vec<Point>, bool) {
        let in_order = || self.blocks.iter().rev().flatten();
        if !in_order().is_sorted_by_key(|point| (point.at, point.chunk)) {
            self.trim();
        }
        let beyond = self.count.saturating_sub(self.limit);
        let mut points = Vec::with_capacity(self.count - beyond);
        let point = |Read { at, value, .. }: &Read| Point { at: Timestamp(*at), value: *value };
        points.extend(self.blocks.iter().rev().flatten().skip(beyond).map(point));
        (points, self.is_cut || beyond > 0)
    }
}
