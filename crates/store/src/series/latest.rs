//! How things stand: the latest value of each series of a source.

use std::collections::BTreeMap;

use fleet::time::Timestamp;
use rusqlite::Connection;

use super::names::{self, SeriesQuery};
use super::piece::{Reading, read_readings};
use super::{Point, SERIES_MAX, Series, chunks, pieces};
use crate::error::{Fault, StoreError};
use crate::reader::Reader;

/// The latest value of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// Which series.
    pub series: Series,
    /// When, and what it was.
    pub point: Point,
}

impl Reader {
    /// The latest value of each series of a source that is not before `from`, in order of name and labels. It is looked for in the head and the
    /// latest chunk: a series that ended before them is absent.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn latest_values(&self, source: &str, from: Timestamp) -> Result<Vec<Latest>, StoreError> {
        self.read(|snapshot| latest(snapshot, source, from.0))
    }
}

fn latest(connection: &Connection, source: &str, from: i64) -> Result<Vec<Latest>, Fault> {
    let Some(id) = names::source(connection, source)? else { return Ok(Vec::new()) };
    let mut points = BTreeMap::new();
    chunks::head(connection, id, |at, readings| {
        readings.into_iter().for_each(|(slot, reading)| take(&mut points, slot, at, reading, from));
    })?;
    let chunk = chunks::of_source(connection, id, from, i64::MAX)?.into_iter().find(|chunk| chunk.step == 0);
    if let Some(chunk) = chunk {
        let moments = pieces::moments(connection, &chunk)?;
        pieces::each(connection, &chunk, |slot, piece| {
            // What the head has is later, but for jumps of the clock.
            if points.get(&slot).is_none_or(|point: &Point| point.at.0 < chunk.last) {
                let readings = read_readings(piece, chunk.count)?;
                moments.iter().zip(readings).for_each(|(at, reading)| take(&mut points, slot, *at, reading, from));
            }
            Ok(())
        })?;
    }
    let query = SeriesQuery { source: Some(source.into()), ..SeriesQuery::default() };
    let found = names::find(connection, &query, SERIES_MAX)?;
    let latest = found
        .into_iter()
        .filter_map(|found| Some(Latest { series: found.stored.series, point: points.get(&found.slot).copied()? }));
    Ok(latest.collect())
}

fn take(points: &mut BTreeMap<u16, Point>, slot: u16, at: i64, reading: Reading, from: i64) {
    let value = match reading {
        Reading::Absent => return,
        Reading::Unknown => None,
        Reading::Known(value) => Some(value),
    };
    if at >= from && points.get(&slot).is_none_or(|point| point.at.0 <= at) {
        points.insert(slot, Point { at: Timestamp(at), value });
    }
}
