#![no_main]
//! A WebDataset file.

use feed::format::tar::TarIndex;
use feed::source::{ReadAt, SourceError};

struct Bytes<'a>(&'a [u8]);

impl ReadAt for Bytes<'_> {
    fn name(&self) -> &str {
        "fuzz"
    }

    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), SourceError> {
        let at = offset as usize;
        bytes.copy_from_slice(self.0.get(at..at + bytes.len()).expect("nothing is read past the end"));
        Ok(())
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let file = Bytes(bytes);
    let Ok(index) = TarIndex::read(&file) else { return };
    for sample in 0..index.samples() {
        for field in index.sample(sample) {
            assert!(field.offset + field.bytes <= file.size());
        }
    }
});
