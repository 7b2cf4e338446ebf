#![no_main]
//! Tables in Parquet, made lines, and read as operations. The library may stop in the middle of a file that contradicts itself, and that
//! is an error of the file.

use std::io::BufReader;
use std::panic;
use std::path::Path;

use connect::file::Input;
use connect::parquet::as_csv;
use diagnose::pipeline;

libfuzzer_sys::fuzz_target!(
    // The fuzzer's own ends the process at once, also where whoever called would go on.
    init: drop(panic::take_hook()),
    |bytes: &[u8]| {
        let Ok(input) = Input::from_reader(std::io::Cursor::new(bytes.to_vec()), "fuzz", None) else { return };
        let Ok(lines) = as_csv(Path::new("-"), input) else { return };
        let _read = pipeline::read(BufReader::new(lines), "fuzz");
    }
);
