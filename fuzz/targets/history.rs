#![no_main]
//! A history.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut reader) = fleet::history::Reader::begin(bytes, "fuzz") {
        while let Ok(Some(_)) = reader.next_record() {}
    }
});
