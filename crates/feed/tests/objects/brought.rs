//! What cannot be read in ranges is brought to this machine as a whole.

use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use object_rig::{Behaviour, Fault};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::made::*;
use crate::{epoch, ms, open, open_with, refused, start};

#[test]
fn compressed_objects_are_unpacked_on_this_machine() {
    let folder = TempDir::new().unwrap();
    fill(folder.path());
    for shard in 0..3 {
        for name in [format!("part-{shard}.tar"), format!("part-{shard}.jsonl")] {
            let plain = fs::read(folder.path().join(&name)).unwrap();
            let packed = zstd::encode_all(&plain[..], 1).unwrap();
            write(&folder.path().join(format!("{name}.zst")), packed);
        }
    }
    let faults = vec![(3, Fault::Status(503)), (5, Fault::Cut)];
    let server = start(&folder, Behaviour { latency: ms(1), faults, ..Behaviour::default() });
    let cache = TempDir::new().unwrap();
    let more = format!(r#", "cache": {{"folder": "{}", "bytes": 50000000}}"#, cache.path().display());
    for (data, column) in &ASKED[..2] {
        let plain = epoch(&open(&format!("{}/{data}", folder.path().display()), column).unwrap()).unwrap();
        let at = server.url(&format!("{}.zst", data.replace('*', "{0..2}")));
        let loader = open_with(&at, column, &more).unwrap();
        assert_eq!(epoch(&loader).unwrap(), plain, "{data}");
        // They are there for whoever comes next, who asks for their sizes alone.
        let before = server.requests();
        assert_eq!(epoch(&open_with(&at, column, &more).unwrap()).unwrap(), plain);
        assert!(server.requests() - before <= 9, "{data}");
    }
}

#[test]
fn tables_in_stores_are_brought_here_and_unpacked() {
    let folder = TempDir::new().unwrap();
    let texts: Vec<String> = (0..500).map(|row| format!("row {row}")).collect();
    let column: ArrayRef = Arc::new(StringArray::from(texts));
    let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    write(&folder.path().join("a.parquet"), parquet.into_inner().unwrap());
    let mut arrow = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    arrow.write(&batch).unwrap();
    write(&folder.path().join("a.arrow"), arrow.into_inner().unwrap());
    let server = start(&folder, Behaviour::default());
    let cache = TempDir::new().unwrap();
    let more = format!(r#", "cache": {{"folder": "{}", "bytes": 50000000}}"#, cache.path().display());
    let column = r#"{"name": "text", "fields": ["text"], "kind": "text"}"#;
    for name in ["a.parquet", "a.arrow"] {
        let here = open_with(&folder.path().join(name).display().to_string(), column, &more).unwrap();
        let there = epoch(&open_with(&server.url(name), column, &more).unwrap()).unwrap();
        assert_eq!(there, epoch(&here).unwrap(), "{name}");
        assert_eq!(there.len(), 500);
    }
    // What was brought here is not kept beside the rows.
    let unpacked = fs::read_dir(cache.path().join("unpacked")).unwrap();
    let kept = unpacked.filter(|entry| entry.as_ref().unwrap().path().join("source").exists());
    assert_eq!(kept.count(), 0);
    write(&folder.path().join("cut.parquet"), b"PAR1 and no more");
    let error = refused(open_with(&server.url("cut.parquet"), column, &more));
    assert!(error.contains("cut.parquet: failed to read it as Parquet"), "{error}");
}

#[test]
fn chunks_of_litdata_in_stores_are_read_as_those_of_files() {
    let folder = TempDir::new().unwrap();
    let item = |number: usize| [&(data(number).len() as u32).to_le_bytes()[..], &data(number)].concat();
    let chunk = |items: &[Vec<u8>]| {
        let mut offset = 4 * (items.len() as u32 + 2);
        let mut bytes = [(items.len() as u32).to_le_bytes(), offset.to_le_bytes()].concat();
        for item in items {
            offset += item.len() as u32;
            bytes.extend(offset.to_le_bytes());
        }
        [bytes, items.concat()].concat()
    };
    let index = |name: &str, bytes: usize, packing: &str| {
        format!(
            "{{\"chunks\": [{{\"filename\": \"{name}\", \"chunk_bytes\": {bytes}, \"chunk_size\": 60, \"dim\": null}}], \
             \"config\": {{\"data_format\": [\"bytes\"], \"data_spec\": null, {packing}}}}}"
        )
    };
    let items: Vec<Vec<u8>> = (0..60).map(item).collect();
    let plain = chunk(&items);
    let each: Vec<Vec<u8>> = items.iter().map(|item| zstd::encode_all(&item[..], 1).unwrap()).collect();
    for (kind, name, bytes, told, packing) in [
        ("plain", "a.bin", plain.clone(), plain.len(), r#""compression": null"#),
        ("whole", "a.zstd.bin", zstd::encode_all(&plain[..], 1).unwrap(), plain.len(), r#""compression": "zstd""#),
        ("each", "a.bin", chunk(&each), chunk(&each).len(), r#""compression": "zstd", "compression_level": "sample""#),
    ] {
        fs::create_dir(folder.path().join(kind)).unwrap();
        write(&folder.path().join(kind).join(name), bytes);
        write(&folder.path().join(kind).join("index.json"), index(name, told, packing));
    }
    let faults = vec![(3, Fault::Status(503)), (5, Fault::Cut)];
    let server = start(&folder, Behaviour { latency: ms(1), faults, ..Behaviour::default() });
    let cache = TempDir::new().unwrap();
    let more = format!(r#", "cache": {{"folder": "{}", "bytes": 50000000}}"#, cache.path().display());
    let column = r#"{"name": "data", "kind": "bytes"}"#;
    let expected = epoch(&open(&folder.path().join("plain").display().to_string(), column).unwrap()).unwrap();
    assert_eq!(expected.len(), 60);
    for kind in ["plain", "whole", "each"] {
        let loader = open_with(&server.url(kind), column, &more).unwrap();
        assert_eq!(epoch(&loader).unwrap(), expected, "{kind}");
    }
}
