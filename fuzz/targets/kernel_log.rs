#![no_main]
//! Kernel logs, and what any file is taken for.

use diagnose::recognise::recognise;
use diagnose::xid::{findings, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _kind = recognise(bytes);
    if let Ok((log, _)) = read(bytes, "fuzz") {
        let _findings = findings(&log);
    }
});
