#![no_main]
//! What a file of series holds, behind its checksums. The first two bytes say how many scrapes the chunk has.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((count, body)) = bytes.split_first_chunk() else { return };
    let count = usize::from(u16::from_le_bytes(*count)).min(store::CHUNK_SCRAPES);
    let _taken = store::read_as_anything(body, count);
});
