//! `trimtab diagnose` as a person meets it: files of real systems, and what is said of them.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

mod against;
mod rules;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trimtab")).arg("diagnose").args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// What is said of one file or folder.
fn told(path: &Path) -> Value {
    let output = run(&[path.to_str().unwrap(), "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["version"], answer["files"].as_array().unwrap().len()), (&Value::from(1), 1));
    answer["files"][0].clone()
}

fn rules(told: &Value) -> Vec<&str> {
    told["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

/// The figures that the publishers of a trace give, and ours.
fn check_pipeline(name: &str, folder: &Path, cause: &str) {
    let told = told(&folder.join(format!("trace-{name}.csv.gz")));
    let published = |file: String| -> Value { serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap() };
    let (result, figures) = (published(format!("result-{name}.json")), &told["figures"]);
    let slowdown = result["blocking_slowdown"].as_f64().unwrap();
    assert!((figures["slowdown"].as_f64().unwrap() / slowdown - 1.0).abs() < 0.01);
    for (share, file, field) in [
        ("worst_workers_share", format!("mw-{name}.json"), "Mw"),
        ("last_stage_share", format!("ms-{name}.json"), "Ms"),
    ] {
        let off = (figures[share].as_f64().unwrap() - published(file)[field].as_f64().unwrap()).abs();
        assert!(off < 0.01, "{name}: {share} is off by {off}");
    }
    for (ours, theirs) in [
        ("by_dp_rank", "blocking_decompose_by_dp_rank"),
        ("by_stage", "blocking_decompose_by_stage"),
        ("by_kind", "blocking_decompose_by_optype"),
    ] {
        let parts = figures[ours].as_array().unwrap();
        assert_eq!(parts.len(), result[theirs].as_object().unwrap().len());
        for part in parts {
            let key = part["of"].as_str().map_or_else(|| part["of"].to_string(), str::to_owned);
            let off = (part["slowdown"].as_f64().unwrap() - result[theirs][&key].as_f64().unwrap()).abs();
            assert!(off <= 0.03 * (slowdown - 1.0), "{name}: {ours} {key} is off by {off}");
        }
    }
    assert_eq!(rules(&told), [cause], "{name}");
}

#[test]
fn pipelines_are_told_as_their_publishers_tell_them() {
    let folder = testkit::shared_data!("stragglers");
    check_pipeline("AR", &folder, "slow-worker");
    check_pipeline("SE", &folder, "uneven-lengths");
}

/// A table of the same columns in Parquet: numbers as numbers, with decimals or without, and words as words.
fn parquet_of(csv: &Path) -> Vec<u8> {
    let mut text = String::new();
    connect::file::Input::open(csv).unwrap().read_to_string(&mut text).unwrap();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let columns = names.iter().enumerate().map(|(at, name)| {
        let column = || rows.iter().map(move |row| row[at]);
        let column: ArrayRef = if column().all(|field| field.parse::<i64>().is_ok()) {
            Arc::new(column().map(|field| field.parse::<i64>().ok()).collect::<Int64Array>())
        } else if column().all(|field| field.is_empty() || field.parse::<f64>().is_ok()) {
            Arc::new(column().map(|field| field.parse::<f64>().ok()).collect::<Float64Array>())
        } else {
            Arc::new(column().map(Some).collect::<StringArray>())
        };
        (*name, column)
    });
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut written = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut written, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    written
}

#[test]
fn parquet_says_what_the_same_csv_says() {
    let folder = Folder::new("parquet");
    for shared in ["stragglers/trace-AR.csv.gz", "step-times/job_1_norm.csv"] {
        let csv = testkit::shared_data!(shared);
        let table = folder.write("table", &parquet_of(&csv));
        let (mut of_csv, mut of_parquet) = (told(&csv), told(Path::new(&table)));
        of_csv["file"] = Value::Null;
        of_parquet["file"] = Value::Null;
        assert_eq!(of_parquet, of_csv);
    }
    let other = parquet_of(Path::new(&folder.write("other.csv", b"dp_rank,stage\n0,0\n")));
    for (table, expected) in
        [(&other[..], "its beginning does not tell what it is"), (&other[..40], "the Parquet file is damaged")]
    {
        let output = run(&[&folder.write("table", table)]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(expected), "{errors}");
    }
}

#[test]
fn device_time_is_told_as_others_tell_it() {
    let folder = testkit::shared_data!("kineto");
    let expected: Value = serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
    for (file, expected) in expected.as_object().unwrap() {
        let told = told(&folder.join(file));
        let figures = &told["figures"];
        let check = |name: &str, ours: &Value, theirs: &Value| {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            assert!((ours - theirs).abs() <= 0.001 * theirs.abs(), "{file}: {name}: {ours}, expected {theirs}");
        };
        for (ours, theirs) in [
            ("idle_us", "idle_time(us)"),
            ("compute_us", "compute_time(us)"),
            ("non_compute_us", "non_compute_time(us)"),
            ("total_us", "kernel_time(us)"),
        ] {
            check(theirs, &figures["temporal"][ours], &expected["temporal"][theirs]);
        }
        for idle in expected["idle_by_stream"].as_array().unwrap() {
            let stream =
                figures["idle"].as_array().unwrap().iter().find(|ours| ours["stream"] == idle["stream"]).unwrap();
            let category = idle["category"].as_str().unwrap();
            check(category, &stream[format!("{category}_us")], &idle["idle_us"]);
        }
        let first = &expected["top_kernels"].as_array().unwrap()[0];
        let ours = figures["kernels"].as_array().unwrap().iter().find(|ours| ours["name"] == first["name"]).unwrap();
        check("the costliest kernel", &ours["sum_us"], &first["sum (us)"]);
    }
}

/// Launches, the longest queue and the critical path of the first step, as HolisticTraceAnalysis 0.5.0 has them (with pandas 2.3).
#[test]
fn launches_queues_and_critical_paths_are_told_as_others_tell_them() {
    let folder = testkit::shared_data!("kineto");
    for (file, short, late, delay_us, queue, [total, host, device, between, launch]) in [
        ("control", 3042, 5111, 2014.605, 35.453, [59158.0, 16511.0, 477.0, 42160.0, 10.0]),
        ("sampled_rank-0", 140, 469, 16412.163, 23.62, [267581.0, 266597.0, 948.0, 30.0, 6.0]),
        ("nccl_data", 1347, 180, 28.07, 0.823, [101646.0, 101646.0, 0.0, 0.0, 0.0]),
    ] {
        let told = told(&folder.join(format!("{file}.json.gz")));
        let (all, path) = (&told["figures"]["launches"][0], &told["figures"]["critical_path"]);
        assert_eq!((&all["short"], &all["late"]), (&Value::from(short), &Value::from(late)), "{file}");
        let queues = told["figures"]["queues"].as_array().unwrap();
        let longest = queues.iter().map(|queue| queue["length"]["mean"].as_f64().unwrap()).fold(0.0, f64::max);
        for (name, ours, theirs) in [
            ("delay", all["delay_us"]["mean"].as_f64(), delay_us),
            ("queue", Some(longest), queue),
            ("total_us", path["total_us"].as_f64(), total),
            ("host_us", path["host_us"].as_f64(), host),
            ("device_us", path["device_us"].as_f64(), device),
            ("between_us", path["between_us"].as_f64(), between),
            ("launch_us", path["launch_us"].as_f64(), launch),
        ] {
            assert!((ours.unwrap() - theirs).abs() <= 0.001 * theirs, "{file}: {name}: {ours:?}, expected {theirs}");
        }
    }
}

/// The trace of a rank that computes, then communicates; in milliseconds.
fn profile(rank: u32, compute: u32, wait: u32) -> String {
    let kernel = |name: &str, start: u32, length: u32| {
        format!(
            r#"{{"ph": "X", "cat": "kernel", "name": "{name}", "pid": 0, "tid": 7, "ts": {}, "dur": {}, "args": {{"device": 0, "stream": 7}}}}"#,
            1_000 * start,
            1_000 * length
        )
    };
    format!(
        r#"{{"schemaVersion": 1, "distributedInfo": {{"backend": "nccl", "rank": {rank}, "world_size": 3}}, "traceEvents": [{}, {}]}}"#,
        kernel("gemm", 0, compute),
        kernel("ncclDevKernel_AllReduce(x)", compute, wait)
    )
}

#[test]
fn who_the_other_ranks_wait_for_is_named() {
    let folder = Folder::new("ranks");
    for (rank, compute, wait) in [(0, 60, 40), (1, 95, 5), (2, 65, 35)] {
        folder.write(&format!("rank{rank}.json"), profile(rank, compute, wait).as_bytes());
    }
    let output = run(&[folder.0.to_str().unwrap(), "--format", "json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = answer["files"].as_array().unwrap();
    assert_eq!(files.len(), 4);
    let together = &files[3];
    assert_eq!((rules(together), &together["findings"][0]["places"][0]["name"]), (vec!["slow-rank"], &"1".into()));
    assert_eq!(together["figures"]["ranks"].as_array().unwrap().len(), 3);
    let text = String::from_utf8(run(&[folder.0.to_str().unwrap()]).stdout).unwrap();
    assert!(text.contains("Rank 1 holds the others up 32 % of the time"), "{text}");
}

#[test]
fn a_step_is_chosen_by_its_number() {
    let path = testkit::shared_data!("kineto/control.json.gz");
    for (step, expected) in [
        ("1010", "Of ProfilerStep#1010:"),
        ("1014", "that step is the last, which may be cut"),
        ("3", "no step has that number"),
    ] {
        let text = String::from_utf8(run(&[path.to_str().unwrap(), "--step", step]).stdout).unwrap();
        assert!(text.contains(expected), "{text}\nlacks {expected}");
    }
}

#[test]
fn devices_are_listed_whatever_tool_lists_them() {
    for (file, name, model, rules_expected) in [
        ("nvidia-smi/a100-sxm4-v12.xml", "0000:01:00", Some("NVIDIA A100-SXM4-80GB"), &[][..]),
        ("nvidia-smi/tesla-t4.xml", "0000:00:1e", Some("Tesla T4"), &["degraded-link"]),
        ("rocm-smi/mi100_rocm602.json", "0000:83:00", Some("Arcturus GL-XL [Instinct MI100]"), &[]),
        ("scrapes/dcgm_exporter_sample.prom", "0", None, &[]),
    ] {
        let path = testkit::shared_data!(file);
        let told = told(&path);
        let device = &told["figures"][0];
        assert_eq!((device["name"].as_str(), device["model"].as_str()), (Some(name), model), "{file}");
        assert_eq!(rules(&told), rules_expected, "{file}");
        assert_eq!(told["left_out"]["count"], 0, "{file}");
    }
}

#[test]
fn who_did_not_come_is_named() {
    let folder = testkit::shared_data!("nccl-hangs");
    for fault in ["gpu_error_2nd", "lock_gil_1st"] {
        let told = told(&folder.join(fault));
        let places = told["findings"][0]["places"].as_array().unwrap();
        let ranks: Vec<&str> = places.iter().map(|place| place["name"].as_str().unwrap()).collect();
        assert_eq!(ranks, ["9", "14"], "{fault}");
    }
}

/// Puts the dumps of a folder into pickles, as a job leaves them.
const PICKLED: &str = "\
import json, pathlib, pickle, sys
for dump in pathlib.Path(sys.argv[1]).glob('*.json'):
    target = pathlib.Path(sys.argv[2]) / dump.stem
    target.write_bytes(pickle.dumps(json.loads(dump.read_text()), protocol=int(sys.argv[3])))
";

#[test]
fn pickled_dumps_say_what_json_says() {
    let dumps = testkit::shared_data!("nccl-hangs/lock_gil_1st");
    let expected = told(&dumps);
    for protocol in ["2", "4", "5"] {
        let folder = Folder::new(&format!("pickled-{protocol}"));
        let python = Command::new("python3").args(["-c", PICKLED]).arg(&dumps).arg(&folder.0).arg(protocol).status();
        if !python.is_ok_and(|status| status.success()) {
            testkit::skip!(testkit::Need::Program, "there is no python3");
        }
        let told = told(&folder.0);
        for part in ["findings", "figures", "about", "kind", "left_out"] {
            assert_eq!(told[part], expected[part], "protocol {protocol}: {part}");
        }
        assert_eq!(told["figures"]["ranks"], serde_json::json!([9, 14]));
    }
}

#[test]
fn a_pickle_calls_nothing() {
    let folder = Folder::new("calls");
    let left = folder.0.join("left");
    let call = [
        b"\x80\x02".to_vec(),
        format!("}}(S'pg_config'\ncos\nsystem\n(S'touch {}'\ntRu.", left.display()).into_bytes(),
    ]
    .concat();
    let output = run(&[&folder.write("dump_0", &call)]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("a pickle that makes objects is not read"), "{errors}");
    assert!(output.status.code() == Some(2) && !left.exists());
}

#[test]
fn who_was_slow_is_told_with_its_time() {
    let path = testkit::shared_data!("step-times/job_1_norm.csv");
    let told = told(&path);
    let episodes = told["figures"].as_array().unwrap();
    assert_eq!(episodes.len(), 1, "{episodes:?}");
    let near = |field: &str, step: u64| episodes[0][field].as_u64().unwrap().abs_diff(step) <= 30;
    assert!(episodes[0]["worker"] == 6 && near("first_step", 1811) && near("last_step", 1931), "{episodes:?}");
}

#[test]
fn a_kernel_log_is_read_line_by_line() {
    let path = testkit::shared_data!("xid/kmsg_lines.txt");
    let told = told(&path);
    assert_eq!((&told["figures"]["lines"], &told["figures"]["events"]), (&Value::from(70), &Value::from(67)));
}

/// A folder of its own for a test, removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("trimtab-diagnose-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

const LOST: &str = "[1.5] NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.\n";

#[test]
fn a_verdict_reads_by_itself() {
    let folder = Folder::new("verdict");
    let output = run(&[&folder.write("dmesg", LOST.as_bytes())]);
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in ["GPU 0000:3b:00: Xid 79, GPU has fallen off the bus", "restart the machine", "RESTART_BM"] {
        assert!(text.contains(expected), "{text}\nlacks {expected}");
    }
    assert!(!text.contains('\x1b'), "no colour where nobody looks");
}

#[test]
fn a_timeline_is_written_whole_or_not_at_all() {
    let trace = testkit::shared_data!("stragglers/trace-AR.csv.gz");
    let trace = trace.to_str().unwrap();
    let folder = Folder::new("timeline");
    let path = folder.0.join("timeline.json");
    let perfetto = path.to_str().unwrap();
    let output = run(&[trace, "--perfetto", perfetto, "--step", "21"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("(step 21)"), "{told}");
    let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let events = written["traceEvents"].as_array().unwrap();
    let steps: Vec<f64> =
        events.iter().filter(|e| e["name"] == "step 21").map(|e| e["dur"].as_f64().unwrap()).collect();
    let result: Value =
        serde_json::from_slice(&fs::read(Path::new(trace).with_file_name("result-AR.json")).unwrap()).unwrap();
    let slowdown = result["blocking_slowdown"].as_f64().unwrap();
    assert!((steps[0] / steps[1] / slowdown - 1.0).abs() < 0.1, "{steps:?}");
    let computing = |event: &&Value| event["cat"] == "computation" && event["ph"] == "X";
    let workers: std::collections::BTreeSet<u64> =
        events.iter().filter(computing).map(|event| event["pid"].as_u64().unwrap()).collect();
    assert_eq!(workers.len(), 2 * 4 * 4);

    fs::remove_file(&path).unwrap();
    let steps = folder.write("steps.csv", b"worker,step,seconds\n0,1,2\n");
    for (arguments, expected) in [
        (&[trace, "--perfetto", perfetto, "--step", "7"][..], "it has no step 7 that is whole; it has 16"),
        (&[steps.as_str(), "--perfetto", perfetto], "there is no what-if timeline in what was read"),
        (&[trace, trace, "--perfetto", perfetto], "both have a timeline"),
        (&[trace, "--perfetto", "-"], "--perfetto takes the name of a file"),
    ] {
        let output = run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "only the table is there");
    }
}

#[test]
fn parts_of_a_difference_add_up() {
    let folder = testkit::shared_data!("kineto");
    let stragglers = testkit::shared_data!("stragglers");
    let steps = testkit::shared_data!("step-times");
    for (before, after) in [
        (folder.join("nccl_data.json.gz"), folder.join("sampled_rank-0.json.gz")),
        (folder.join("control.json.gz"), folder.join("control.json.gz")),
        (stragglers.join("trace-AR.csv.gz"), stragglers.join("trace-SE.csv.gz")),
        (steps.join("job_1_norm.csv"), steps.join("job_3_norm.csv")),
    ] {
        let (before, after) = (before.to_str().unwrap(), after.to_str().unwrap());
        let output = run(&[after, "--against", before, "--format", "json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let figure = |of: &Value, name: &str| of[name].as_f64().unwrap();
        let comparison = &answer["comparison"];
        let whole = figure(comparison, "after") - figure(comparison, "before");
        for parts in ["parts", "groups"] {
            let sum: f64 = comparison[parts].as_array().unwrap().iter().map(|part| figure(part, "difference")).sum();
            assert!(
                (sum - whole).abs() <= 1e-6 * figure(comparison, "after"),
                "{after}: {parts}: {sum}, expected {whole}"
            );
        }
        let nothing =
            comparison["parts"].as_array().unwrap().iter().all(|part| part["name"] != "what could not be told apart");
        assert!(nothing, "{after}: every moment belongs to something");
        let same = answer["verdict"].as_str().unwrap().contains("take as long as before");
        assert_eq!(same, before == after, "{}", answer["verdict"]);
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let folder = Folder::new("wrong");
    for (name, content, expected) in [
        ("empty", "", "it is empty"),
        ("unknown", "hello\n", "its beginning does not tell what it is"),
        ("dump", "{\"pg_config\": {}, \"entries\": []}", "its name does not end in a number"),
        ("dump_1", "{\"pg_config\": {", "the file is cut off"),
        ("steps", "worker,step,seconds\n", "it holds no time"),
        (
            "trace",
            "dp_rank,stage,rank,step,optype,start_ts,duration,seq_id,mc,gmc\n0,0,0,x,gc,0,0,0,0,0\n",
            "field `step`: `x` is not the number of a step",
        ),
    ] {
        let output = run(&[&folder.write(name, content.as_bytes())]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {errors}");
        assert!(errors.contains(expected), "{name}: {errors}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let folder = Folder::new("others");
    let (good, bad) = (folder.write("dmesg", LOST.as_bytes()), folder.write("bad", b"hello\n"));
    let output = run(&[&good, &bad]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Xid 79"));
    // In a folder, what is of no kind that is read is passed over.
    let output = run(&[folder.0.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("passed over"));
}

#[test]
fn standard_input_is_read() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trimtab"))
        .args(["diagnose", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(LOST.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("Xid 79"));
}
