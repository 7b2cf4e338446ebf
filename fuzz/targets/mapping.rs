#![no_main]
//! A mapping, and a table under it.

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(mapping) = connect::csv::Mapping::parse(text, "fuzz") {
        let table = &b"a,b,c\n1,2020-01-01 00:00:00,3\n"[..];
        let _read = connect::csv::read(table, "fuzz", &mapping, &connect::import::Options::default(), &mut |_| Ok(()));
    }
});
