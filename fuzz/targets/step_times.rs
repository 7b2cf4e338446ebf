#![no_main]
//! Times of steps.

use diagnose::steps::{episodes, findings, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let table = [b"worker,step,seconds\n", bytes].concat();
    if let Ok(read) = read(&table[..], "fuzz") {
        let _findings = findings(&read.steps, &episodes(&read.steps));
    }
});
