//! Parquet tables as the CSV that they could have been: whoever reads a table line by line reads these as well.
//!
//! Batch by batch, in memory that hangs on how large the table's pages are, and not on how many rows it has. Columns that have no place
//! in CSV (lists, structs, bytes) are left out; what is absent, and what is not a number where numbers are, is an empty field.

mod cells;

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::file::reader::ChunkReader;
use bytes::Bytes;
use fleet::text::COLUMNS_MAX;

use crate::file::Input;

/// What such a file begins with, and ends with.
const MAGIC: &[u8] = b"PAR1";

/// Tables that come through a pipe or are compressed as wholes are held in memory, up to so much: what is where stands at their end.
const HELD_MAX: u64 = 512 << 20;

/// A batch has about as much, and no more rows than this.
const BATCH_BYTES: u64 = 4 << 20;
/// See [`BATCH_BYTES`].
const BATCH_ROWS_MAX: u64 = 8_192;

/// Whether a file that begins so is such a table.
#[must_use]
pub fn is_parquet(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// The rows of a table, as lines of CSV after one of column names.
pub struct AsCsv {
    batches: ParquetRecordBatchReader,
    /// Lines, and how far they were handed out.
    lines: Vec<u8>,
    at: usize,
}

/// Opens a table: the file itself where it can be read at any place, else what `input` brings.
///
/// # Errors
/// If it is no such table, is damaged, or is too large to be held where it must be.
pub fn as_csv(path: &Path, input: Input) -> io::Result<AsCsv> {
    let mut begin = [0; MAGIC.len()];
    if path.is_file() && File::open(path)?.read_exact(&mut begin).is_ok() && begin == MAGIC {
        return AsCsv::begin(File::open(path)?);
    }
    let mut held = Vec::new();
    input.take(HELD_MAX + 1).read_to_end(&mut held)?;
    if held.len() as u64 > HELD_MAX {
        let most = HELD_MAX >> 20;
        return Err(invalid(&format!(
            "a Parquet file that is compressed as a whole or comes through a pipe is read up to {most} MiB; give the file as it was written"
        )));
    }
    AsCsv::begin(Bytes::from(held))
}

impl AsCsv {
    /// Reads what is where, and writes the line of column names.
    ///
    /// # Errors
    /// If it is no such table, or is damaged.
    pub fn begin(table: impl ChunkReader + 'static) -> io::Result<Self> {
        // Types are those of the table itself: what Arrow's own schema says beside them are ways to hold the same values.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(|| ArrowReaderMetadata::load(&table, options).map_err(|error| damaged(&error)))?;
        let fields = metadata.schema().fields();
        let kept: Vec<usize> = (0..fields.len()).filter(|at| cells::has_place(fields[*at].data_type())).collect();
        if kept.len() > COLUMNS_MAX {
            return Err(invalid(&format!("it has {} columns; expected {COLUMNS_MAX} at most", kept.len())));
        }
        let mut lines = Vec::new();
        cells::line(&mut lines, kept.iter().map(|at| fields[*at].name().as_str()));
        let groups = metadata.metadata().row_groups().iter();
        let rows_of_batch = groups.map(|group| {
            let rows = group.num_rows().max(1) as u64;
            let row_bytes = (group.total_byte_size().max(0) as u64 / rows).max(1);
            (BATCH_BYTES / row_bytes).clamp(1, BATCH_ROWS_MAX)
        });
        let rows_of_batch = rows_of_batch.min().unwrap_or(BATCH_ROWS_MAX) as usize;
        let batches = guarded(|| {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(table, metadata);
            let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
            let builder = builder.with_projection(mask).with_batch_size(rows_of_batch);
            builder.build().map_err(|error| damaged(&error))
        })?;
        Ok(Self { batches, lines, at: 0 })
    }

    /// Writes the lines of the next batch; none at the end.
    fn next_batch(&mut self) -> io::Result<()> {
        self.lines.clear();
        self.at = 0;
        let batches = &mut self.batches;
        while self.lines.is_empty() {
            match guarded(|| batches.next().transpose().map_err(|error| damaged(&error)))? {
                Some(batch) => cells::rows(&mut self.lines, &batch),
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

impl Read for AsCsv {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for AsCsv {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.lines.len() {
            self.next_batch()?;
        }
        Ok(&self.lines[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

/// Of files that nobody made by hand there may be some at which the library stops in the middle, as at a wrong sum; that is an error
/// of the file.
fn guarded<T>(read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged(&"it contradicts itself")))
}

fn damaged(error: &dyn std::fmt::Display) -> io::Error {
    let words = error.to_string();
    let words = words.trim_start_matches("Parquet argument error: ").trim_start_matches("Parquet error: ");
    match words.strip_prefix("Disabled feature at compile time: ") {
        Some(compression) => invalid(&format!(
            "the Parquet file is compressed by {compression}, which is not read: write it anew with Snappy, Zstandard, LZ4 or gzip"
        )),
        None => invalid(&format!("the Parquet file is damaged ({words}); copy or download it again")),
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests;
