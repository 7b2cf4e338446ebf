#![no_main]
//! The job list of Philly.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _read = connect::philly::read(bytes, "fuzz", &connect::import::Options::default(), &mut |_| Ok(()));
});
