//! What is said of a report, word for word.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{check, command, decoding, folder, with};

/// What is said of a saved report.
fn explained(report: &Value, more: &[&str]) -> String {
    let folder = folder();
    let path = folder.path().join("report.json");
    fs::write(&path, report.to_string()).unwrap();
    let path = path.to_str().unwrap();
    check(&command(&[&["explain", path], more].concat()).output().unwrap(), 0, "")
}

#[test]
fn decoding_is_explained_with_its_price() {
    let text = explained(&decoding(), &["--accelerators", "8", "--price-per-hour", "2.50", "--currency", "EUR"]);
    assert_eq!(
        text,
        "\
Process 4242, rank 1 of 8
  reads train-{000..127}.tar
  In the last 10 s: 512 samples a second, 53.4 MiB/s read; 2 could not be read.

What holds it back
  Decoding: threads spend 95 % of their time making of bytes what comes out, on 4 cores. Without
  that: 854 samples a second, 1.7 times as fast.

Who waits for whom
  The training step waits 40 % of its time for a batch, 1,440 s of each hour. The loader's threads
  wait 2 % of theirs for a batch to be taken.

Where the threads' time goes
  4 threads, 4 cores     last 10 s  since the beginning
  ─────────────────────  ─────────  ───────────────────
  read                         2 %                  4 %
  decode                      75 %                 60 %
  make                        20 %                 20 %
  wait for the consumer        2 %                 16 %

What the next of each would bring
  with                                   samples a second  that is
  ─────────────────────────────────────  ────────────────  ──────────────────────────────────────
  one more core                                       641  1.2 times as fast
  more memory                                              no faster: threads do not wait for any
  all images kept decoded, in 838.2 GiB               854  1.7 times as fast

What to change
  - Give the process one more core (cpus-per-task, or the container's CPU limit): 641 samples a
    second, 1.2 times as fast.
  - decoded_cache=900000000000 keeps all images decoded; it counts in memory_limit: 854 samples a
    second, 1.7 times as fast, from the second epoch on.

What the waiting costs
  Of EUR 20.00 an hour for 8 accelerators, EUR 8.00 is paid for waiting: 40 % of the time.
"
    );
}

#[test]
fn a_store_is_explained_with_what_it_said() {
    let report = with(
        decoding(),
        json!({
            "pid": null, "world_size": 1, "failed": 0, "stall_cost_per_hour": {"micros": 8_000_000, "currency": "USD"},
            "price_per_hour": {"micros": 20_000_000, "currency": "USD"},
            "recent": {
                "bottleneck": "network", "fetch_seconds": 30.0, "memory_seconds": 4.0, "make_seconds": 4.0, "decode_seconds": 0.0,
                "prediction": {"another_core": 512.4, "more_memory": 560.0, "decoded_cache": null, "decoded_bytes": null},
            },
            "store": {"requests": 1200, "retries": 3, "throttled": 2, "bytes": 7_000_000_000_u64, "under_way_max": 64},
        }),
    );
    let text = explained(&report, &[]);
    assert_eq!(
        text,
        "\
A saved report
  reads train-{000..127}.tar
  In the last 10 s: 512 samples a second, 53.4 MiB/s read.

What holds it back
  The store of objects: threads wait 75 % of their time for what they asked of it. Without that: 854
  samples a second, 1.7 times as fast.

Who waits for whom
  The training step waits 40 % of its time for a batch, 1,440 s of each hour. The loader's threads
  wait 2 % of theirs for a batch to be taken, 75 % for the store and 10 % for memory that batches
  have.

Where the threads' time goes
  4 threads, 4 cores     last 10 s  since the beginning
  ─────────────────────  ─────────  ───────────────────
  read                         2 %                  4 %
  decode                         –                 60 %
  make                        10 %                 20 %
  wait for the store          75 %                    –
  wait for memory             10 %                    –
  wait for the consumer        2 %                 16 %

What the next of each would bring
  with                          samples a second  that is
  ────────────────────────────  ────────────────  ───────────────────────────────────────────
  one more core                                   no faster: it is not cores that are lacking
  more memory                                560  1.1 times as fast
  a cache on disk, at its best               854  1.7 times as fast

What to change
  - cache_dir=\"/a/fast/disk\" keeps what comes from the store: 854 samples a second, 1.7 times as
    fast, from the second epoch on.
  - The store said 2 times that it is asked too often: raise its limits, or spread the data.
  - Read from a store that is nearer, or that answers faster: 854 samples a second, 1.7 times as
    fast.
  - Raise memory_limit, or let go of batches sooner, since threads wait for memory: 560 samples a
    second, 1.1 times as fast.

What the waiting costs
  Of USD 20.00 an hour, USD 8.00 is paid for waiting: 40 % of the time.
"
    );
}

#[test]
fn a_consumer_that_takes_the_time_is_left_alone() {
    let report = with(
        decoding(),
        json!({"recent": {
            "bottleneck": "consumer", "starved": 0.0, "ahead_seconds": 39.0, "make_seconds": 1.0, "decode_seconds": 1.0,
            "prediction": {"without_bottleneck": 20_000.0, "another_core": 512.4, "decoded_cache": 512.4},
        }}),
    );
    let text = explained(&report, &["--price-per-hour", "31"]);
    for expected in [
        "  The training step: batches wait for it, and nothing here would make it faster. The loader could\n  deliver 20,000 samples a second, 39 times as fast.\n",
        "  The training step waits 0 % of its time for a batch, 0 s of each hour.",
        "What to change\n  Nothing of the loader: what would help is a faster training step.\n",
        "  Of USD 31.00 an hour for 1 accelerator, USD 0.00 is paid for waiting: 0 % of the time.\n",
    ] {
        assert!(text.contains(expected), "{text}\nlacks {expected}");
    }
    let unknown = with(decoding(), json!({"recent": {"bottleneck": "unknown", "samples_per_second": 0.0}}));
    let text = explained(&unknown, &[]);
    assert!(text.contains("No batch was taken in the last seconds") && !text.contains("What to change"), "{text}");
}

#[test]
fn json_has_the_figures() {
    let text = explained(&decoding(), &["--accelerators", "8", "--price-per-hour", "2.5", "--format", "json"]);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&found["version"], found["loaders"].as_array().unwrap().len()), (&1.into(), 1));
    let loader = &found["loaders"][0];
    assert_eq!(
        (&loader["bottleneck"], &loader["waits"], &loader["pid"]),
        (&"decode".into(), &0.4.into(), &4242.into())
    );
    assert_eq!(loader["activities"][1], json!({"activity": "decode", "recent": 0.75, "all": 0.6}));
    assert_eq!(
        loader["remedies"],
        json!([
            {"change": "another_core", "option": null, "samples_per_second": 640.5, "times": 640.5 / 512.4},
            {"change": "decoded_cache", "bytes": 900_000_000_000_u64, "option": "decoded_cache", "samples_per_second": 854.0, "times": 854.0 / 512.4},
        ])
    );
    assert_eq!(
        loader["stall"],
        json!({
            "accelerators": 8,
            "price_per_hour": {"micros": 20_000_000, "currency": "USD"},
            "cost_per_hour": {"micros": 8_000_000, "currency": "USD"},
        })
    );
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let folder = folder();
    let place = folder.path().to_str().unwrap();
    let file = folder.path().join("odd.json");
    fs::write(&file, "{\"version\": 1}").unwrap();
    let nobody = format!(
        "error: no loader answers in {place}: start training with Loader(..., metrics=True), or with TRIMTAB_METRICS_DIR in its \
         environment and here"
    );
    check(&command(&["explain", place]).output().unwrap(), 2, &nobody);
    check(&command(&["explain"]).env("TRIMTAB_METRICS_DIR", place).output().unwrap(), 2, &nobody);
    let process = nobody.replace("no loader answers", "no loader of process 77 answers");
    check(&command(&["explain", "77"]).env("TRIMTAB_METRICS_DIR", place).output().unwrap(), 2, &process);
    for (arguments, expected) in [
        (&["explain", "none"][..], "cannot read none: there is no such file or directory"),
        (&["explain", file.to_str().unwrap()], "odd.json: it is no report (missing field `"),
        (&["explain", "--accelerators", "8"], "--price-per-hour <PRICE>"),
        (&["explain", "--price-per-hour", "much"], "such as 2.50"),
        (&["explain", "--price-per-hour", "2", "--currency", "euro"], "such as USD or EUR"),
        (&["explain", "12", "--pid", "13"], "process 12 is named, and another by --pid: name one"),
        (&["watch", file.to_str().unwrap()], "odd.json: it is no report"),
    ] {
        let output = command(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(expected), "{arguments:?}: {said}");
    }
    let mut child = command(&["explain", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(decoding().to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("Process 4242, rank 1 of 8\n"));
}
