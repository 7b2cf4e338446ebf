//! Rows with what chunks hold: moments, and bundles of pieces.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bundle::{Packer, Pieces};
use super::bytes::Broken;
use super::chunks::{Chunk, PLACES, checked, checksum};
use super::{MOMENT_MAX, numbers};
use crate::error::Fault;

/// What a row takes beside its body, about.
const ROW_BYTES: u64 = 16;

/// Writes the moments of a chunk, and the pieces of its series, whose slots rise; what that takes.
pub(super) fn insert(
    connection: &Connection,
    chunk: i64,
    moments: &[u8],
    pieces: impl Iterator<Item = Result<(u16, Vec<u8>), Fault>>,
) -> Result<u64, Fault> {
    let mut statement = connection.prepare_cached("INSERT INTO pieces (id, body, crc) VALUES (?1, ?2, ?3)")?;
    let (mut rows, mut bytes) = (0, 0);
    let mut row = |slot: u16, body: &[u8]| -> Result<(), Fault> {
        let id = chunk * PLACES + i64::from(slot);
        statement.execute(params![id, body, checksum(id, None, body)])?;
        rows += 1;
        bytes += body.len() as u64;
        Ok(())
    };
    row(0, moments)?;
    let mut packer = Packer::default();
    for piece in pieces {
        let (slot, piece) = piece?;
        if let Some((first, body)) = packer.add(slot, &piece) {
            row(first, &body)?;
        }
    }
    if let Some((first, body)) = packer.finish() {
        row(first, &body)?;
    }
    Ok(bytes_of(rows, bytes))
}

/// What so many rows take, with bodies of so many bytes together.
pub(super) fn bytes_of(rows: u64, bodies: u64) -> u64 {
    rows * ROW_BYTES + bodies
}

/// The moments of a chunk, in the order in which they came.
pub(super) fn moments(connection: &Connection, chunk: &Chunk) -> Result<Vec<i64>, Fault> {
    let id = chunk.id * PLACES;
    let mut statement = connection.prepare_cached("SELECT body, crc FROM pieces WHERE id = ?1")?;
    let read = |body: &[u8]| read_moments(body, chunk.count);
    let read = |row: &Row<'_>| Ok(checked(id, None, row.get_ref(0)?.as_blob()?, row.get(1)?, read));
    match statement.query_row([id], read).optional()? {
        Some(moments) => moments.map_err(|Broken(why)| corrupt(chunk, why)),
        None => Err(corrupt(chunk, "it has no moments")),
    }
}

/// What a column of moments holds.
pub(super) fn read_moments(body: &[u8], count: usize) -> Result<Vec<i64>, Broken> {
    let is_moment = |at: &f64| at.abs() <= MOMENT_MAX as f64 && at.to_bits() == (*at as i64 as f64).to_bits();
    let moments = numbers::read(body, count)?;
    if moments.iter().all(is_moment) {
        Ok(moments.into_iter().map(|at| at as i64).collect())
    } else {
        Err(Broken("a moment is none"))
    }
}

/// What `read` makes of a series' piece of a chunk; nothing where the series is not in it.
pub(super) fn piece<T>(
    connection: &Connection,
    chunk: &Chunk,
    slot: u16,
    read: impl FnOnce(&[u8]) -> Result<T, Broken>,
) -> Result<Option<T>, Fault> {
    // It can only be in the last bundle that does not begin after it.
    let mut statement = connection
        .prepare_cached("SELECT id, body, crc FROM pieces WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1")?;
    let mut rows = statement.query([chunk.id * PLACES + 1, chunk.id * PLACES + i64::from(slot)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let found = bundle(row, |first, body| Pieces::of(first, body).find(slot)?.map(read).transpose())?;
    found.map_err(|Broken(why)| corrupt(chunk, why))
}

/// Hands out all pieces of a chunk, with their slots, which rise.
pub(super) fn each(
    connection: &Connection,
    chunk: &Chunk,
    mut take: impl FnMut(u16, &[u8]) -> Result<(), Broken>,
) -> Result<(), Fault> {
    let mut statement =
        connection.prepare_cached("SELECT id, body, crc FROM pieces WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
    let mut rows = statement.query([chunk.id * PLACES + 1, chunk.id * PLACES + PLACES - 1])?;
    let mut last = 0;
    while let Some(row) = rows.next()? {
        let taken = bundle(row, |first, body| {
            let mut pieces = Pieces::of(first, body);
            while let Some((slot, piece)) = pieces.next()? {
                if slot <= last {
                    return Err(Broken("a series is in it twice"));
                }
                last = slot;
                take(slot, piece)?;
            }
            Ok(())
        })?;
        taken.map_err(|Broken(why)| corrupt(chunk, why))?;
    }
    Ok(())
}

/// What `read` makes of a row of the columns `id, body, crc`, if it is the one that was written.
fn bundle<T>(row: &Row<'_>, read: impl FnOnce(u16, &[u8]) -> Result<T, Broken>) -> Result<Result<T, Broken>, Fault> {
    let id: i64 = row.get(0)?;
    let body = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    Ok(checked(id, None, body, row.get(2)?, |body| read((id % PLACES) as u16, body)))
}

fn corrupt(chunk: &Chunk, why: &str) -> Fault {
    Fault::Corrupt { what: format!("chunk {} of the series cannot be read: {why}", chunk.id) }
}
