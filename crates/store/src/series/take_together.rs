//! Old chunks of every scrape, taken together to one of intervals.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::bytes::Broken;
use super::chunks::{self, COLUMNS, Chunk, NewChunk};
use super::gathered::write_moments;
use super::piece::write_sums;
use super::pins::UNPINNED;
use super::sum::Sum;
use super::{CHUNK_SCRAPES, intervals, pieces};
use crate::error::Fault;

/// How many chunks are taken together at most, and what they take at most, in bytes.
const CHUNKS_MAX: usize = 64;
const BYTES_MAX: u64 = 32 << 20;

/// So many intervals are worth a chunk of their own; columns that are shorter take more for each.
const WORTH: usize = CHUNK_SCRAPES / 2;

/// What has waited so long, in milliseconds, does not wait for more.
const PATIENCE_MS: i64 = 24 * 3_600_000;

/// Chunks that are old enough, and the intervals that they have.
pub(super) struct Group {
    chunks: Vec<Chunk>,
    begins: BTreeSet<i64>,
}

/// The oldest chunks of every scrape of a source of which nothing is after `before` or pinned, once there are enough of them.
pub(super) fn group(connection: &Connection, source: i64, before: i64, interval: i64) -> Result<Option<Group>, Fault> {
    let text = format!(
        "SELECT {COLUMNS} FROM chunks WHERE source = ?1 AND step = 0 AND last < ?2 AND {UNPINNED} \
         ORDER BY first, id LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query(params![source, before, CHUNKS_MAX as i64])?;
    let mut group = Group { chunks: Vec::new(), begins: BTreeSet::new() };
    let (mut is_full, mut bytes) = (false, 0);
    while let Some(row) = rows.next()? {
        let chunk = chunks::chunk(row)?;
        let mut begins = group.begins.clone();
        begins.extend(pieces::moments(connection, &chunk)?.into_iter().map(|at| at - at.rem_euclid(interval)));
        if begins.len() > CHUNK_SCRAPES {
            is_full = true;
            break;
        }
        group.begins = begins;
        bytes = chunk.bytes.saturating_add(bytes);
        group.chunks.push(chunk);
        is_full = group.begins.len() >= WORTH || group.chunks.len() == CHUNKS_MAX || bytes >= BYTES_MAX;
        if is_full {
            break;
        }
    }
    let waited = group.chunks.first().is_some_and(|chunk| chunk.last < before.saturating_sub(PATIENCE_MS));
    Ok((is_full || waited).then_some(group).filter(|group| !group.chunks.is_empty()))
}

/// Puts one chunk of intervals in a group's place; of how many chunks.
pub(super) fn take_together(connection: &Connection, source: i64, interval: i64, group: &Group) -> Result<u64, Fault> {
    let Group { chunks, begins } = group;
    let (Some(first), Some(last)) = (begins.first(), begins.last()) else { return Ok(0) };
    let moments: Vec<i64> = begins.iter().copied().collect();
    let new = NewChunk { source, step: interval, span: (*first, *last), count: moments.len() };
    // As they are packed: unpacked, one series is in memory at a time.
    let mut packed: BTreeMap<u16, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
    let mut places = Vec::with_capacity(chunks.len());
    for (index, chunk) in chunks.iter().enumerate() {
        pieces::each(connection, chunk, |slot, piece| {
            packed.entry(slot).or_default().push((index, piece.to_vec()));
            Ok(())
        })?;
        let place = |at: i64| moments.binary_search(&(at - at.rem_euclid(interval))).ok();
        places.push(pieces::moments(connection, chunk)?.into_iter().map(place).collect::<Vec<_>>());
    }
    let columns = packed.into_iter().map(|(slot, packed)| {
        let mut column: Vec<Option<Sum>> = vec![None; moments.len()];
        for (index, piece) in packed {
            let sums = intervals::sums(&chunks[index], &piece).map_err(|Broken(why)| Fault::Corrupt {
                what: format!("series {slot} of chunk {} cannot be read: {why}", chunks[index].id),
            })?;
            for (place, sum) in places[index].iter().zip(&sums) {
                if let (Some(place), Some(sum)) = (place, sum) {
                    column[*place].get_or_insert_default().add(sum);
                }
            }
        }
        Ok((slot, write_sums(&column)))
    });
    chunks::insert(connection, &new, &write_moments(&moments), columns)?;
    chunks.iter().try_for_each(|chunk| chunks::delete(connection, chunk.id))?;
    Ok(chunks.len() as u64)
}
