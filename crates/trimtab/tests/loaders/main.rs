//! `trimtab feed explain`, `watch` and `metrics` as a person meets them: over reports of loaders that answer, and over saved ones.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

mod explained;
mod found;
mod watched;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use feed::serve::{Endpoint, Place, Told};
use serde_json::{Value, json};

/// A report of a loader that decodes: a training step that waits two fifths of its time.
fn decoding() -> Value {
    json!({
        "version": 1, "pid": 4242, "loader": 0,
        "data": "train-{000..127}.tar", "rank": 1, "world_size": 8, "price_per_hour": null,
        "seconds": 125.0, "threads": 4, "prefetch": 6, "ready": 0, "cores": 4,
        "batches": 1000, "samples": 64000, "failed": 2, "bytes_read": 7_000_000_000_u64,
        "read_seconds": 20.0, "make_seconds": 400.0, "decode_seconds": 300.0,
        "fetch_seconds": 0.0, "memory_seconds": 0.0, "ahead_seconds": 80.0, "starved_seconds": 50.0,
        "recent": {
            "seconds": 10.0, "samples_per_second": 512.4, "bytes_per_second": 56_000_000.0, "starved": 0.4,
            "read_seconds": 1.0, "make_seconds": 38.0, "decode_seconds": 30.0,
            "fetch_seconds": 0.0, "memory_seconds": 0.0, "ahead_seconds": 1.0,
            "bottleneck": "decode",
            "prediction": {
                "without_bottleneck": 854.0, "another_core": 640.5, "more_memory": null,
                "decoded_cache": 854.0, "decoded_bytes": 9e11,
            },
        },
        "memory": {"limit": 8_589_934_592_u64, "batches": 1_073_741_824_u64, "batches_limit": 4_294_967_296_u64, "fetched": 0, "decoded": 0},
        "store": null, "cache": null, "transform": null, "stall_cost_per_hour": null,
    })
}

/// A value with some members in place of its own.
fn with(mut value: Value, members: Value) -> Value {
    for (name, member) in members.as_object().unwrap() {
        if let (Some(own), true) = (value[name].as_object(), member.is_object()) {
            value[name] = with(Value::Object(own.clone()), member.clone());
        } else {
            value[name] = member.clone();
        }
    }
    value
}

/// A folder of a short name: a socket's path has at most 107 bytes.
fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("t").tempdir().unwrap()
}

/// A loader that answers with what lies here, and as this very process.
struct Answering {
    endpoint: Endpoint,
    report: Arc<Mutex<Told>>,
}

impl Answering {
    fn at(place: &Path, told: &Value) -> Answering {
        let told: Told = serde_json::from_value(told.clone()).unwrap();
        let report = Arc::new(Mutex::new(told));
        let held = Arc::clone(&report);
        let answer = move || Some(held.lock().unwrap().report.clone());
        Answering { endpoint: Endpoint::open(&Place::of(place), answer).unwrap(), report }
    }

    fn socket(&self) -> &str {
        self.endpoint.path().to_str().unwrap()
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
    command.arg("feed").args(arguments).stdin(Stdio::null()).env_remove("TRIMTAB_METRICS_DIR").env_remove("NO_COLOR");
    command
}

/// What came out on standard output, of a run that ended so and said so.
fn check(output: &Output, code: i32, stderr: &str) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.trim_end()), (Some(code), stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(!text.contains('\x1b'), "no colour where nobody looks: {text}");
    text
}
