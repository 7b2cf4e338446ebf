#![no_main]
//! The files of a dataset that name each other: the first byte says which kind, the rest is divided between index and data.

use std::fs;

use feed::dataset::{Dataset, Format, Tokens};
use feed::source::Location;
use feed::spec::TokenType;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(([kind, border], rest)) = bytes.split_first_chunk() else { return };
    let (index, data) = rest.split_at(usize::from(*border) * 4 % (rest.len() + 1));
    let folder = tempfile::TempDir::new().expect("there is room");
    let tokens = Format::Tokens(Tokens { length: 3, stride: 2, token: TokenType::UInt16 });
    let (name, beside, format) = match kind % 4 {
        0 => ("index.json", "shard.00000.mds", Format::ByName),
        1 => ("text.idx", "text.bin", tokens),
        2 => ("a.jsonl", "b.txt", Format::ByName),
        _ => ("a.txt", "b.jsonl", Format::ByName),
    };
    fs::write(folder.path().join(name), index).expect("there is room");
    fs::write(folder.path().join(beside), data).expect("there is room");
    let opened = if kind % 4 == 1 { beside } else { name };
    let Ok(dataset) = Dataset::open(&[Location::Path(folder.path().join(opened))], format) else { return };
    let mut bytes = Vec::new();
    for sample in 0..dataset.samples().min(100) {
        let (shard, place) = dataset.find(sample);
        let _read = shard.read(place, &["text".to_owned(), "id".to_owned()], &mut bytes);
        let _key = shard.key(place);
        for field in shard.fields(place).unwrap_or_default() {
            if let Ok(Some(_)) = shard.read(place, &[field.name.clone().into_owned()], &mut bytes) {
                // A name that stands twice is read as the first of it.
                let sizes = shard.fields(place).unwrap_or_default();
                assert!(sizes.iter().any(|other| other.name == field.name && other.bytes == bytes.len() as u64));
            }
        }
        assert!(!shard.sample_name(place).is_empty());
    }
});
