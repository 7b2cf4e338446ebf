#![no_main]
//! Dumps of two ranks, the second the rest of the first.

use diagnose::hang::{findings, hang, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let half = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let dumps = [&bytes[..half], &bytes[half..]].into_iter().zip(0..);
    let dumps = dumps.filter_map(|(bytes, rank)| Some((rank, read(bytes, "fuzz").ok()?.0))).collect();
    if let Some(hang) = hang(&dumps) {
        let _findings = findings(&hang);
    }
});
