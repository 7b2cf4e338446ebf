//! Scrapes appended: to the head of their source, and, once that is full, to a chunk.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use super::chunks::{self, NewChunk, PLACES};
use super::gathered::Gathered;
use super::scrape::Layout;
use super::{CHUNK_SCRAPES, HEAD_VALUES_MAX, MOMENT_MAX, NAME_BYTES_MAX, SCRAPE_VALUES_MAX, Scrape, Scrapes, names};
use crate::error::{Fault, StoreError};
use crate::writer::Store;

impl Store {
    /// Appends scrapes, of one source or several: all or none. When it returns they are on the disk. Many in one call cost little more than
    /// one: what takes its time is the disk.
    ///
    /// A source's clock may go back or jump: its scrapes are kept with the moments they came with, and read in order of time, those of
    /// one moment in the order in which they came.
    ///
    /// # Errors
    /// If a scrape has another number of values than its source has series, a series is named twice or cannot be named so, a bound is passed
    /// ([`SERIES_MAX`](crate::SERIES_MAX), [`SCRAPE_VALUES_MAX`]), or the file cannot be written. Nothing of the call is there then.
    pub fn append_scrapes(&mut self, batches: &[Scrapes]) -> Result<(), StoreError> {
        self.write(|transaction| append_all(transaction, batches))
    }
}

/// Appends within a transaction. After an error nothing of it may stay.
pub(crate) fn append_all(connection: &Connection, batches: &[Scrapes]) -> Result<(), Fault> {
    batches.iter().try_for_each(|batch| {
        refusal(batch).map_or(Ok(()), |why| Err(Fault::Misshapen { why }))?;
        append(connection, batch)
    })
}

/// Why a batch cannot be kept.
pub(crate) fn refusal(batch: &Scrapes) -> Option<String> {
    let Scrapes { source, series, scrapes } = batch;
    if source.is_empty() || source.len() > NAME_BYTES_MAX {
        return Some(format!("a source has a name of at most {NAME_BYTES_MAX} bytes"));
    }
    if series.len() > SCRAPE_VALUES_MAX {
        return Some(format!(
            "source {source:?} has {} series at once, and at most {SCRAPE_VALUES_MAX} can be kept",
            series.len()
        ));
    }
    if let Some(why) = series.iter().find_map(names::refusal) {
        return Some(format!("source {source:?}: {why}"));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = series.iter().find(|series| !seen.insert(*series)) {
        return Some(format!("source {source:?} names series {:?} twice with the same labels", twice.name));
    }
    scrapes.iter().enumerate().find_map(|(index, Scrape { at, values })| {
        if values.len() != series.len() {
            return Some(format!(
                "scrape {index} of source {source:?} has {} values for {} series",
                values.len(),
                series.len()
            ));
        }
        (at.0.unsigned_abs() > MOMENT_MAX.unsigned_abs())
            .then(|| format!("scrape {index} of source {source:?} is of a moment ({}) that no clock tells", at.0))
    })
}

fn append(connection: &Connection, batch: &Scrapes) -> Result<(), Fault> {
    let Some(newest) = batch.scrapes.iter().map(|scrape| scrape.at.0).max() else { return Ok(()) };
    let source = names::source_or_new(connection, &batch.source)?;
    let slots = names::slots(connection, source, &batch.series, newest)?;
    let layout = Layout::new(&slots);
    let full = (HEAD_VALUES_MAX / slots.len().max(1)).min(CHUNK_SCRAPES);
    let mut head = head_length(connection, source)?;
    let mut rest = batch.scrapes.as_slice();
    // What fills a chunk goes there at once, together with what the head has.
    while head + rest.len() >= full {
        let (now, later) = rest.split_at(full.saturating_sub(head).min(rest.len()));
        become_chunk(connection, source, &layout, now)?;
        (head, rest) = (0, later);
    }
    let mut statement = connection.prepare_cached("INSERT INTO scrapes (id, at, body, crc) VALUES (?1, ?2, ?3, ?4)")?;
    for (place, Scrape { at, values }) in (head as i64..).zip(rest) {
        let (id, body) = (source * PLACES + place, layout.write(values));
        let crc = chunks::checksum(id, Some(at.0), &body);
        statement.execute(params![id, at.0, body, crc])?;
    }
    Ok(())
}

/// How many scrapes a source's head has. Its places have no gaps.
fn head_length(connection: &Connection, source: i64) -> Result<usize, Fault> {
    let mut statement = connection.prepare_cached("SELECT max(id) FROM scrapes WHERE id BETWEEN ?1 AND ?2")?;
    let last: Option<i64> = statement.query_row([source * PLACES, source * PLACES + PLACES - 1], |row| row.get(0))?;
    Ok(last.map_or(0, |id| (id % PLACES) as usize + 1))
}

/// Makes a chunk of a source's head and what follows it, and empties the head.
fn become_chunk(connection: &Connection, source: i64, layout: &Layout, more: &[Scrape]) -> Result<(), Fault> {
    let mut gathered = Gathered::default();
    chunks::head(connection, source, |at, readings| gathered.add(at, readings))?;
    more.iter().for_each(|Scrape { at, values }| gathered.add(at.0, layout.readings(values)));
    let Some(span) = gathered.span() else { return Ok(()) };
    if gathered.count() > CHUNK_SCRAPES {
        return Err(Fault::Corrupt {
            what: format!("the head of source {source} of the series is longer than it can be"),
        });
    }
    let chunk = NewChunk { source, step: 0, span, count: gathered.count() };
    chunks::insert(connection, &chunk, &gathered.moments(), gathered.pieces().map(Ok))?;
    connection
        .prepare_cached("DELETE FROM scrapes WHERE id BETWEEN ?1 AND ?2")?
        .execute([source * PLACES, source * PLACES + PLACES - 1])?;
    Ok(())
}
