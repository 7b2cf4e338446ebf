#![no_main]
//! Files that are unpacked: the first byte says how they are packed. The libraries that read tables may stop in the middle of a file that
//! contradicts itself, and that is an error of the file.

use std::fs;
use std::panic;
use std::sync::Arc;

use feed::dataset::{Dataset, Format};
use feed::source::Location;
use feed::spec::CacheSpec;
use feed::unpack::Unpacker;

/// What a file may become.
const BYTES_MAX: u64 = 16 << 20;

libfuzzer_sys::fuzz_target!(
    // The fuzzer's own ends the process at once, also where whoever called would go on.
    init: drop(panic::take_hook()),
    |bytes: &[u8]| {
        let Some((kind, rest)) = bytes.split_first() else { return };
        let names = ["a.jsonl.gz", "a.txt.zst", "a.tar.gz", "a.parquet", "a.arrow", "a.feather"];
        let name = names[usize::from(*kind) % names.len()];
        let folder = tempfile::TempDir::new().expect("there is room");
        fs::write(folder.path().join(name), rest).expect("there is room");
        let cache = folder.path().join("cache");
        let told = CacheSpec { folder: cache.display().to_string(), bytes: BYTES_MAX };
        let at = Location::Path(folder.path().join(name));
        let opened = Dataset::open_with(&[at], Format::ByName, &Arc::new(Unpacker::new(Some(told))));
        let left = fs::read_dir(cache.join("unpacked/writing")).map_or(0, |left| left.count());
        assert_eq!(left, 0, "what is half done is removed");
        let Ok(dataset) = opened else { return };
        let mut bytes = Vec::new();
        for sample in 0..dataset.samples().min(100) {
            let (shard, place) = dataset.find(sample);
            for field in shard.fields(place).unwrap_or_default() {
                let _read = shard.read(place, &[field.name.clone().into_owned()], &mut bytes);
            }
            assert!(!shard.sample_name(place).is_empty());
        }
    }
);
