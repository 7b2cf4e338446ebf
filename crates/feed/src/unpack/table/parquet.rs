//! Parquet: row group by row group, in batches of rows.

use std::fs::File;

use ::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::file::metadata::RowGroupMetaData;

use super::{Rows, Table, TableError};
use crate::unpack::room::Room;

/// A batch has about as much.
const BATCH_BYTES: u64 = 16 << 20;
/// And no more rows than this, however small they are.
const BATCH_ROWS_MAX: u64 = 8192;

/// Writes the rows of a file.
pub(super) fn read(file: &File, room: &mut Room<'_>) -> Result<Table, TableError> {
    let damaged = |error: &dyn std::fmt::Display| TableError::Damaged(without_kind(&error.to_string()));
    let metadata = ArrowReaderMetadata::load(file, ArrowReaderOptions::new()).map_err(|error| damaged(&error))?;
    let groups = metadata.metadata().row_groups();
    let rows = groups.iter().fold(0, |rows: u64, group| rows.saturating_add(group.num_rows().max(0) as u64));
    let mut written = Rows::begin(metadata.schema(), Some(rows), room)?;
    for (number, group) in groups.iter().enumerate() {
        let file = file.try_clone().map_err(|error| damaged(&error))?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
            .with_row_groups(vec![number])
            .with_batch_size(batch_rows(group))
            .build()
            .map_err(|error| damaged(&error))?;
        for batch in reader {
            written.add(&batch.map_err(|error| damaged(&error))?)?;
        }
    }
    written.finish()
}

/// Rows of a batch, by what rows of a group have on average.
fn batch_rows(group: &RowGroupMetaData) -> usize {
    let rows = group.num_rows().max(1) as u64;
    let row_bytes = (group.total_byte_size().max(0) as u64 / rows).max(1);
    (BATCH_BYTES / row_bytes).clamp(1, BATCH_ROWS_MAX) as usize
}

/// What an error says, without the words that its library puts before it.
fn without_kind(words: &str) -> String {
    let words = words.trim_start_matches("Parquet argument error: ").trim_start_matches("Parquet error: ");
    match words.strip_prefix("Disabled feature at compile time: ") {
        Some(compression) => format!(
            "it is compressed by {compression}, which is not read: write it anew with Snappy, Zstandard, LZ4 or gzip"
        ),
        None => words.to_owned(),
    }
}
