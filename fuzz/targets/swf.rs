#![no_main]
//! The Standard Workload Format.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _read = connect::swf::read(bytes, "fuzz", &connect::import::Options::default(), &mut |_| Ok(()));
});
