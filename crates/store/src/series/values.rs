//! Values read back, every scrape.

use fleet::time::Timestamp;
use rusqlite::Connection;

use super::names::{self, Found, SeriesQuery};
use super::piece::{Reading, read_readings};
use super::{Series, chunks, pieces};
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
    let mut latest = Latest { limit, points: Vec::new(), is_cut: false };
    chunks::head(connection, found.source, |at, readings| {
        let of_series = readings.binary_search_by_key(&found.slot, |(slot, _)| *slot).map(|at| readings[at].1);
        if let Ok(reading) = of_series {
            latest.add(at, i64::MAX, reading, from..until);
        }
    })?;
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
        for (at, reading) in pieces::moments(connection, &chunk)?.into_iter().zip(readings) {
            latest.add(at, chunk.id, reading, from..until);
        }
    }
    let (points, is_cut) = latest.finish();
    Ok(Line { source: found.stored.source, series: found.stored.series, points, is_cut })
}

/// The latest points of a series, in whatever order its chunks bring them.
struct Latest {
    limit: usize,
    /// Each with the chunk that it came from: ids rise in the order in which scrapes came.
    points: Vec<(i64, i64, Option<f64>)>,
    is_cut: bool,
}

impl Latest {
    fn add(&mut self, at: i64, chunk: i64, reading: Reading, span: std::ops::Range<i64>) {
        let value = match reading {
            Reading::Absent => return,
            Reading::Unknown => None,
            Reading::Known(value) => Some(value),
        };
        if span.contains(&at) {
            self.points.push((at, chunk, value));
            if self.points.len() >= self.limit.saturating_mul(2).max(64) {
                self.trim();
            }
        }
    }

    /// Whether nothing that is not after `last` can be among the latest.
    fn is_full_by(&mut self, last: i64) -> bool {
        if self.points.len() < self.limit {
            return false;
        }
        self.trim();
        self.points.first().is_none_or(|(oldest, ..)| last < *oldest)
    }

    /// Sorted by time, and then as they came: the order within a chunk stays.
    fn trim(&mut self) {
        self.points.sort_by_key(|(at, chunk, _)| (*at, *chunk));
        let beyond = self.points.len().saturating_sub(self.limit);
        self.is_cut |= beyond > 0;
        self.points.drain(..beyond);
    }

    fn finish(mut self) -> (Vec<Point>, bool) {
        self.trim();
        let point = |(at, _, value)| Point { at: Timestamp(at), value };
        (self.points.into_iter().map(point).collect(), self.is_cut)
    }
}
