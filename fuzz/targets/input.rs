#![no_main]
//! Plain, gzip or Zstandard.

use std::io::Read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let reader = std::io::Cursor::new(bytes.to_vec());
    if let Ok(input) = connect::file::Input::from_reader(reader, "fuzz", None) {
        let _read = input.take(1 << 20).read_to_end(&mut Vec::new());
    }
});
