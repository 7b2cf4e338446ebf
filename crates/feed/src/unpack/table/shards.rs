//! Rows as shards of MDS: a count, where each row begins (32 bits each), and the rows.
//!
//! Room for the offsets of as many rows as a shard may have is left in front, so that rows are written once and where they stay.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use super::super::room::Room;
use super::{TableError, too_large};

/// Rows of a shard, at most: their offsets take 256 KiB.
const ROWS_MAX: u64 = 1 << 16;

/// The name of a shard's file.
pub(crate) fn shard_name(number: usize) -> String {
    format!("rows.{number:05}.mds")
}

/// Shards that are written one after the other.
pub(super) struct Shards<'r, 'c> {
    room: &'r mut Room<'c>,
    rows_max: u64,
    open: Option<OpenShard>,
    /// The rows of each that is written.
    counts: Vec<u64>,
}

struct OpenShard {
    file: BufWriter<File>,
    /// Where each row begins, and where the last ends.
    offsets: Vec<u32>,
}

impl OpenShard {
    fn end(&self) -> u32 {
        *self.offsets.last().expect("the first row begins somewhere")
    }
}

impl<'r, 'c> Shards<'r, 'c> {
    /// For so many rows, where that is known.
    pub(super) fn new(room: &'r mut Room<'c>, rows: Option<u64>) -> Shards<'r, 'c> {
        let rows_max = rows.map_or(ROWS_MAX, |rows| rows.clamp(1, ROWS_MAX));
        Shards { room, rows_max, open: None, counts: Vec::new() }
    }

    /// Bytes before the first row.
    fn head(&self) -> u32 {
        // A count, and an offset for each row and for the end.
        4 * (self.rows_max as u32 + 2)
    }

    /// Writes a row.
    pub(super) fn add(&mut self, row: &[u8]) -> Result<(), TableError> {
        let end = |shard: &OpenShard| u32::try_from(row.len()).ok().and_then(|bytes| shard.end().checked_add(bytes));
        let is_full = |shard: &OpenShard| shard.offsets.len() as u64 > self.rows_max || end(shard).is_none();
        if self.open.as_ref().is_some_and(is_full) {
            self.close()?;
        }
        let mut shard = match self.open.take() {
            Some(shard) => shard,
            None => self.begin()?,
        };
        let end = end(&shard).ok_or_else(|| TableError::Damaged(too_large()))?;
        self.room.take(row.len() as u64)?;
        shard.file.write_all(row).map_err(|error| self.room.failed(error))?;
        shard.offsets.push(end);
        self.open = Some(shard);
        Ok(())
    }

    fn begin(&mut self) -> Result<OpenShard, TableError> {
        self.room.take(u64::from(self.head()))?;
        let mut file = BufWriter::with_capacity(1 << 20, self.room.create(&shard_name(self.counts.len()))?);
        file.seek(SeekFrom::Start(u64::from(self.head()))).map_err(|error| self.room.failed(error))?;
        Ok(OpenShard { file, offsets: vec![self.head()] })
    }

    fn close(&mut self) -> Result<(), TableError> {
        let Some(OpenShard { mut file, offsets }) = self.open.take() else { return Ok(()) };
        let rows = offsets.len() as u32 - 1;
        let head: Vec<u8> = [rows].iter().chain(&offsets).flat_map(|word| word.to_le_bytes()).collect();
        let written = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&head)).and_then(|()| file.flush());
        written.map_err(|error| self.room.failed(error))?;
        self.counts.push(u64::from(rows));
        Ok(())
    }

    /// All rows are written; with how many each shard has.
    pub(super) fn finish(mut self) -> Result<Vec<u64>, TableError> {
        self.close()?;
        Ok(self.counts)
    }
}
