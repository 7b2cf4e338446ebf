//! What the rules ask for, done part by part: each in one transaction, so that it may be cut off anywhere and called again.

use fleet::quantity::Bytes;
use fleet::time::Timestamp;
use rusqlite::{Connection, params};

use super::chunks::{self, PLACES, placed};
use super::names::LAST_LATE_MS;
use super::pins::UNPINNED;
use super::rules::{SeriesRule, SeriesRules};
use super::take_together;
use crate::error::{Fault, StoreError};
use crate::writer::Store;

/// How many chunks one call lets go at most.
const CHUNKS_MAX: u64 = 256;

/// What one call of [`Store::keep_series`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// How many chunks of every scrape were taken together.
    pub taken_together: u64,
    /// How many chunks were let go, by age or for room.
    pub let_go: u64,
    /// What the chunks that are left take.
    pub bytes: Bytes,
    /// Whether nothing is left to do. If so, `bytes` is above the bound only where pins hold what should go.
    pub is_done: bool,
}

impl Store {
    /// Does a part of what the rules ask of series: what is too old goes, what takes too much room goes, oldest first, and what is old enough
    /// is taken together. It takes some hundred milliseconds at most for some hundred series; whoever calls it does so again until it is done,
    /// and some time later. What happens at once is whole or not at all; what was done is not done again.
    ///
    /// The heads are left alone: they hold what is recent, and are bounded.
    ///
    /// # Errors
    /// If the file cannot be written, or is damaged.
    pub fn keep_series(&mut self, now: Timestamp, rules: SeriesRules<'_>) -> Result<Retained, StoreError> {
        self.write(|transaction| {
            let mut retained = Retained { is_done: true, ..Retained::default() };
            for (source, name) in sources(transaction)? {
                let Some(rule) = rules.of(&name) else { continue };
                let left = CHUNKS_MAX - retained.let_go;
                retained.let_go += let_go_of_old(transaction, source, rule, now, left)?;
                if retained.taken_together == 0 {
                    retained.taken_together = take(transaction, source, rule, now)?;
                }
            }
            retained.bytes = make_room(transaction, rules.bytes_max, &mut retained.let_go)?;
            // What does as much as it may at once may have left something.
            retained.is_done = retained.taken_together == 0 && retained.let_go < CHUNKS_MAX;
            if retained.let_go > 0 {
                forget(transaction)?;
            }
            Ok(retained)
        })
    }
}

fn sources(connection: &Connection) -> Result<Vec<(i64, String)>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM sources ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut sources = Vec::new();
    while let Some(row) = rows.next()? {
        sources.push((placed(row.get(0)?)?, row.get(1)?));
    }
    Ok(sources)
}

fn let_go_of_old(
    connection: &Connection,
    source: i64,
    rule: &SeriesRule,
    now: Timestamp,
    most: u64,
) -> Result<u64, Fault> {
    let oldest = now - rule.intervals_for;
    let text = format!("SELECT id FROM chunks WHERE source = ?1 AND last < ?2 AND {UNPINNED} LIMIT ?3");
    let mut statement = connection.prepare_cached(&text)?;
    let old = statement.query_map(params![source, oldest.0, most.cast_signed()], |row| row.get::<_, i64>(0))?;
    let old = old.collect::<Result<Vec<_>, _>>()?;
    old.iter().try_for_each(|id| chunks::delete(connection, *id))?;
    Ok(old.len() as u64)
}

fn take(connection: &Connection, source: i64, rule: &SeriesRule, now: Timestamp) -> Result<u64, Fault> {
    let (before, interval) = (now - rule.every_scrape_for, rule.interval.0.max(1));
    match take_together::group(connection, source, before.0, interval)? {
        Some(group) => take_together::take_together(connection, source, interval, &group),
        None => Ok(0),
    }
}

/// Lets the oldest chunks go until the rest fits; what that takes.
fn make_room(connection: &Connection, most: Bytes, let_go: &mut u64) -> Result<Bytes, Fault> {
    let mut statement = connection.prepare_cached("SELECT coalesce(sum(bytes), 0) FROM chunks")?;
    let mut bytes: i64 = statement.query_row([], |row| row.get(0))?;
    let most = i64::try_from(most.0).unwrap_or(i64::MAX);
    if bytes > most {
        let left = CHUNKS_MAX.saturating_sub(*let_go).cast_signed();
        let text = format!("SELECT id, bytes FROM chunks WHERE {UNPINNED} ORDER BY last, id LIMIT ?1");
        let mut statement = connection.prepare_cached(&text)?;
        let oldest = statement.query_map([left], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        for (id, size) in oldest.collect::<Result<Vec<_>, _>>()? {
            if bytes <= most {
                break;
            }
            chunks::delete(connection, id)?;
            bytes = bytes.saturating_sub(size);
            *let_go += 1;
        }
    }
    Ok(Bytes(bytes.max(0).unsigned_abs()))
}

/// Lets go of the names of series of which nothing is left, and of sources without any.
fn forget(connection: &Connection) -> Result<(), Fault> {
    for (source, _) in sources(connection)? {
        let mut statement = connection.prepare_cached(
            "SELECT min(oldest) FROM (SELECT min(first) AS oldest FROM chunks WHERE source = ?1 \
             UNION ALL SELECT min(at) FROM scrapes WHERE id BETWEEN ?2 AND ?3)",
        )?;
        let head = (source * PLACES, source * PLACES + PLACES - 1);
        let oldest: Option<i64> = statement.query_row([source, head.0, head.1], |row| row.get(0))?;
        let before = oldest.map_or(i64::MAX, |oldest| oldest.saturating_sub(LAST_LATE_MS));
        connection
            .prepare_cached("DELETE FROM series WHERE source = ?1 AND last < ?2")?
            .execute(params![source, before])?;
    }
    connection
        .prepare_cached(
            "DELETE FROM sources WHERE id NOT IN (SELECT source FROM series) AND id NOT IN (SELECT source FROM chunks) \
             AND id NOT IN (SELECT source FROM pins) AND id NOT IN (SELECT id / 65536 FROM scrapes)",
        )?
        .execute([])?;
    Ok(())
}
