//! Old chunks of every scrape, taken together to one of intervals.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::chunks::{self, Chunk, NewChunk, PLACES};
use super::gathered::write_moments;
use super::piece::{Sum, write_sums};
use super::pins::UNPINNED;
use super::{CHUNK_SCRAPES, intervals};
use crate::error::Fault;

/// How many chunks are taken together at most: about 18 hours of seconds.
const CHUNKS_MAX: usize = 64;

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
        "SELECT id, step, first, last, count, bytes FROM chunks WHERE source = ?1 AND step = 0 AND last < ?2 AND {UNPINNED} \
         ORDER BY first, id LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query(params![source, before, CHUNKS_MAX as i64])?;
    let mut group = Group { chunks: Vec::new(), begins: BTreeSet::new() };
    let mut is_full = false;
    while let Some(row) = rows.next()? {
        let chunk = chunks::chunk(row)?;
        let mut begins = group.begins.clone();
        begins.extend(chunks::moments(connection, &chunk)?.into_iter().map(|at| at - at.rem_euclid(interval)));
        if begins.len() > CHUNK_SCRAPES {
            is_full = true;
            break;
        }
        group.begins = begins;
        group.chunks.push(chunk);
    }
    is_full |= group.chunks.len() == CHUNKS_MAX || group.begins.len() >= WORTH;
    let waited = group.chunks.first().is_some_and(|chunk| chunk.last < before.saturating_sub(PATIENCE_MS));
    Ok((is_full || waited).then_some(group).filter(|group| !group.chunks.is_empty()))
}

/// Puts one chunk of intervals in a group's place; of how many chunks.
pub(super) fn take_together(connection: &Connection, source: i64, interval: i64, group: &Group) -> Result<u64, Fault> {
    let Group { chunks, begins } = group;
    let (Some(first), Some(last)) = (begins.first(), begins.last()) else { return Ok(0) };
    let moments: Vec<i64> = begins.iter().copied().collect();
    let chunk = NewChunk { source, step: interval, span: (*first, *last), count: moments.len() };
    let columns = slots(connection, chunks)?.into_iter().map(|slot| {
        let mut sums: BTreeMap<i64, Sum> = BTreeMap::new();
        for chunk in chunks {
            intervals::each(connection, chunk, slot, |at, sum| {
                sums.entry(at - at.rem_euclid(interval)).or_default().add(sum);
            })?;
        }
        let column: Vec<Option<Sum>> = begins.iter().map(|begin| sums.get(begin).copied()).collect();
        Ok((slot, write_sums(&column)))
    });
    chunks::insert(connection, &chunk, std::iter::once(Ok((0, write_moments(&moments)))).chain(columns))?;
    chunks.iter().try_for_each(|chunk| chunks::delete(connection, chunk.id))?;
    Ok(chunks.len() as u64)
}

/// The slots of all series that chunks have.
fn slots(connection: &Connection, chunks: &[Chunk]) -> Result<BTreeSet<u16>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id FROM pieces WHERE id > ?1 AND id < ?2")?;
    let mut slots = BTreeSet::new();
    for chunk in chunks {
        let mut rows = statement.query([chunk.id * PLACES, chunk.id * PLACES + PLACES])?;
        while let Some(row) = rows.next()? {
            slots.insert((row.get::<_, i64>(0)? % PLACES) as u16);
        }
    }
    Ok(slots)
}
