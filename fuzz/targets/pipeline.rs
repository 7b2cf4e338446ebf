#![no_main]
//! Operations of pipelines, laid out and lived again.

use diagnose::drawing::of_pipeline;
use diagnose::pipeline::{Chosen, Timeline, Trace, chosen, findings, read, whatif, write_chrome};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let table = [b"dp_rank,stage,rank,step,optype,start_ts,duration,seq_id,mc,gmc\n", bytes].concat();
    let Ok(read) = read(&table[..], "fuzz") else { return };
    let Ok(trace) = Trace::of(&read.operations) else { return };
    if let Ok(whatif) = whatif(&trace) {
        let _findings = findings(&trace, &whatif);
        let timeline = Timeline::of(&trace).expect("it was lived before");
        let steps = chosen(&timeline, Chosen::Default).expect("there is a step");
        write_chrome(&timeline, &steps, &mut std::io::sink()).expect("nowhere takes everything");
        let _drawing = of_pipeline(&timeline, &whatif, timeline.typical_step());
    }
});
