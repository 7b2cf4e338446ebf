//! Whether series are what their rows say.

use rusqlite::Connection;

use super::chunks::{self, Chunk, PLACES};
use super::piece::{read_readings, read_sums};
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
    let mut statement = connection.prepare("SELECT id FROM sources ORDER BY id")?;
    let sources = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    for source in sources {
        tell_of(chunks::head(connection, source, |_, _| checked.scrapes += 1))?;
    }
    let mut statement = connection.prepare("SELECT id, step, first, last, count, bytes FROM chunks ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        checked.chunks += 1;
        tell_of(chunks::chunk(row).and_then(|chunk| look(connection, &chunk)))?;
    }
    tell_of(nothing_by_itself(connection))?;
    Ok(checked)
}

/// One chunk: its moments, its pieces, and what its row says of both.
fn look(connection: &Connection, chunk: &Chunk) -> Result<(), Fault> {
    let corrupt = |what: &str| Err(Fault::Corrupt { what: format!("chunk {} of the series {what}", chunk.id) });
    let moments = chunks::moments(connection, chunk)?;
    if moments.iter().min() != Some(&chunk.first) || moments.iter().max() != Some(&chunk.last) {
        return corrupt("has other moments than it says");
    }
    let mut statement = connection.prepare_cached("SELECT id, length(body) FROM pieces WHERE id BETWEEN ?1 AND ?2")?;
    let mut rows = statement.query([chunk.id * PLACES, chunk.id * PLACES + PLACES - 1])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let (id, length): (i64, i64) = (row.get(0)?, row.get(1)?);
        bytes += chunks::bytes_of(length.max(0).unsigned_abs());
        let slot = (id % PLACES) as u16;
        if slot > 0 {
            chunks::piece(connection, chunk, slot, |body| match chunk.step {
                0 => read_readings(body, chunk.count).map(|_| ()),
                _ => read_sums(body, chunk.count).map(|_| ()),
            })?;
        }
    }
    if bytes == chunk.bytes { Ok(()) } else { corrupt("takes another room than it says") }
}

/// No piece, scrape or value stands where nobody finds it.
fn nothing_by_itself(connection: &Connection) -> Result<(), Fault> {
    for (text, what) in [
        ("SELECT id FROM pieces WHERE id / 65536 NOT IN (SELECT id FROM chunks) LIMIT 1", "piece"),
        ("SELECT id FROM scrapes WHERE id / 65536 NOT IN (SELECT id FROM sources) LIMIT 1", "scrape"),
        (
            "SELECT pieces.id FROM pieces JOIN chunks ON chunks.id = pieces.id / 65536 WHERE pieces.id % 65536 > 0 AND NOT EXISTS \
             (SELECT 1 FROM series WHERE series.source = chunks.source AND slot = pieces.id % 65536) LIMIT 1",
            "piece",
        ),
    ] {
        let mut statement = connection.prepare(text)?;
        let mut rows = statement.query([])?;
        if let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            return Err(Fault::Corrupt { what: format!("{what} {id} of the series belongs to nothing") });
        }
    }
    Ok(())
}
