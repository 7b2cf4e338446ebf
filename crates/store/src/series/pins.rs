//! Pins: spans that are kept as they were measured, because a finding shows them.

use fleet::time::Timestamp;
use rusqlite::{Connection, params};

use super::names;
use crate::error::{Fault, StoreError};
use crate::reader::Reader;
use crate::writer::Store;

/// A span of a source that a finding shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// Which finding, by an id that its owner gives out.
    pub finding: String,
    /// Of which source: all of its series.
    pub source: String,
    /// Not before.
    pub from: Timestamp,
    /// Before.
    pub until: Timestamp,
}

impl Store {
    /// Keeps every scrape of a span, in the chunks that have any of it, until the finding lets go of it. What is pinned already stays so.
    ///
    /// # Errors
    /// If the span is empty, there is no such source, or the file cannot be written.
    pub fn pin(&mut self, pin: &Pin) -> Result<(), StoreError> {
        self.write(|transaction| {
            let Pin { finding, source, from, until } = pin;
            if from >= until {
                return Err(Fault::Misshapen { why: format!("a pin of finding {finding:?} ends before it begins") });
            }
            let Some(source) = names::source(transaction, source)? else {
                return Err(Fault::Unknown { what: format!("source {source:?}") });
            };
            transaction
                .prepare_cached("INSERT OR IGNORE INTO pins (finding, source, first, until) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![finding, source, from.0, until.0])?;
            Ok(())
        })
    }

    /// Lets go of all that a finding pinned; how many pins it had.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn unpin(&mut self, finding: &str) -> Result<usize, StoreError> {
        self.write(|transaction| {
            Ok(transaction.prepare_cached("DELETE FROM pins WHERE finding = ?1")?.execute([finding])?)
        })
    }
}

impl Reader {
    /// The pins of a finding, in order of source and time.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn pins_of(&self, finding: &str) -> Result<Vec<Pin>, StoreError> {
        Ok(self.pins()?.into_iter().filter(|pin| pin.finding == finding).collect())
    }

    /// All pins, in order of finding, source and time.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn pins(&self) -> Result<Vec<Pin>, StoreError> {
        self.read(|snapshot| {
            let mut statement = snapshot.prepare_cached(
                "SELECT finding, name, first, until FROM pins JOIN sources ON source = id ORDER BY finding, name, first, until",
            )?;
            let mut rows = statement.query([])?;
            let mut pins = Vec::new();
            while let Some(row) = rows.next()? {
                let (from, until) = (Timestamp(row.get(2)?), Timestamp(row.get(3)?));
                pins.push(Pin { finding: row.get(0)?, source: row.get(1)?, from, until });
            }
            Ok(pins)
        })
    }
}

/// Pins a span of a source for a finding that has one span of each source, which only its end may change. A source that is not known is passed
/// over: there is nothing to keep.
pub(crate) fn hold(
    connection: &Connection,
    finding: &str,
    source: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<(), Fault> {
    let Some(source) = names::source(connection, source)? else { return Ok(()) };
    let changed = connection
        .prepare_cached("UPDATE pins SET until = ?3 WHERE finding = ?1 AND source = ?2")?
        .execute(params![finding, source, until.0])?;
    if changed == 0 && from < until {
        connection
            .prepare_cached("INSERT INTO pins (finding, source, first, until) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![finding, source, from.0, until.0])?;
    }
    Ok(())
}

/// A condition on a row of `chunks`: nothing of it is pinned.
pub(super) const UNPINNED: &str = "NOT EXISTS (SELECT 1 FROM pins WHERE pins.source = chunks.source \
    AND pins.first <= chunks.last AND pins.until > chunks.first)";
