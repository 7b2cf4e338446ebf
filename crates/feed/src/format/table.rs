//! Tables, unpacked: Parquet, and Arrow's files and streams. A row is a sample, and a column that the row has is a field.

use std::borrow::Cow;
use std::slice;

use super::mds::{Column, MdsShard};
use super::{Encoding, FieldInfo, ReadError, Shard, ShardKind};
use crate::source::remote::Want;
use crate::source::{File, SourceError};
use crate::unpack::table::{GAPS, Stored, Table, gap_bytes, told};

/// A table.
pub struct TableShard {
    kind: ShardKind,
    name: String,
    size: u64,
    /// Its rows, in shards of MDS.
    shards: Vec<MdsShard>,
    /// For each shard, its first row; and the number of rows at the end.
    starts: Vec<u64>,
    table: Table,
}

impl TableShard {
    /// The table that a file of a name and a size was, of which `open` opens the shards.
    pub(crate) fn open(
        (name, size): (String, u64),
        table: Table,
        open: impl Fn(usize) -> Result<File, SourceError>,
    ) -> Result<TableShard, SourceError> {
        let gaps = Column {
            name: GAPS.to_owned(),
            encoding: Encoding::Plain,
            size: Some(gap_bytes(table.columns.len()) as u32),
        };
        let stored = table.columns.iter().map(|column| Column {
            name: column.name.clone(),
            encoding: encoding(column.stored),
            size: column.stored.bytes(),
        });
        let columns: Vec<Column> = [gaps].into_iter().chain(stored).collect();
        let mut starts = vec![0];
        let mut shards = Vec::new();
        for (number, rows) in table.shards.iter().enumerate() {
            shards.push(MdsShard::of_columns(open(number)?, *rows, columns.clone()));
            starts.push(starts[number] + rows);
        }
        Ok(TableShard { kind: ShardKind::Table, name, size, shards, starts, table })
    }

    /// The same, of files that are called otherwise.
    pub(crate) fn of_kind(self, kind: ShardKind) -> TableShard {
        TableShard { kind, ..self }
    }

    /// The shard of a row, and its place there.
    fn find(&self, row: u64) -> (&MdsShard, u64) {
        let shard = self.starts.partition_point(|start| *start <= row) - 1;
        (&self.shards[shard], row - self.starts[shard])
    }

    /// Which columns a row has.
    fn has(&self, row: u64) -> Result<impl Fn(usize) -> bool, ReadError> {
        let mut gaps = Vec::new();
        // Most tables have no gaps at all, and need nothing to be read for it.
        if self.table.columns.iter().any(|column| column.has_gaps) {
            let (shard, place) = self.find(row);
            shard.read(place, &[GAPS.to_owned()], &mut gaps)?;
        }
        Ok(move |column: usize| gaps.get(column / 8).is_none_or(|byte| byte >> (column % 8) & 1 == 0))
    }
}

fn encoding(stored: Stored) -> Encoding {
    match stored {
        Stored::Bytes => Encoding::Plain,
        Stored::Integer { is_signed, .. } => Encoding::Integer { is_signed },
    }
}

impl Shard for TableShard {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ShardKind {
        self.kind
    }

    /// Those of the file, and not what it takes unpacked, which hangs on how it is unpacked.
    fn size(&self) -> u64 {
        self.size
    }

    fn samples(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    fn sample_name(&self, sample: u64) -> String {
        format!("row {sample}")
    }

    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError> {
        let has = self.has(sample)?;
        let (shard, place) = self.find(sample);
        let fields = shard.fields(place)?.into_iter().skip(1).enumerate();
        let columns = fields.zip(&self.table.columns).filter(|((column, _), _)| has(*column));
        Ok(columns.map(|((_, field), column)| FieldInfo { name: Cow::Borrowed(&column.name), ..field }).collect())
    }

    fn bytes(&self, sample: u64, names: &[String]) -> Result<u64, ReadError> {
        let (shard, place) = self.find(sample);
        shard.bytes(place, names)
    }

    fn index_bytes(&self) -> usize {
        size_of_val(&self.shards[..]) + size_of_val(&self.starts[..])
    }

    fn want(&self, _sample: u64, _fields: &[&[String]]) -> Option<Want> {
        None
    }

    fn lacks(&self, names: &[String]) -> Option<String> {
        let columns = &self.table.columns;
        if names.is_empty() || columns.iter().any(|column| names.contains(&column.name)) {
            return None;
        }
        let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let (asked, left_out) = (names.join(" or "), told(&self.table.left_out));
        Some(format!("it has no field {asked}; its columns are {}{left_out}", known.join(", ")))
    }

    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        let place = |name: &String| self.table.columns.iter().position(|column| column.name == *name);
        let asked: Vec<(&String, usize)> = names.iter().filter_map(|name| Some((name, place(name)?))).collect();
        let has_gaps = asked.iter().any(|(_, column)| self.table.columns[*column].has_gaps);
        let found = if has_gaps {
            let has = self.has(sample)?;
            asked.into_iter().find(|(_, column)| has(*column))
        } else {
            asked.into_iter().next()
        };
        let Some((name, _)) = found else { return Ok(None) };
        let (shard, place) = self.find(sample);
        shard.read(place, slice::from_ref(name), bytes)
    }
}
