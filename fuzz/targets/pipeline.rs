#![no_main]
//! Operations of pipelines, laid out and lived again.

use diagnose::pipeline::{Trace, findings, read, whatif};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let table = [b"dp_rank,stage,rank,step,optype,start_ts,duration,seq_id,mc,gmc\n", bytes].concat();
    let Ok(read) = read(&table[..], "fuzz") else { return };
    let Ok(trace) = Trace::of(&read.operations) else { return };
    if let Ok(whatif) = whatif(&trace) {
        let _findings = findings(&trace, &whatif);
    }
});
