#![no_main]
//! A fleet file.

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(file) = fleet::fleet_file::FleetFile::parse(text, "fuzz") {
        file.node_records().take(1_000).for_each(drop);
        file.queue_records().for_each(drop);
    }
});
