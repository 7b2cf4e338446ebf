#![no_main]
//! A chunk of LitData's: the first byte says how it is packed, and whether its index is made up here or is a part of what comes. Samples may
//! be rows of a table, and the library that reads those may stop in the middle of one that contradicts itself: that is an error of the file.

use std::fs;
use std::panic;
use std::sync::Arc;

use feed::dataset::{Dataset, Format, Tokens};
use feed::source::Location;
use feed::spec::{CacheSpec, TokenType};
use feed::unpack::Unpacker;

/// What a chunk may become.
const BYTES_MAX: u64 = 16 << 20;
/// A dictionary of a field of each kind that is read, and of some that are not.
const SPEC: &str = r#""data_format": ["str", "int", "float", "numpy", "tensor", "pickle", "json"], "data_spec": null"#;
const TOKENS: &str = r#""data_format": ["no_header_numpy:5"], "data_spec": null, "item_loader": "TokensLoader""#;

libfuzzer_sys::fuzz_target!(
    // The fuzzer's own ends the process at once, also where whoever called would go on.
    init: drop(panic::take_hook()),
    |bytes: &[u8]| {
        let Some(([kind, border], rest)) = bytes.split_first_chunk() else { return };
        let folder = tempfile::TempDir::new().expect("there is room");
        let kind = kind % 5;
        let (told, chunk) = rest.split_at(if kind == 4 { usize::from(*border) * 4 % (rest.len() + 1) } else { 0 });
        let size = chunk.len();
        let packing = match kind {
            1 => r#", "compression": "zstd", "compression_level": "batch""#,
            2 => r#", "compression": "zstd", "compression_level": "sample""#,
            _ => "",
        };
        let fields = if kind == 3 { TOKENS } else { SPEC };
        // As many samples as the border says, and tokens as there is room for behind their offsets.
        let tokens = size.saturating_sub(4 * (usize::from(*border) + 2)) / 2;
        let index = format!(
            r#"{{"chunks": [{{"filename": "a.bin", "chunk_bytes": {size}, "chunk_size": {border}, "dim": {tokens}}}], "config": {{{fields}{packing}}}}}"#
        );
        let index = if kind == 4 { told } else { index.as_bytes() };
        fs::write(folder.path().join("index.json"), index).expect("there is room");
        fs::write(folder.path().join("a.bin"), chunk).expect("there is room");
        let cache = folder.path().join("cache");
        let unpacker = CacheSpec { folder: cache.display().to_string(), bytes: BYTES_MAX };
        let format = match kind {
            3 => Format::Tokens(Tokens { length: 3, stride: 2, token: TokenType::UInt16 }),
            _ => Format::ByName,
        };
        let at = Location::Path(folder.path().join("index.json"));
        let opened = Dataset::open_with(&[at], format, &Arc::new(Unpacker::new(Some(unpacker))));
        let left = fs::read_dir(cache.join("unpacked/writing")).map_or(0, |left| left.count());
        assert_eq!(left, 0, "what is half done is removed");
        let Ok(dataset) = opened else { return };
        let mut read = Vec::new();
        for sample in 0..dataset.samples().min(100) {
            let (shard, place) = dataset.find(sample);
            for field in shard.fields(place).unwrap_or_default() {
                if let Ok(Some(_)) = shard.read(place, &[field.name.clone().into_owned()], &mut read) {
                    assert!(field.bytes == read.len() as u64 || kind == 4);
                }
            }
            assert!(!shard.sample_name(place).is_empty());
        }
    }
);
