//! Tables: what becomes of their columns, and what is said of those that are damaged.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::{Float32Type, Int32Type};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, DictionaryArray, FixedSizeListArray, Float64Array, Int8Array,
    Int32Array, Int64Array, LargeStringArray, ListArray, NullArray, RecordBatch, StringArray, StructArray,
    TimestampMillisecondArray, UInt64Array,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Fields};
use feed::dataset::{Dataset, Format};
use feed::format::{Encoding, ShardKind};
use feed::inspect::{Depth, inspect};
use feed::loader::Loader;
use feed::order::Shuffle;
use feed::pack::{Existing, Layout, Plan, ShardLimit, pack};
use feed::progress::Progress;
use feed::spec::Spec;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::made::{Sample, files, sample};
use crate::unpacked::{open, unpacker};

fn one_batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn write_parquet(path: &Path, batch: &RecordBatch, compression: Compression) {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(2))
        .set_data_page_row_count_limit(1)
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// Writes a batch row by row, so that there are several messages.
fn write_arrow(path: &Path, batch: &RecordBatch, compression: Option<CompressionType>, is_stream: bool) {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let (file, schema) = (File::create(path).unwrap(), batch.schema());
    let rows = || (0..batch.num_rows()).map(|row| batch.slice(row, 1));
    if is_stream {
        let mut writer = StreamWriter::try_new_with_options(file, &schema, options).unwrap();
        rows().for_each(|row| writer.write(&row).unwrap());
        writer.finish().unwrap();
    } else {
        let mut writer = FileWriter::try_new_with_options(file, &schema, options).unwrap();
        rows().for_each(|row| writer.write(&row).unwrap());
        writer.finish().unwrap();
    }
}

/// All samples of a dataset, each number with the bytes that it is stored in.
fn all(dataset: &Dataset) -> Vec<Sample> {
    let mut bytes = Vec::new();
    let mut samples = Vec::new();
    for number in 0..dataset.samples() {
        let (shard, place) = dataset.find(number);
        let fields = shard.fields(place).unwrap();
        let fields = fields.iter().map(|field| {
            let encoding = shard.read(place, &["absent".to_owned(), field.name.to_string()], &mut bytes).unwrap();
            assert_eq!(encoding, Some(field.encoding), "{}", field.name);
            assert_eq!(bytes.len() as u64, field.bytes, "{}", field.name);
            let read = match field.encoding {
                Encoding::Plain => bytes.clone(),
                Encoding::Integer { is_signed } => {
                    let is_negative = is_signed && bytes.last().unwrap() & 0x80 != 0;
                    let mut wide = bytes.clone();
                    wide.resize(8, if is_negative { 0xff } else { 0 });
                    i64::from_le_bytes(wide.try_into().unwrap()).to_string().into_bytes()
                }
            };
            (field.name.to_string(), read)
        });
        samples.push((String::new(), fields.collect()));
    }
    samples
}

/// A batch of three rows with a column of each kind, and what is to come of it.
fn of_each_kind() -> (RecordBatch, Vec<Sample>) {
    let image = StructArray::from(vec![
        (
            Arc::new(Field::new("bytes", DataType::Binary, true)),
            Arc::new(BinaryArray::from_opt_vec(vec![Some(b"jpeg"), None, Some(b"")])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("path", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("a.jpg"), None, None])) as ArrayRef,
        ),
    ]);
    let pair = StructArray::from(vec![
        (
            Arc::new(Field::new("de", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["eins", "zwei", "drei"])) as ArrayRef,
        ),
        (Arc::new(Field::new("n", DataType::Int8, true)), Arc::new(Int8Array::from(vec![-1, 2, 3])) as ArrayRef),
    ]);
    let vectors = vec![Some(vec![Some(1.5_f32), Some(-2.0)]), Some(vec![]), None];
    let fixed = vec![Some(vec![Some(1), Some(2)]), Some(vec![Some(3), None]), None];
    let words = vec![Some(vec![Some("a\"b"), None]), None, Some(vec![])];
    let mut texts = arrow_array::builder::ListBuilder::new(arrow_array::builder::StringBuilder::new());
    words.into_iter().for_each(|words| texts.append_option(words));
    let labels: DictionaryArray<Int32Type> = vec![Some("cat"), None, Some("cat")].into_iter().collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("image", Arc::new(image)),
        ("text", Arc::new(LargeStringArray::from(vec![Some("é"), Some(""), None]))),
        ("id", Arc::new(Int64Array::from(vec![Some(7), None, Some(-7)]))),
        ("big", Arc::new(UInt64Array::from(vec![1, 1 << 62, 3]))),
        ("is_new", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("weight", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(1e-7)]))),
        ("at", Arc::new(TimestampMillisecondArray::from(vec![Some(1_700_000_000_123), None, Some(-1)]))),
        (
            "price",
            Arc::new(Decimal128Array::from(vec![Some(1234), None, Some(-5)]).with_precision_and_scale(9, 2).unwrap()),
        ),
        ("pair", Arc::new(pair)),
        ("vector", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(vectors))),
        ("fixed", Arc::new(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(fixed, 2))),
        ("words", Arc::new(texts.finish())),
        ("label", Arc::new(labels)),
    ];
    let le = |numbers: &[f32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let ints = |numbers: &[i32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let expected = vec![
        sample(
            "",
            &[
                ("image", b"jpeg"),
                ("text", "é".as_bytes()),
                ("id", b"7"),
                ("big", b"1"),
                ("is_new", b"1"),
                ("weight", b"0.1"),
                ("at", b"1700000000123"),
                ("price", b"12.34"),
                ("pair.de", b"eins"),
                ("pair.n", b"-1"),
                ("vector", &le(&[1.5, -2.0])),
                ("fixed", &ints(&[1, 2])),
                ("words", b"[\"a\\\"b\",null]"),
                ("label", b"cat"),
            ],
        ),
        sample(
            "",
            &[
                ("text", b""),
                ("big", (1_u64 << 62).to_string().as_bytes()),
                ("is_new", b"0"),
                ("pair.de", b"zwei"),
                ("pair.n", b"2"),
                ("vector", b""),
                ("fixed", &ints(&[3, 0])),
            ],
        ),
        sample(
            "",
            &[
                ("image", b""),
                ("id", b"-7"),
                ("big", b"3"),
                ("weight", b"0.0000001"),
                ("at", b"-1"),
                ("price", b"-0.05"),
                ("pair.de", b"drei"),
                ("pair.n", b"3"),
                ("words", b"[]"),
                ("label", b"cat"),
            ],
        ),
    ];
    (one_batch(columns), expected)
}

#[test]
fn each_kind_of_column_is_a_field() {
    let folder = TempDir::new().unwrap();
    let (batch, expected) = of_each_kind();
    let path = |name: &str| folder.path().join(name);
    for (name, compression) in [
        ("plain", Compression::UNCOMPRESSED),
        ("snappy", Compression::SNAPPY),
        ("zstd", Compression::ZSTD(ZstdLevel::default())),
        ("gzip", Compression::GZIP(GzipLevel::default())),
        ("lz4", Compression::LZ4_RAW),
    ] {
        write_parquet(&path(&format!("{name}.parquet")), &batch, compression);
    }
    write_arrow(&path("a.arrow"), &batch, None, false);
    write_arrow(&path("b.arrow"), &batch, None, true);
    write_arrow(&path("c.feather"), &batch, Some(CompressionType::LZ4_FRAME), false);
    write_arrow(&path("d.arrow"), &batch, Some(CompressionType::ZSTD), true);
    let unpacker = unpacker(&path("cache"), 1 << 30);
    for name in [
        "plain.parquet",
        "snappy.parquet",
        "zstd.parquet",
        "gzip.parquet",
        "lz4.parquet",
        "a.arrow",
        "b.arrow",
        "c.feather",
        "d.arrow",
    ] {
        let dataset = open(&path(name), &unpacker).unwrap();
        let found = all(&dataset);
        assert_eq!(found, expected, "{name}");
        let (shard, _) = dataset.find(1);
        assert_eq!((shard.kind(), shard.name()), (ShardKind::Table, path(name).to_str().unwrap()));
        assert_eq!(shard.size(), fs::metadata(path(name)).unwrap().len());
        // The first of some names that the row has.
        let asked = ["id".to_owned(), "pair.n".to_owned()];
        let mut bytes = Vec::new();
        assert_eq!(shard.read(1, &asked, &mut bytes).unwrap(), Some(Encoding::Integer { is_signed: true }));
        assert_eq!(bytes, [2]);
        assert_eq!(shard.read(1, &asked[..1], &mut bytes).unwrap(), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_are_those_that_were_written(
        rows in prop::collection::vec((prop::option::of("[a-z]{0,30}"), prop::option::of(any::<i32>())), 1..40),
        is_parquet: bool,
    ) {
        let folder = TempDir::new().unwrap();
        let texts = StringArray::from_iter(rows.iter().map(|(text, _)| text.clone()));
        let numbers = Int32Array::from_iter(rows.iter().map(|(_, number)| *number));
        let batch = one_batch(vec![("text", Arc::new(texts)), ("number", Arc::new(numbers))]);
        let path = folder.path().join(if is_parquet { "a.parquet" } else { "a.arrow" });
        if is_parquet { write_parquet(&path, &batch, Compression::SNAPPY) } else { write_arrow(&path, &batch, None, true) }
        let expected: Vec<Sample> = rows
            .iter()
            .map(|(text, number)| {
                let text = text.iter().map(|text| ("text".to_owned(), text.clone().into_bytes()));
                let number = number.iter().map(|number| ("number".to_owned(), number.to_string().into_bytes()));
                (String::new(), text.chain(number).collect())
            })
            .collect();
        let dataset = open(&path, &unpacker(&folder.path().join("cache"), 1 << 20)).unwrap();
        prop_assert_eq!(all(&dataset), expected);
    }
}

#[test]
fn rows_go_on_in_the_next_shard() {
    let folder = TempDir::new().unwrap();
    let rows = (1 << 16) + 10;
    let batch = one_batch(vec![("n", Arc::new(Int32Array::from_iter_values(0..rows)))]);
    let path = folder.path().join("a.arrow");
    let options = IpcWriteOptions::default();
    let mut writer = FileWriter::try_new_with_options(File::create(&path).unwrap(), &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let dataset = open(&path, &unpacker(&folder.path().join("cache"), 1 << 24)).unwrap();
    let (shard, _) = dataset.find(0);
    let mut bytes = Vec::new();
    for row in [0, 1, (1 << 16) - 1, 1 << 16, rows - 1] {
        shard.read(row as u64, &["n".to_owned()], &mut bytes).unwrap();
        assert_eq!(bytes, row.to_le_bytes());
    }
    assert_eq!((dataset.samples(), dataset.shards().count()), (rows as u64, 1));
}

#[test]
fn damaged_tables_are_named() {
    let folder = TempDir::new().unwrap();
    let (batch, _) = of_each_kind();
    let path = |name: &str| folder.path().join(name);
    write_parquet(&path("whole.parquet"), &batch, Compression::SNAPPY);
    write_arrow(&path("whole.arrow"), &batch, None, false);
    write_arrow(&path("stream.arrow"), &batch, Some(CompressionType::LZ4_FRAME), true);
    let parquet = fs::read(path("whole.parquet")).unwrap();
    let arrow = fs::read(path("whole.arrow")).unwrap();
    let stream = fs::read(path("stream.arrow")).unwrap();
    let cut = |bytes: &[u8]| bytes[..bytes.len() * 2 / 3].to_vec();
    let unpacker = unpacker(&path("cache"), 1 << 30);
    for (name, bytes, expected) in [
        ("a.parquet", cut(&parquet), "a.parquet: failed to read it as Parquet: "),
        ("b.parquet", arrow.clone(), "b.parquet: failed to read it as Parquet: "),
        ("c.parquet", Vec::new(), "c.parquet: failed to read it as Parquet: "),
        ("d.arrow", cut(&arrow), "d.arrow: failed to read it as Arrow: it ends too early: it was cut"),
        ("e.arrow", cut(&stream), "e.arrow: failed to read it as Arrow: it ends too early: it was cut"),
        ("f.arrow", parquet, "f.arrow: failed to read it as Arrow: it ends too early: it was cut"),
        ("g.arrow", b"word\x04\x00\x00\x00abcd".to_vec(), "g.arrow: failed to read it as Arrow: it ends too early"),
        ("h.feather", b"FEA1....".to_vec(), "h.feather: failed to read it as Arrow: it is Feather of version 1"),
        ("i.arrow", b"abc".to_vec(), "i.arrow: failed to read it as Arrow: it ends too early: it was cut"),
    ] {
        fs::write(path(name), bytes).unwrap();
        let said = open(&path(name), &unpacker).err().unwrap();
        assert!(said.contains(expected), "{name}: {said}");
    }
    // A buffer that says that it has 2^60 bytes takes no memory.
    let letters = one_batch(vec![("text", Arc::new(StringArray::from(vec!["a".repeat(10_000)])))]);
    write_arrow(&path("bomb.arrow"), &letters, Some(CompressionType::LZ4_FRAME), true);
    let mut bomb = fs::read(path("bomb.arrow")).unwrap();
    let front = bomb.windows(8).rposition(|word| word == 10_000_u64.to_le_bytes()).unwrap();
    bomb[front..front + 8].copy_from_slice(&(1_u64 << 60).to_le_bytes());
    fs::write(path("bomb.arrow"), bomb).unwrap();
    let said = open(&path("bomb.arrow"), &unpacker).err().unwrap();
    assert!(said.contains("bomb.arrow: failed to read it as Arrow: a batch of its rows has"), "{said}");
    let nothing = RecordBatch::try_from_iter([("a", Arc::new(NullArray::new(3)) as ArrayRef)]).unwrap();
    write_arrow(&path("nothing.arrow"), &nothing, None, true);
    let said = open(&path("nothing.arrow"), &unpacker).err().unwrap();
    assert!(said.contains("it has no column that can be read; those of other types are a (Null)"), "{said}");
    let writing = fs::read_dir(path("cache/unpacked/writing")).unwrap();
    assert_eq!(writing.count(), 0);
}

#[test]
fn whatever_byte_is_changed_nothing_stops() {
    let folder = TempDir::new().unwrap();
    let (batch, _) = of_each_kind();
    let unpacker = unpacker(&folder.path().join("cache"), 1 << 30);
    for name in ["a.parquet", "a.arrow"] {
        let path = folder.path().join(name);
        if name.ends_with("arrow") {
            write_arrow(&path, &batch, None, true);
        } else {
            write_parquet(&path, &batch, Compression::SNAPPY);
        }
        let whole = fs::read(&path).unwrap();
        let mut refused = 0;
        for place in (0..whole.len()).step_by(whole.len() / 150) {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x41;
            fs::write(&path, &bytes).unwrap();
            match open(&path, &unpacker) {
                Ok(dataset) => drop(dataset.find(0).0.fields(0)),
                Err(said) => {
                    assert!(said.contains(name), "{said}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0, "{name}");
    }
}

fn spec(data: &Path, cache: &Path, column: &str) -> Spec {
    let (data, cache) = (data.display(), cache.display());
    let text = format!(
        r#"{{"data": ["{data}"], "columns": [{column}], "batch": 2, "cache": {{"folder": "{cache}", "bytes": 100000000}}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_column_that_is_not_there_is_named_with_those_that_are() {
    let folder = TempDir::new().unwrap();
    let kinds = Fields::from(vec![Field::new("a", DataType::Int8, true)]);
    let empty = StructArray::try_new(kinds, vec![Arc::new(Int8Array::from(vec![1]))], None).unwrap();
    let batch = one_batch(vec![
        ("text", Arc::new(StringArray::from(vec!["a"]))),
        ("more", Arc::new(empty)),
        ("odd", Arc::new(NullArray::new(1))),
    ]);
    let path = folder.path().join("a.arrow");
    write_arrow(&path, &batch, None, false);
    let cache = folder.path().join("cache");
    let refused = |column: &str| Loader::open(&spec(&path, &cache, column)).err().map(|error| error.to_string());
    assert_eq!(refused(r#"{"name": "x", "fields": ["txt", "text"], "kind": "text"}"#), None);
    let said = refused(r#"{"name": "x", "fields": ["txt", "caption"], "kind": "text"}"#).unwrap();
    let expected =
        "a.arrow: it has no field txt or caption; its columns are text, more.a; those of other types are odd (Null)";
    assert!(said.starts_with("x: ") && said.ends_with(expected), "{said}");
}

#[test]
fn tables_are_looked_into_and_packed() {
    let folder = TempDir::new().unwrap();
    let batch = one_batch(vec![
        ("text", Arc::new(StringArray::from(vec!["one", "two"]))),
        ("id", Arc::new(Int64Array::from(vec![5, -6]))),
    ]);
    let path = folder.path().join("a.parquet");
    write_parquet(&path, &batch, Compression::SNAPPY);
    let unpacker = unpacker(&folder.path().join("cache"), 1 << 30);
    let dataset = Dataset::open_with(&files(&path), Format::ByName, &unpacker).unwrap();
    for (layout, name) in [(Layout::Mds, "index.json"), (Layout::WebDataset, "shard-000000.tar")] {
        let to = folder.path().join(format!("packed-{name}"));
        let plan = Plan {
            to: to.clone(),
            layout,
            limit: ShardLimit::Samples(10),
            shuffle: Shuffle::None,
            seed: 0,
            fields: Vec::new(),
            existing: Existing::Keep,
        };
        pack(&dataset, &plan, &Progress::default()).unwrap();
        let packed = open(&to.join(name), &unpacker).unwrap();
        let fields: Vec<_> = all(&packed)
            .into_iter()
            .map(|(_, mut fields)| {
                fields.sort();
                fields
            })
            .collect();
        let field = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        assert_eq!(
            fields,
            [[field("id", "5"), field("text", "one")], [field("id", "-6"), field("text", "two")]],
            "{name}"
        );
    }
    let found =
        inspect(&files(&folder.path().join("packed-index.json")), Format::ByName, Depth::Check, &Progress::default());
    assert_eq!(found.unwrap().problems.count, 0);
}
