//! Records held against records of before.

use super::{Folder, LOST, run};

/// A trace of three steps, each a launch and what it launched; the last is left out, since it may be cut.
fn profile(all_reduce_us: u64) -> String {
    let event = |name: &str, category: &str, start: u64, length: u64, more: &str| {
        format!(
            r#"{{"ph": "X", "name": "{name}", "cat": "{category}", "ts": {start}, "dur": {length}, "args": {{{more}}}}}"#
        )
    };
    let mut events = Vec::new();
    for step in 0..3 {
        let begin = step * (16_000 + all_reduce_us);
        events.push(event(&format!("ProfilerStep#{step}"), "user_annotation", begin, 16_000, ""));
        let mut at = begin + 100;
        for (number, name, length) in [(1, "gemm", 4_000), (2, "ncclDevKernel_AllReduce", all_reduce_us)] {
            let both = format!(r#""correlation": {}"#, 10 * step + number);
            events.push(event("cudaLaunchKernel", "cuda_runtime", begin + number, 1, &both));
            events.push(event(name, "kernel", at, length, &format!(r#"{both}, "stream": 7"#)));
            at += length;
        }
    }
    format!(r#"{{"schemaVersion": 1, "traceEvents": [{}]}}"#, events.join(",\n"))
}

#[test]
fn what_got_slower_is_told_with_its_share() {
    let folder = Folder::new("against");
    let (before, after) = (profile(1_000), profile(3_500));
    let (before, after) =
        (folder.write("before.json", before.as_bytes()), folder.write("after.json", after.as_bytes()));
    let output = run(&[&after, "--against", &before]);
    let text = String::from_utf8(output.stdout).unwrap();
    let verdict = "Steps take 2.50 ms longer (+23 %): 2.50 ms of it (100 %) is ncclDevKernel_AllReduce, called as often as before but \
        each 3.50 times as long";
    assert!(text.contains(verdict), "{text}");
    let steps = folder.write("steps.csv", b"worker,step,seconds\n0,1,2\n");
    let log = folder.write("dmesg", LOST.as_bytes());
    for (arguments, expected) in [
        (&[steps.as_str(), "--against", &before][..], "one is kineto, the other step-times; both must be of one kind"),
        (&[&log, "--against", &log], "other kinds are not"),
        (&[&after, &steps, "--against", &before], "name one file beside it"),
        (&[folder.0.to_str().unwrap(), "--against", &before], "it is a folder"),
    ] {
        let output = run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{errors}");
        assert!(errors.contains(expected), "{errors}");
    }
}
