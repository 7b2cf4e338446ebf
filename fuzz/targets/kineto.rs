#![no_main]
//! Traces of PyTorch's profiler, with scratch space in memory.

use std::io::{self, Cursor};

use diagnose::kineto::{Step, findings, read};
use diagnose::sorter::Scratch;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut space = || -> io::Result<Box<dyn Scratch>> { Ok(Box::new(Cursor::new(Vec::new()))) };
    if let Ok(read) = read(bytes, "fuzz", Step::First, &mut space) {
        let _findings = findings(&read.breakdown);
    }
});
