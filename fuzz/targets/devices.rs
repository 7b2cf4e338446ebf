#![no_main]
//! Lists of devices, as three tools write them.

use diagnose::devices::{findings, read_nvidia_smi, read_rocm_smi, read_scrape};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let nvidia = read_nvidia_smi(bytes, "fuzz").map(|(devices, _)| devices);
    let rocm = read_rocm_smi(bytes, "fuzz").map(|(devices, _)| devices);
    let scraped = read_scrape(bytes, "fuzz").map(|(scrape, _)| scrape.devices);
    for devices in [nvidia, rocm, scraped].into_iter().flatten() {
        let _findings = findings(&devices);
    }
});
