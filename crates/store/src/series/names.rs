//! Sources and their series, by name.

use std::collections::{BTreeMap, BTreeSet};

use fleet::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::chunks::placed;
use super::{LABELS_MAX, NAME_BYTES_MAX, SERIES_MAX, Series};
use crate::error::{Fault, StoreError};
use crate::json;
use crate::reader::Reader;

/// How old what `series.last` says may be before it is written again.
pub(super) const LAST_LATE_MS: i64 = 3_600_000;

/// Which series are asked for. Nothing named: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Of which source.
    pub source: Option<String>,
    /// Of which name.
    pub name: Option<String>,
    /// With which labels; others may be there too.
    pub labels: BTreeMap<String, String>,
}

/// A series that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSeries {
    /// Its source.
    pub source: String,
    /// What tells it from others of its source.
    pub series: Series,
    /// When it was there last, by time; up to an hour may be missing.
    pub last: Timestamp,
}

/// A series with what leads to its values.
pub(super) struct Found {
    pub(super) source: i64,
    pub(super) slot: u16,
    pub(super) stored: StoredSeries,
}

impl Reader {
    /// The most series that one answer holds.
    pub const SERIES_MAX: usize = 10_000;

    /// The series that are kept, in order of source, name and labels; the first [`Reader::SERIES_MAX`], should there be more.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn series(&self, query: &SeriesQuery) -> Result<Vec<StoredSeries>, StoreError> {
        self.read(|snapshot| {
            Ok(find(snapshot, query, Self::SERIES_MAX)?.into_iter().map(|found| found.stored).collect())
        })
    }
}

/// The first `most` series that a query asks for, in order of source, name and labels.
pub(super) fn find(connection: &Connection, query: &SeriesQuery, most: usize) -> Result<Vec<Found>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT sources.id, slot, sources.name, series.name, labels, unit, last FROM series JOIN sources ON source = sources.id \
         WHERE (?1 IS NULL OR sources.name = ?1) AND (?2 IS NULL OR series.name = ?2) \
         ORDER BY sources.name, series.name, labels, unit",
    )?;
    let mut rows = statement.query(params![query.source, query.name])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (source, slot): (i64, u16) = (placed(row.get(0)?)?, row.get(1)?);
        let labels: String = row.get(4)?;
        let labels: BTreeMap<String, String> =
            json::read(&labels, || format!("the labels of series {slot} of source {source}"))?;
        if query.labels.iter().any(|(label, value)| labels.get(label) != Some(value)) {
            continue;
        }
        let series = Series { name: row.get(3)?, labels, unit: row.get(5)? };
        found.push(Found {
            source,
            slot,
            stored: StoredSeries { source: row.get(2)?, series, last: Timestamp(row.get(6)?) },
        });
        if found.len() == most {
            break;
        }
    }
    Ok(found)
}

/// The id of a source, if it is known.
pub(super) fn source(connection: &Connection, name: &str) -> Result<Option<i64>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id FROM sources WHERE name = ?1")?;
    statement.query_row([name], |row| row.get(0)).optional()?.map(placed).transpose()
}

/// The id of a source, which is known from now on.
pub(super) fn source_or_new(connection: &Connection, name: &str) -> Result<i64, Fault> {
    if let Some(id) = source(connection, name)? {
        return Ok(id);
    }
    connection.prepare_cached("INSERT INTO sources (name) VALUES (?1)")?.execute([name])?;
    placed(connection.last_insert_rowid())
}

/// The slots of series, which are known from now on, and were there at `newest`.
pub(super) fn slots(connection: &Connection, source: i64, series: &[Series], newest: i64) -> Result<Vec<u16>, Fault> {
    let mut find = connection.prepare_cached(
        "SELECT slot, last FROM series WHERE source = ?1 AND name = ?2 AND labels = ?3 AND unit = ?4",
    )?;
    let mut there = connection.prepare_cached("UPDATE series SET last = ?3 WHERE source = ?1 AND slot = ?2")?;
    let mut slots = Vec::with_capacity(series.len());
    for Series { name, labels, unit } in series {
        let labels = json::write(labels)?;
        let known: Option<(u16, i64)> =
            find.query_row(params![source, name, labels, unit], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        slots.push(match known {
            Some((slot, last)) => {
                if newest.saturating_sub(last) > LAST_LATE_MS {
                    there.execute(params![source, slot, newest])?;
                }
                slot
            }
            None => {
                let slot = free(connection, source)?;
                connection
                    .prepare_cached(
                        "INSERT INTO series (source, slot, name, labels, unit, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![source, slot, name, labels, unit, newest])?;
                slot
            }
        });
    }
    Ok(slots)
}

/// A slot that no series of a source has: the one above all others, or, once those are used up, one that was let go.
fn free(connection: &Connection, source: i64) -> Result<u16, Fault> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(slot), 0) FROM series WHERE source = ?1")?;
    let highest: u16 = statement.query_row([source], |row| row.get(0))?;
    if let Some(slot) = highest.checked_add(1) {
        return Ok(slot);
    }
    let mut statement = connection.prepare_cached("SELECT slot FROM series WHERE source = ?1 ORDER BY slot")?;
    let used: BTreeSet<u16> = statement.query_map([source], |row| row.get(0))?.collect::<Result<_, _>>()?;
    (1..=u16::MAX).find(|slot| !used.contains(slot)).ok_or_else(|| Fault::Misshapen {
        why: format!("a source has at most {SERIES_MAX} series, those of the past that are still kept too"),
    })
}

/// Why a series cannot be kept under its name.
pub(super) fn refusal(series: &Series) -> Option<String> {
    let Series { name, labels, unit } = series;
    if name.is_empty() || name.len() > NAME_BYTES_MAX || unit.len() > NAME_BYTES_MAX {
        return Some(format!("a series has a name, and name and unit are at most {NAME_BYTES_MAX} bytes long"));
    }
    if labels.len() > LABELS_MAX || labels.iter().any(|(label, value)| label.len() + value.len() > NAME_BYTES_MAX) {
        return Some(format!(
            "series {name:?} has more than {LABELS_MAX} labels, or one that is longer than {NAME_BYTES_MAX} bytes"
        ));
    }
    None
}
