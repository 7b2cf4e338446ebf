//! Tables: rows become samples, and columns fields. Written as shards of MDS, which are read at any row.
//!
//! What becomes of a column's type is in [`cells`]; how rows are written, in [`shards`].

mod arrow;
mod cells;
mod parquet;
mod shards;

use std::fs::File;
use std::panic::{self, AssertUnwindSafe};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use super::room::Room;
use super::{Packing, TableFormat, UnpackError};
use cells::Plan;
pub(crate) use cells::Stored;
use shards::Shards;
pub(crate) use shards::shard_name;

/// What a table held.
#[derive(Serialize, Deserialize)]
pub(crate) struct Table {
    /// Its columns, in order.
    pub(crate) columns: Vec<TableColumn>,
    /// The names of columns that have no place here, and their types.
    pub(crate) left_out: Vec<(String, String)>,
    /// The samples of each shard.
    pub(crate) shards: Vec<u64>,
}

/// A column of a table.
#[derive(Serialize, Deserialize)]
pub(crate) struct TableColumn {
    /// Its name; of a member of a struct, the struct's, a dot, and its own.
    pub(crate) name: String,
    /// How its values are stored.
    pub(crate) stored: Stored,
    /// Whether rows lack it.
    pub(crate) has_gaps: bool,
}

/// Why a table cannot be unpacked.
enum TableError {
    /// It is damaged, or cannot be read.
    Damaged(String),
    /// There is no room, or the folder cannot be written.
    Unpack(UnpackError),
}

impl From<UnpackError> for TableError {
    fn from(error: UnpackError) -> TableError {
        TableError::Unpack(error)
    }
}

/// The name of the column that says which of the others a row lacks, a bit for each.
pub(crate) const GAPS: &str = "\0";

/// Writes the rows of a table to shards in `room`.
pub(super) fn unpack(file: &File, format: TableFormat, room: &mut Room<'_>) -> Result<Table, UnpackError> {
    let name = room.file().to_owned();
    let packing = Packing::Table(format);
    let damaged = |problem: String| UnpackError::Damaged { file: name.clone(), packing, problem };
    let read = || match format {
        TableFormat::Parquet => parquet::read(file, room),
        TableFormat::Arrow => arrow::read(file, room),
    };
    // Of files that nobody made by hand there may be some at which a library for tables stops in the middle, as at a wrong sum; that is
    // an error of the file, and none of this process. What was written is removed by whoever has the room.
    match panic::catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(table)) => Ok(table),
        Ok(Err(TableError::Unpack(error))) => Err(error),
        Ok(Err(TableError::Damaged(problem))) => Err(damaged(problem)),
        Err(_) => Err(damaged("it contradicts itself".to_owned())),
    }
}

/// Rows that are written.
struct Rows<'r, 'c> {
    plans: Vec<Plan>,
    has_gaps: Vec<bool>,
    left_out: Vec<(String, String)>,
    shards: Shards<'r, 'c>,
    row: Vec<u8>,
}

impl<'r, 'c> Rows<'r, 'c> {
    /// Begins to write rows of a schema, of which there are `rows`, where that is known.
    fn begin(schema: &Schema, rows: Option<u64>, room: &'r mut Room<'c>) -> Result<Rows<'r, 'c>, TableError> {
        let (plans, left_out) = cells::plan(schema);
        if plans.is_empty() {
            return Err(TableError::Damaged(format!("it has no column that can be read{}", told(&left_out))));
        }
        let has_gaps = vec![false; plans.len()];
        Ok(Rows { plans, has_gaps, left_out, shards: Shards::new(room, rows), row: Vec::new() })
    }

    /// Writes the rows of a batch: for each, which columns it lacks; the sizes of those without a fixed one; and the columns.
    fn add(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let columns: Vec<_> = self.plans.iter().map(|plan| plan.cells(batch)).collect();
        let gap_bytes = gap_bytes(self.plans.len());
        let sizes = 4 * self.plans.iter().filter(|plan| plan.stored == Stored::Bytes).count();
        for number in 0..batch.num_rows() {
            // The sizes stand before all columns, as MDS has it.
            self.row.clear();
            self.row.resize(sizes + gap_bytes, 0);
            let mut size_at = 0;
            for (place, (plan, cells)) in self.plans.iter().zip(&columns).enumerate() {
                let before = self.row.len();
                if !cells.write(number, &mut self.row) {
                    self.has_gaps[place] = true;
                    self.row[sizes + place / 8] |= 1 << (place % 8);
                    self.row.resize(before + plan.stored.bytes().unwrap_or(0) as usize, 0);
                }
                if plan.stored == Stored::Bytes {
                    let bytes = u32::try_from(self.row.len() - before);
                    let bytes = bytes.map_err(|_| TableError::Damaged(too_large()))?;
                    self.row[size_at..size_at + 4].copy_from_slice(&bytes.to_le_bytes());
                    size_at += 4;
                }
            }
            self.shards.add(&self.row)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Table, TableError> {
        let columns = self.plans.into_iter().zip(self.has_gaps);
        let columns = columns.map(|(Plan { name, stored, .. }, has_gaps)| TableColumn { name, stored, has_gaps });
        Ok(Table { columns: columns.collect(), left_out: self.left_out, shards: self.shards.finish()? })
    }
}

/// Bytes of the column that says which others a row lacks.
pub(crate) fn gap_bytes(columns: usize) -> usize {
    columns.div_ceil(8)
}

/// Which columns have no place here.
pub(crate) fn told(left_out: &[(String, String)]) -> String {
    if left_out.is_empty() {
        return String::new();
    }
    let told: Vec<String> = left_out.iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
    format!("; those of other types are {}", told.join(", "))
}

fn too_large() -> String {
    "a row of it has more than 4 GiB".to_owned()
}
