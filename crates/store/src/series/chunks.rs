//! Chunks and heads: rows of the file.

use rusqlite::{Connection, params};

use super::bytes::Broken;
use super::piece::Reading;
use super::{CHUNK_SCRAPES, pieces, scrape};
use crate::error::Fault;

/// A row's id is this many times its chunk's or source's, and its slot or place.
pub(super) const PLACES: i64 = 1 << 16;

/// An id of a chunk or a source, if those of its rows can be told from it.
pub(super) fn placed(id: i64) -> Result<i64, Fault> {
    if (1..i64::MAX / PLACES).contains(&id) {
        Ok(id)
    } else {
        Err(Fault::Corrupt { what: format!("a chunk or source of the series has the impossible id {id}") })
    }
}

/// What [`chunk`] reads.
pub(super) const COLUMNS: &str = "id, source, step, first, last, count, bytes";

/// A stretch of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) id: i64,
    pub(super) source: i64,
    /// How long its intervals are, in milliseconds; 0 where it holds every scrape.
    pub(super) step: i64,
    /// The first and the last of its moments, by time.
    pub(super) first: i64,
    pub(super) last: i64,
    /// How many moments it has.
    pub(super) count: usize,
    pub(super) bytes: u64,
}

/// What a new chunk is.
pub(super) struct NewChunk {
    pub(super) source: i64,
    pub(super) step: i64,
    pub(super) span: (i64, i64),
    pub(super) count: usize,
}

/// Writes a chunk: its moments, and the pieces of its series, whose slots rise.
pub(super) fn insert(
    connection: &Connection,
    chunk: &NewChunk,
    moments: &[u8],
    pieces: impl Iterator<Item = Result<(u16, Vec<u8>), Fault>>,
) -> Result<(), Fault> {
    let NewChunk { source, step, span: (first, last), count } = chunk;
    debug_assert!((1..=CHUNK_SCRAPES).contains(count) && first <= last, "a chunk holds something, and not too much");
    connection
        .prepare_cached("INSERT INTO chunks (source, step, first, last, count, bytes) VALUES (?1, ?2, ?3, ?4, ?5, 0)")?
        .execute(params![source, step, first, last, *count as i64])?;
    let id = placed(connection.last_insert_rowid())?;
    let bytes = pieces::insert(connection, id, moments, pieces)?;
    connection
        .prepare_cached("UPDATE chunks SET bytes = ?2 WHERE id = ?1")?
        .execute(params![id, bytes.cast_signed()])?;
    Ok(())
}

/// Takes a chunk and its pieces out.
pub(super) fn delete(connection: &Connection, id: i64) -> Result<(), Fault> {
    let id = placed(id)?;
    connection
        .prepare_cached("DELETE FROM pieces WHERE id BETWEEN ?1 AND ?2")?
        .execute([id * PLACES, id * PLACES + PLACES - 1])?;
    connection.prepare_cached("DELETE FROM chunks WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// The chunks of a source that have anything in a span, the latest first.
pub(super) fn of_source(connection: &Connection, source: i64, from: i64, until: i64) -> Result<Vec<Chunk>, Fault> {
    let text = format!(
        "SELECT {COLUMNS} FROM chunks WHERE source = ?1 AND first < ?3 AND last >= ?2 ORDER BY last DESC, id DESC"
    );
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query([source, from, until])?;
    let mut chunks = Vec::new();
    while let Some(row) = rows.next()? {
        chunks.push(chunk(row)?);
    }
    Ok(chunks)
}

/// A chunk of [`COLUMNS`].
pub(super) fn chunk(row: &rusqlite::Row<'_>) -> Result<Chunk, Fault> {
    let id = placed(row.get(0)?)?;
    let count: i64 = row.get(5)?;
    let count = usize::try_from(count).ok().filter(|count| (1..=CHUNK_SCRAPES).contains(count));
    let count =
        count.ok_or_else(|| Fault::Corrupt { what: format!("chunk {id} of the series has an impossible count") })?;
    let bytes: i64 = row.get(6)?;
    Ok(Chunk {
        id,
        source: row.get(1)?,
        step: row.get(2)?,
        first: row.get(3)?,
        last: row.get(4)?,
        count,
        bytes: bytes.max(0).unsigned_abs(),
    })
}

/// What `read` makes of a body, if it is the one that was written.
pub(super) fn checked<T>(
    id: i64,
    at: Option<i64>,
    body: &[u8],
    crc: u32,
    read: impl FnOnce(&[u8]) -> Result<T, Broken>,
) -> Result<T, Broken> {
    if checksum(id, at, body) == crc { read(body) } else { Err(Broken("it is not as it was written")) }
}

/// Of a row's id, its moment where the row has one, and its body.
pub(super) fn checksum(id: i64, at: Option<i64>, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&id.to_le_bytes());
    if let Some(at) = at {
        hasher.update(&at.to_le_bytes());
    }
    hasher.update(body);
    hasher.finalize()
}

/// The scrapes of a source's head, in the order in which they came.
pub(super) fn head(
    connection: &Connection,
    source: i64,
    mut take: impl FnMut(i64, Vec<(u16, Reading)>),
) -> Result<(), Fault> {
    let source = placed(source)?;
    let mut statement =
        connection.prepare_cached("SELECT id, at, body, crc FROM scrapes WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
    let mut rows = statement.query([source * PLACES, source * PLACES + PLACES - 1])?;
    while let Some(row) = rows.next()? {
        let (id, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let body = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        let readings =
            checked(id, Some(at), body, row.get(3)?, scrape::read).map_err(|Broken(why)| Fault::Corrupt {
                what: format!("scrape {} of source {source} of the series cannot be read: {why}", id % PLACES),
            })?;
        take(at, readings);
    }
    Ok(())
}
