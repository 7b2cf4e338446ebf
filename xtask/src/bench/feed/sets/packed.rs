//! Formats that are unpacked before they are read: what is compressed, and tables.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;

/// What is packed, as gzip would.
pub(super) fn gz(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes)?;
    Ok(packed.finish()?)
}

/// Samples with a text and a number, as a table of Parquet's and one of Arrow's.
pub(super) fn write_tables(folder: &Path, number: u64, samples: Range<u64>) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter_values(samples.clone().map(|sample| format!("text {sample}"))));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(samples.map(|sample| sample as i64)));
    let table = RecordBatch::try_from_iter([("text", texts), ("id", numbers)])?;
    let file = |kind: &str| {
        let path = folder.join(format!("{number}.{kind}"));
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))
    };
    let mut writer = ArrowWriter::try_new(file("parquet")?, table.schema(), None)?;
    writer.write(&table)?;
    writer.close()?;
    let mut writer = FileWriter::try_new(file("arrow")?, &table.schema())?;
    writer.write(&table)?;
    Ok(writer.finish()?)
}
