//! Whether series are what their rows say.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::chunks::{self, COLUMNS, Chunk, PLACES};
use super::{intervals, pieces};
use crate::error::Fault;

/// How many chunks and scrapes of heads were read.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) chunks: u64,
    pub(crate) scrapes: u64,
}

/// Reads every chunk and every head, and tells what does not hold.
pub(crate) fn check(connection: &Connection, tell: &mut impl FnMut(String)) -> Result<Checked, Fault> {
    let mut checked = Checked::default();
    let mut tell_of = |result: Result<(), Fault>| match result {
        Err(Fault::Corrupt { what }) => {
            tell(what);
            Ok(())
        }
        other => other,
    };
    let mut statement = connection.prepare("SELECT source, slot FROM series")?;
    let known = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<BTreeSet<_>, _>>()?;
    let mut statement = connection.prepare("SELECT id FROM sources ORDER BY id")?;
    let sources = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    for source in sources {
        tell_of(chunks::head(connection, source, |_, _| checked.scrapes += 1))?;
    }
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM chunks ORDER BY id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        checked.chunks += 1;
        tell_of(chunks::chunk(row).and_then(|chunk| look(connection, &chunk, &known)))?;
    }
    tell_of(nothing_by_itself(connection))?;
    Ok(checked)
}

/// One chunk: its moments, its pieces, and what its row says of both.
fn look(connection: &Connection, chunk: &Chunk, known: &BTreeSet<(i64, u16)>) -> Result<(), Fault> {
    let corrupt = |what: &str| Err(Fault::Corrupt { what: format!("chunk {} of the series {what}", chunk.id) });
    let moments = pieces::moments(connection, chunk)?;
    if moments.iter().min() != Some(&chunk.first) || moments.iter().max() != Some(&chunk.last) {
        return corrupt("has other moments than it says");
    }
    let mut stranger = false;
    pieces::each(connection, chunk, |slot, piece| {
        stranger |= !known.contains(&(chunk.source, slot));
        intervals::sums(chunk, piece).map(|_| ())
    })?;
    if stranger {
        return corrupt("holds a series that has no name");
    }
    let mut statement =
        connection.prepare_cached("SELECT count(*), sum(length(body)) FROM pieces WHERE id BETWEEN ?1 AND ?2")?;
    let range = [chunk.id * PLACES, chunk.id * PLACES + PLACES - 1];
    let (rows, length): (i64, i64) = statement.query_row(range, |row| Ok((row.get(0)?, row.get(1)?)))?;
    if pieces::bytes_of(rows.unsigned_abs(), length.unsigned_abs()) == chunk.bytes {
        Ok(())
    } else {
        corrupt("takes another room than it says")
    }
}

/// No row stands where nobody finds it.
fn nothing_by_itself(connection: &Connection) -> Result<(), Fault> {
    for (table, of) in [("pieces", "chunks"), ("scrapes", "sources")] {
        let text = format!("SELECT id FROM {table} WHERE id / {PLACES} NOT IN (SELECT id FROM {of}) LIMIT 1");
        let mut statement = connection.prepare(&text)?;
        let mut rows = statement.query([])?;
        if let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            return Err(Fault::Corrupt { what: format!("row {id} of table {table} belongs to nothing") });
        }
    }
    Ok(())
}
