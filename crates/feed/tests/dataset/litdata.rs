//! Chunks of LitData's, as release 0.2.76 of the library writes them, and such as nobody should.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use feed::dataset::{Dataset, Format, Tokens};
use feed::format::{Encoding, ShardKind};
use feed::inspect::{Depth, inspect};
use feed::progress::Progress;
use feed::spec::TokenType;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::made::{files, open};
use crate::unpacked::unpacker;

const LEAF: &str = r#"{"type": null, "context": null, "children_spec": []}"#;

/// The tree of a dictionary of fields.
fn dictionary(names: &[&str]) -> String {
    let keys = serde_json::to_string(&serde_json::to_string(names).unwrap()).unwrap();
    let leaves = vec![LEAF; names.len()].join(", ");
    format!(r#"[1, {{"type": "builtins.dict", "context": {keys}, "children_spec": [{leaves}]}}]"#)
}

/// Fields with their sizes in front.
fn item(fields: &[&[u8]]) -> Vec<u8> {
    let sizes = fields.iter().flat_map(|field| (field.len() as u32).to_le_bytes());
    sizes.chain(fields.concat()).collect()
}

/// A count, where each item begins, and the items.
fn chunk(items: &[Vec<u8>]) -> Vec<u8> {
    let mut end = 4 * (items.len() as u32 + 2);
    let mut bytes = (items.len() as u32).to_le_bytes().to_vec();
    bytes.extend(end.to_le_bytes());
    for item in items {
        end += item.len() as u32;
        bytes.extend(end.to_le_bytes());
    }
    bytes.extend(items.concat());
    bytes
}

/// The same in frames of `rows` items each.
fn framed(items: &[Vec<u8>], rows: usize) -> Vec<u8> {
    let frames: Vec<&[Vec<u8>]> = items.chunks(rows).collect();
    let mut bytes = b"LDFZ01\0\0\x01\0\0\0".to_vec();
    for word in [items.len(), rows, frames.len(), 0] {
        bytes.extend((word as u32).to_le_bytes());
    }
    let mut end = 0;
    for item in items {
        end += item.len() as u32;
        bytes.extend(end.to_le_bytes());
    }
    let mut at = bytes.len() as u64 + 24 * frames.len() as u64;
    let mut packed = Vec::new();
    for (number, frame) in frames.iter().enumerate() {
        let raw = frame.concat();
        let frame_packed = zstd::encode_all(&raw[..], 1).unwrap();
        bytes.extend(((number * rows) as u32).to_le_bytes());
        bytes.extend((frame.len() as u32).to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend((frame_packed.len() as u32).to_le_bytes());
        bytes.extend((raw.len() as u32).to_le_bytes());
        at += frame_packed.len() as u64;
        packed.extend(frame_packed);
    }
    bytes.extend(packed);
    bytes
}

/// The index of one chunk of so many items, which the file as it is has as bytes.
fn index(name: &str, bytes: usize, items: usize, data_format: &[&str], spec: &str) -> Value {
    json!({
        "chunks": [{ "chunk_bytes": bytes, "chunk_size": items, "dim": null, "filename": name }],
        "config": {
            "chunk_bytes": 64 << 20, "chunk_size": null, "compression": null, "compression_level": null,
            "data_format": data_format, "data_spec": spec, "encryption": null, "item_loader": "PyTreeLoader", "types": null,
        },
        "updated_at": "1796007076.09",
    })
}

/// Writes a chunk and its index to a folder.
fn write(folder: &Path, chunk: &[u8], index: &Value) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(index["chunks"][0]["filename"].as_str().unwrap()), chunk).unwrap();
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    folder.to_owned()
}

/// Every sample's fields, read.
fn all(dataset: &Dataset) -> Vec<Vec<(String, Encoding, Vec<u8>)>> {
    let sample = |number| {
        let (shard, place) = dataset.find(number);
        let read = |name: &str| {
            let mut bytes = b"what was there before".to_vec();
            let encoding = shard.read(place, &[name.to_owned()], &mut bytes).unwrap().unwrap();
            (name.to_owned(), encoding, bytes)
        };
        let fields = shard.fields(place).unwrap();
        fields
            .iter()
            .map(|field| {
                let read = read(&field.name);
                assert_eq!((field.encoding, field.bytes), (read.1, read.2.len() as u64), "{}", field.name);
                let names = [field.name.clone().into_owned()];
                assert!(shard.bytes(place, &names).unwrap() >= field.bytes, "{}", field.name);
                read
            })
            .collect()
    };
    (0..dataset.samples()).map(sample).collect()
}

fn refused(name: &Path) -> String {
    Dataset::open(&files(name), Format::ByName).err().unwrap().to_string()
}

const NAMES: [&str; 9] = ["image", "class", "weight", "ok", "matrix", "tensor", "vector", "secret", "text"];
const STORED: [&str; 9] = ["jpeg", "int", "float", "bool", "numpy", "tensor", "no_header_tensor:18", "pickle", "str"];

/// Items with a field of each kind.
fn items() -> Vec<Vec<u8>> {
    let words = |words: [u32; 4]| words.map(u32::to_le_bytes).concat();
    let big = |words: [u32; 4]| words.map(u32::to_be_bytes).concat();
    (0..5_u8)
        .map(|number| {
            let weight = f64::from(number) / 7.0;
            item(&[
                b"\xff\xd8\xff",
                &(i64::from(number) - 3).to_le_bytes(),
                &weight.to_le_bytes(),
                &[number % 2],
                // An array of uint8, and one of float64.
                &[words([4, 2, 2, 3]), vec![number; 6]].concat(),
                &[big([3, 2, 1, 2]), vec![number; 16]].concat(),
                &[number; 16],
                b"\x80\x04N.",
                format!("text {number}").as_bytes(),
            ])
        })
        .collect()
}

fn expected(number: u8) -> Vec<(String, Encoding, Vec<u8>)> {
    let signed = |is_signed| Encoding::Integer { is_signed };
    let field = |name: &str, encoding, bytes: &[u8]| (name.to_owned(), encoding, bytes.to_vec());
    vec![
        field("image", Encoding::Plain, b"\xff\xd8\xff"),
        field("class", signed(true), &(i64::from(number) - 3).to_le_bytes()),
        field("weight", Encoding::Plain, (f64::from(number) / 7.0).to_string().as_bytes()),
        field("ok", signed(false), &[number % 2]),
        field("matrix", Encoding::Plain, &[number; 6]),
        field("tensor", Encoding::Plain, &[number; 16]),
        field("vector", Encoding::Plain, &[number; 16]),
        field("text", Encoding::Plain, format!("text {number}").as_bytes()),
    ]
}

#[test]
fn fields_come_as_they_were_and_pickles_do_not() {
    let folder = TempDir::new().unwrap();
    let bytes = chunk(&items());
    let index = index("chunk-0-0.bin", bytes.len(), 5, &STORED, &dictionary(&NAMES));
    let dataset = open(&write(folder.path(), &bytes, &index));
    let wanted: Vec<_> = (0..5).map(expected).collect();
    assert_eq!(all(&dataset), wanted);
    let (shard, place) = dataset.find(3);
    assert_eq!((shard.kind(), place, shard.samples()), (ShardKind::LitData, 3, 5));
    let (file, said) = dataset.lacks(&["secret".to_owned()]).unwrap();
    assert!(file.ends_with("chunk-0-0.bin"), "{file}");
    assert!(
        said.starts_with("its field secret is stored by LitData's serializer pickle: pickle is never read"),
        "{said}"
    );
    assert_eq!(shard.read(3, &["secret".to_owned()], &mut Vec::new()).unwrap(), None);
    let inspected = inspect(&files(folder.path()), Format::ByName, Depth::Survey, &Progress::default()).unwrap();
    let format = &inspected.formats[0];
    assert_eq!((format.format.to_string(), format.samples, format.fields.len()), ("LitData".to_owned(), 5, 8));
}

#[test]
fn samples_that_are_one_thing_need_no_name() {
    let folder = TempDir::new().unwrap();
    let bytes = chunk(&[item(&[b"one"]), item(&[b"two"])]);
    let index = index("chunk-0-0.bin", bytes.len(), 2, &["str"], &format!("[1, {LEAF}]"));
    let dataset = open(&write(folder.path(), &bytes, &index));
    let (shard, _) = dataset.find(0);
    for names in [vec![], vec!["text".to_owned()]] {
        let mut bytes = Vec::new();
        assert_eq!(shard.read(1, &names, &mut bytes).unwrap(), Some(Encoding::Plain));
        assert_eq!(bytes, b"two");
    }
}

#[test]
fn each_compression_holds_the_same() {
    let folder = TempDir::new().unwrap();
    let items = items();
    let plain = chunk(&items);
    let each: Vec<Vec<u8>> = items.iter().map(|item| zstd::encode_all(&item[..], 1).unwrap()).collect();
    let whole = zstd::encode_all(&plain[..], 1).unwrap();
    let wanted: Vec<_> = (0..5).map(expected).collect();
    let unpacker = unpacker(&folder.path().join("cache"), 1 << 20);
    for (name, bytes, told, compression, level) in [
        ("chunk-0-0.zstd.bin", &whole, plain.len(), "zstd", Value::Null),
        ("chunk-0-1.zstd:7.bin", &whole, plain.len(), "zstd:7", json!("chunk")),
        ("chunk-0-2.bin", &framed(&items, 2), framed(&items, 2).len(), "zstd", json!("batch")),
        ("chunk-0-3.bin", &framed(&items, 256), framed(&items, 256).len(), "zstd:7", json!("batch")),
        ("chunk-0-4.bin", &chunk(&each), chunk(&each).len(), "zstd", json!("sample")),
        // A chunk that is not compressed among others that are.
        ("chunk-0-5.bin", &plain, plain.len(), "zstd", Value::Null),
        ("chunk-0-6.bin", &plain, plain.len(), "zstd", json!("batch")),
    ] {
        let mut index = index(name, told, 5, &STORED, &dictionary(&NAMES));
        index["config"]["compression"] = json!(compression);
        index["config"]["compression_level"] = level;
        let path = write(&folder.path().join(name), bytes, &index);
        for _ in 0..2 {
            let dataset = Dataset::open_with(&files(&path), Format::ByName, &unpacker).unwrap();
            assert_eq!(all(&dataset), wanted, "{name}");
            assert!(dataset.find(0).0.name().ends_with(name));
        }
    }
}

#[test]
fn rows_that_are_kept_as_a_table_are_read_as_one() {
    let folder = TempDir::new().unwrap();
    let schema =
        Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true), Field::new("id", DataType::Int64, false)]));
    let texts = StringArray::from(vec![Some("a"), None, Some("c")]);
    let columns: Vec<arrow_array::ArrayRef> = vec![Arc::new(texts), Arc::new(Int64Array::from(vec![7, 8, 9]))];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let mut table = Vec::new();
    let mut writer = FileWriter::try_new(&mut table, &schema).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    let size = table.len() as u32;
    let bytes = [chunk(&[vec![], vec![], vec![]]), table, size.to_le_bytes().to_vec(), b"LDARW01\0".to_vec()].concat();
    let index = index("chunk-0-0.bin", bytes.len(), 3, &["json", "json"], &dictionary(&["text", "id"]));
    let path = write(&folder.path().join("data"), &bytes, &index);
    let unpacker = unpacker(&folder.path().join("cache"), 1 << 20);
    let dataset = Dataset::open_with(&files(&path), Format::ByName, &unpacker).unwrap();
    let rows = all(&dataset);
    let whole = Encoding::Integer { is_signed: true };
    let field = |name: &str, encoding, bytes: &[u8]| (name.to_owned(), encoding, bytes.to_vec());
    let id = |number: i64| field("id", whole, &number.to_le_bytes());
    let text = |text: &str| field("text", Encoding::Plain, text.as_bytes());
    assert_eq!(rows, [vec![text("a"), id(7)], vec![id(8)], vec![text("c"), id(9)]]);
    assert_eq!(dataset.find(0).0.kind(), ShardKind::LitData);
    // Without what tells where it is, it was cut.
    let cut = &bytes[..bytes.len() - 1];
    let mut index = index;
    index["chunks"][0]["chunk_bytes"] = json!(cut.len());
    let said = refused(&write(&folder.path().join("cut"), cut, &index));
    assert!(said.contains("index.json: chunk-0-0.bin says that all its samples are empty, and has no table"), "{said}");
}

#[test]
fn tokens_are_cut_into_samples_chunk_by_chunk() {
    let folder = TempDir::new().unwrap();
    let numbers = |range: std::ops::Range<u32>| range.flat_map(u32::to_le_bytes).collect::<Vec<u8>>();
    let bytes = chunk(&[numbers(0..5), numbers(5..7)]);
    let mut index = index("chunk-0-0.bin", bytes.len(), 2, &["no_header_tensor:16"], &format!("[1, {LEAF}]"));
    index["config"]["item_loader"] = json!("TokensLoader");
    index["chunks"][0]["dim"] = json!(7);
    let path = write(folder.path(), &bytes, &index);
    let tokens = |length, stride, token| Format::Tokens(Tokens { length, stride, token });
    let read = |format| {
        let dataset = Dataset::open(&files(&path), format).map_err(|error| error.to_string())?;
        let sample = |number| {
            let (shard, place) = dataset.find(number);
            let mut bytes = Vec::new();
            shard.read(place, &[], &mut bytes).unwrap();
            bytes
        };
        Ok::<Vec<Vec<u8>>, String>((0..dataset.samples()).map(sample).collect())
    };
    assert_eq!(read(tokens(3, 3, TokenType::Int32)).unwrap(), [numbers(0..3), numbers(3..6)]);
    assert_eq!(read(tokens(4, 3, TokenType::Int32)).unwrap(), [numbers(0..4), numbers(3..7)]);
    let said = read(tokens(3, 3, TokenType::UInt16)).unwrap_err();
    assert!(said.contains("its tokens are int32, and uint16 was asked for"), "{said}");
    assert!(refused(&path).contains("ask for them as tokens"), "{}", refused(&path));
    index["chunks"][0]["dim"] = json!(8);
    write(folder.path(), &bytes, &index);
    let said = read(tokens(3, 3, TokenType::Int32)).unwrap_err();
    assert!(said.contains("chunk-0-0.bin has 44 bytes, which do not fit 8 tokens of int32"), "{said}");
}

#[test]
fn what_is_wrong_is_named() {
    let folder = TempDir::new().unwrap();
    let good = chunk(&items());
    let right = || index("chunk-0-0.bin", good.len(), 5, &STORED, &dictionary(&NAMES));
    let changed = |at: &str, value: Value| {
        let mut index = right();
        *index.pointer_mut(at).unwrap() = value;
        index
    };
    for (number, (bytes, index, expected)) in [
        (&good[..9], right(), "chunk-0-0.bin has 9 bytes, and the index says"),
        (&good, changed("/chunks/0/chunk_size", json!(6)), "chunk-0-0.bin has 5 samples, and the index says 6"),
        (&good, changed("/chunks/0/chunk_size", json!(500)), "chunk-0-0.bin is too short for 500 samples: it was cut"),
        (&good, changed("/chunks/0/chunk_size", json!(u64::MAX)), "more than a chunk can"),
        (&good, changed("/chunks/0/filename", json!("../chunk.bin")), "\"../chunk.bin\" does not lie in the folder"),
        (&good, changed("/config/encryption", json!({"level": "chunk"})), "its chunks are encrypted"),
        (&good, changed("/config/compression", json!("lz4")), "compressed by lz4; zstd is read"),
        (&good, changed("/config/item_loader", json!("ParquetLoader")), "the index of Parquet files"),
        (&good, changed("/config/item_loader", json!("Mine")), "written for the library's Mine"),
        (&good, changed("/config/data_format", json!(["int"])), "9 fields, and its data_format tells how 1 are stored"),
        (&good, changed("/config/data_format", Value::Null), "9 fields, and its data_format tells how 0 are stored"),
        (&good, changed("/config/data_spec", json!("[1, 2]")), "its data_spec cannot be read"),
        (&good, changed("/config", json!(7)), "invalid type"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(number.to_string());
        fs::create_dir(&path).unwrap();
        fs::write(path.join("chunk-0-0.bin"), bytes).unwrap();
        fs::write(path.join("index.json"), index.to_string()).unwrap();
        let said = refused(&path);
        assert!(said.contains("index.json: ") && said.contains(expected), "{said}");
    }
    let of = |bytes: &[u8], names: &[&str]| {
        let path = write(&folder.path().join("chunk"), bytes, &right());
        let dataset = open(&path);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (shard, place) = dataset.find(0);
        shard.read(place, &names, &mut Vec::new()).unwrap_err().to_string()
    };
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let (first, matrix) = (4 * 7, 4 * 7 + 9 * 4 + 3 + 8 + 8 + 1);
    for (bytes, field, expected) in [
        (with(8, &[0; 4]), "text", "ends before it begins"),
        (with(8, &[0xff; 4]), "text", "past the file"),
        (with(first, &[0xff; 4]), "text", "the sizes of its columns reach past its end"),
        (with(matrix, &[14]), "matrix", "an array in it is of a type that is not read"),
        (with(matrix + 4, &[200]), "matrix", "an array in it has more sides than any"),
        (with(matrix + 8, &[7]), "matrix", "an array in it is too short for its shape"),
        (with(matrix + 8, &[0xff; 8]), "matrix", "an array in it is too short for its shape"),
        (with(first + 8, &[7, 0, 0, 0]), "weight", "has not 8 bytes"),
    ] {
        let said = of(&bytes, &[field]);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn compressed_chunks_that_are_damaged_are_named() {
    let folder = TempDir::new().unwrap();
    let items = items();
    let good = framed(&items, 2);
    let each: Vec<Vec<u8>> = items.iter().map(|item| zstd::encode_all(&item[..], 1).unwrap()).collect();
    let samples = chunk(&each);
    let with = |bytes: &[u8], at: usize, new: &[u8]| {
        let mut changed = bytes.to_vec();
        changed[at..at + new.len()].copy_from_slice(new);
        changed
    };
    let table = 24 + 4 * 6;
    for (number, (level, bytes, expected)) in [
        ("batch", good[..20].to_vec(), "it ends too early"),
        ("batch", good[..good.len() - 9].to_vec(), "frame 2 of it is not where its table says"),
        ("batch", with(&good, 8, &[2]), "of another version than 1"),
        ("batch", with(&good, 12, &[0xff; 4]), "it ends too early"),
        ("batch", with(&good, 20, &[0xff; 4]), "it ends too early"),
        ("batch", with(&good, 24, &[1]), "ends before it begins"),
        ("batch", with(&good, table, &[1]), "frame 0 of it is not where its table says"),
        ("batch", with(&good, table + 4, &[0xff; 4]), "frame 0 of it is not where its table says"),
        ("batch", with(&good, table + 8, &[0xff; 8]), "frame 0 of it is not where its table says"),
        ("batch", with(&good, table + 20, &[1]), "frame 0 of it has not the bytes of its samples"),
        ("batch", with(&good, table + 24 * 3 + 4, &[0xff; 9]), "failed to read it as a compressed chunk of LitData's"),
        ("sample", with(&samples, 4, &[1, 0, 0, 0]), "a sample of it ends before it begins"),
        ("sample", with(&samples, 12, &[0xff; 4]), "a sample of it ends before it begins, or past the file"),
        ("sample", with(&samples, 0, &[0xff; 4]), "it ends too early"),
        ("sample", with(&samples, 28, &[0; 4]), "failed to read it as a compressed chunk of LitData's"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut index = index("chunk-0-0.bin", bytes.len(), 5, &STORED, &dictionary(&NAMES));
        index["config"]["compression"] = json!("zstd");
        index["config"]["compression_level"] = json!(level);
        let path = write(&folder.path().join(number.to_string()), &bytes, &index);
        let cache = folder.path().join("cache");
        let opened = Dataset::open_with(&files(&path), Format::ByName, &unpacker(&cache, 1 << 20));
        let said = opened.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("chunk-0-0.bin: failed to read it as") && said.contains(expected), "{number}: {said}");
        let left = fs::read_dir(cache.join("unpacked/writing")).unwrap().count();
        assert_eq!(left, 0, "{number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is in a chunk, nothing is read past it.
    #[test]
    fn any_bytes_are_survived(
        changes in prop::collection::vec((0_usize..400, any::<u8>()), 0..6),
        cut in 0_usize..400,
        level in 0_usize..3,
    ) {
        let folder = TempDir::new().unwrap();
        let items = items();
        let mut bytes = match level {
            0 => chunk(&items),
            1 => framed(&items, 3),
            _ => chunk(&items.iter().map(|item| zstd::encode_all(&item[..], 1).unwrap()).collect::<Vec<_>>()),
        };
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len().max(cut) - cut / 8);
        let mut index = index("chunk-0-0.bin", bytes.len(), 5, &STORED, &dictionary(&NAMES));
        if level > 0 {
            index["config"]["compression"] = json!("zstd");
            index["config"]["compression_level"] = json!(["", "batch", "sample"][level]);
        }
        let path = write(&folder.path().join("data"), &bytes, &index);
        let unpacker = unpacker(&folder.path().join("cache"), 1 << 20);
        let Ok(dataset) = Dataset::open_with(&files(&path), Format::ByName, &unpacker) else { return Ok(()) };
        let mut read = Vec::new();
        for number in 0..dataset.samples() {
            let (shard, place) = dataset.find(number);
            for field in shard.fields(place).unwrap_or_default() {
                let encoding = shard.read(place, &[field.name.clone().into_owned()], &mut read).unwrap();
                prop_assert_eq!((encoding, read.len() as u64), (Some(field.encoding), field.bytes));
            }
        }
    }
}
