//! Tables written here, and read again.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::ListBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray};

use super::*;

/// A table of every kind of column, in row groups of 300 rows.
fn table(rows: i64, compression: Compression) -> Vec<u8> {
    let words = ["forward-compute", "a \"b\", c", ""];
    let word = |row: i64| words[row as usize % 3];
    let mut lists = ListBuilder::new(arrow_array::builder::Int32Builder::new());
    (0..rows).for_each(|_| lists.append_value([Some(1), Some(2)]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("step", Arc::new(Int64Array::from_iter_values(0..rows))),
        ("start", Arc::new(Float64Array::from_iter_values((0..rows).map(|row| 0.1 * row as f64)))),
        ("mc", Arc::new((0..rows).map(|row| (row % 2 == 1).then_some(row as f64)).collect::<Float64Array>())),
        ("nan", Arc::new(Float64Array::from_iter_values((0..rows).map(|_| f64::NAN)))),
        ("list", Arc::new(lists.finish())),
        ("word", Arc::new(StringArray::from_iter_values((0..rows).map(word)))),
        ("kind", Arc::new((0..rows).map(word).collect::<DictionaryArray<Int32Type>>())),
        ("is, so", Arc::new((0..rows).map(|row| Some(row == 0)).collect::<BooleanArray>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties =
        WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(300)).build();
    let mut written = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut written, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    written
}

fn read(table: Vec<u8>) -> io::Result<String> {
    let mut text = String::new();
    AsCsv::begin(Bytes::from(table))?.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn rows_become_lines() {
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())] {
        let text = read(table(1_000, compression)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1_001);
        assert_eq!(lines[0], "step,start,mc,nan,word,kind,\"is, so\"");
        assert_eq!(lines[1], "0,0,,,forward-compute,forward-compute,true");
        assert_eq!(lines[2], "1,0.1,1,,\"a \"\"b\"\", c\",\"a \"\"b\"\", c\",false");
        assert_eq!(lines[1_000], "999,99.9,999,,forward-compute,forward-compute,false");
    }
    assert_eq!(read(table(0, Compression::SNAPPY)).unwrap().lines().count(), 1);
}

#[test]
fn cut_and_damaged_files_are_said() {
    let whole = table(1_000, Compression::ZSTD(Default::default()));
    for (table, expected) in [
        (whole[..whole.len() / 2].to_vec(), "the Parquet file is damaged ("),
        (b"PAR1".to_vec(), "the Parquet file is damaged ("),
        (b"PAR1PAR1PAR1".to_vec(), "the Parquet file is damaged ("),
    ] {
        let error = read(table).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    // A byte after the other is another: what comes is an error or a table, and nothing worse.
    let small = table(20, Compression::UNCOMPRESSED);
    for at in 0..small.len() {
        let mut other = small.clone();
        other[at] ^= 0x15;
        let _either = read(other);
    }
}

#[test]
fn a_file_is_read_where_it_lies_and_a_pipe_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.parquet");
    let table = table(10, Compression::SNAPPY);
    std::fs::write(&path, &table).unwrap();
    let lines = |mut read: AsCsv| {
        let mut text = String::new();
        read.read_to_string(&mut text).unwrap();
        text.lines().count()
    };
    assert_eq!(lines(as_csv(&path, Input::open(&path).unwrap()).unwrap()), 11);
    let pipe = Input::from_reader(io::Cursor::new(table), "-", None).unwrap();
    assert_eq!(lines(as_csv(Path::new("-"), pipe).unwrap()), 11);
}
