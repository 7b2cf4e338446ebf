#![no_main]
//! Kernel logs, whole and line by line as they are written, and what any file is taken for.

use diagnose::live::Watch;
use diagnose::recognise::recognise;
use diagnose::xid::{findings, read};
use fleet::time::Timestamp;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _kind = recognise(bytes);
    if let Ok((log, _)) = read(bytes, "fuzz") {
        let _findings = findings(&log);
    }
    let mut watch = Watch::default();
    for (second, line) in (0..).zip(String::from_utf8_lossy(bytes).lines()) {
        watch.kernel(line, Timestamp(second * 1_000));
        let _changes = watch.evaluate(Timestamp(second * 1_000));
    }
});
