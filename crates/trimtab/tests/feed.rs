//! `trimtab feed` as a person meets it: what is told of training data, and what packing leaves behind.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
#[cfg(unix)]
use std::{os::unix::fs::OpenOptionsExt, thread, time::Duration};

#[cfg(unix)]
use rustix::{fs::OFlags, io::Errno};

/// A PNG of one gray pixel.
const PIXEL: &[u8] = b"\
    \x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\
    \x00\x3a\x7e\x9b\x55\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\x60\x07\x00\x00\x09\x00\x08\x20\x23\xc3\x8c\x00\
    \x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

/// A folder of its own for a test, removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("trimtab-feed-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command.arg("feed").args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.0.join(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// What came out on standard output, of a run that ended so and said so.
fn check(output: &Output, code: i32, stderr: &str) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.trim_end()), (Some(code), stderr));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(!text.contains('\x1b'), "no colour where nobody looks: {text}");
    text
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Lines that tell a picture each, and one that tells none.
fn lines(folder: &Folder) {
    folder.write("data/a.jsonl", b"{\"id\": 1, \"text\": \"one\"}\n{\"id\": 2, \"text\": \"two two\"}\n{\"id\": 3}\n");
    folder.write("data/b.jsonl", b"{\"id\": 4, \"text\": \"four\"}\n");
}

#[test]
fn a_report_tells_fields_shards_and_what_they_mean_for_ranks() {
    let folder = Folder::new("report");
    lines(&folder);
    let text = check(&folder.run(&["inspect", "data"]), 0, "");
    assert_eq!(
        text,
        "\
4 samples in 2 shards of JSON lines, 90 B
  in data

Fields
  field  samples  missing in  together  smallest  median  largest
  ─────  ───────  ──────────  ────────  ────────  ──────  ───────
  id           4                   4 B       1 B     1 B      1 B
  text         3           1      14 B       3 B     4 B      7 B

Shards
  shard    samples  bytes
  ───────  ───────  ─────
  a.jsonl        3   64 B
  b.jsonl        1   26 B

How even the shards are
  A shard has 1 to 3 samples, 2 in the mean; 26 B to 64 B, 45 B in the mean.
  Trimtab's loader deals out samples, so uneven shards make no rank wait. Where whole shards are
  dealt to ranks in turn, as other loaders do, an epoch lasts as long as the rank with most samples
  takes:

  ranks  without a shard  most samples  over the mean
  ─────  ───────────────  ────────────  ─────────────
      2                              3         50.0 %
      4                2             3        200.0 %

Problems
  None was found. Only names and sizes were looked at; --check reads everything.
"
    );
    let found = json(&check(&folder.run(&["inspect", "data", "--format", "json"]), 0, ""));
    assert_eq!((&found["version"], &found["samples"], &found["ended"]), (&1.into(), &4.into(), &"complete".into()));
    let format = &found["formats"][0];
    assert_eq!((&format["format"], &format["fields"][1]["missing"]), (&"json_lines".into(), &1.into()));
    assert_eq!(
        found["shards"][1]["fields"],
        serde_json::json!([{"name": "id", "samples": 1}, {"name": "text", "samples": 1}])
    );
    assert_eq!((&found["samples_checked"], &found["problems"]["count"]), (&serde_json::Value::Null, &0.into()));
}

#[test]
fn a_check_names_what_is_corrupt_and_its_exit_code_is_3() {
    let folder = Folder::new("check");
    lines(&folder);
    folder.write("data/c.jsonl", b"[1]\n");
    for class in ["cats", "dogs"] {
        folder.write(&format!("images/{class}/a.png"), PIXEL);
    }
    check(
        &folder.run(&["pack", "images", "--to", "packed", "--as", "webdataset"]),
        0,
        "packed: 2 samples in 1 shard, 5 KiB (png, cls)",
    );
    assert!(check(&folder.run(&["inspect", "packed", "--check"]), 0, "").contains("2 samples were read whole."));
    let shard = folder.0.join("packed/shard-000000.tar");
    let mut bytes = fs::read(&shard).unwrap();
    // Within the image's data, which its checksum then contradicts.
    bytes[512 + 45] ^= 1;
    fs::write(&shard, &bytes).unwrap();
    fs::write(folder.0.join("packed/shard-000001.tar"), &bytes[..540]).unwrap();

    let output = folder.run(&["inspect", "data", "packed", "--check"]);
    let text = check(&output, 3, "error: 4 problems were found");
    let problems = &text[text.find("\nProblems\n").unwrap()..];
    for expected in [
        "  1 file cannot be read\n    - packed/shard-000001.tar: byte 0: the file ends",
        "  1 sample cannot be read\n    - data/c.jsonl, the line at byte 0: the line is no JSON object\n",
        "  1 image does not decode\n    - packed/shard-000000.tar, cats/a, png: the PNG cannot be decoded: ",
        "  1 field is missing\n    - data/a.jsonl, the line at byte 54, text: it is missing; 3 of 4 samples have it\n",
        "  7 samples were read whole.\n",
    ] {
        assert!(problems.contains(expected), "{problems}\nlacks {expected}");
    }
    let output = folder.run(&["inspect", "packed/shard-000000.tar", "--check", "--format", "json"]);
    let found = json(&check(&output, 3, "error: 1 problem was found"));
    assert_eq!(found["problems"]["kinds"], serde_json::json!([{"kind": "image", "count": 1}]));
    let problem = &found["problems"]["first"][0];
    assert_eq!((&problem["sample"], &problem["field"]), (&"cats/a".into(), &"png".into()));
    let images = &found["formats"][0]["fields"][0]["images"];
    assert_eq!((&images["png"], &images["width"]["largest"]), (&1.into(), &1.into()));
}

#[test]
fn many_shards_are_told_by_their_extremes_and_many_problems_by_their_first() {
    let folder = Folder::new("many");
    for number in 0..30 {
        let mut lines = "{\"a\": 1}\n".repeat(number + 1);
        lines.push_str("not this\n");
        folder.write(&format!("data/{number:02}.jsonl"), lines.as_bytes());
    }
    let text = check(&folder.run(&["inspect", "data"]), 3, "error: 30 problems were found");
    for expected in [
        "Shards: the 5 with fewest samples and the 5 with most\n",
        "  00.jsonl        2   18 B\n",
        "  29.jsonl       31  279 B\n  … and 20 more; --format json has all\n",
        "  30 samples cannot be read\n    - 00.jsonl, the line at byte 9: the line is no JSON object\n",
        "    … and 20 more; --format json has the first 30\n",
    ] {
        assert!(text.contains(expected), "{text}\nlacks {expected}");
    }
    assert!(!text.contains("10.jsonl"), "{text}");
}

#[test]
fn packing_tells_what_it_wrote_and_keeps_what_is_there() {
    let folder = Folder::new("pack");
    lines(&folder);
    let pack = |more: &[&str]| folder.run(&[&["pack", "data", "--to", "deep/to", "--as", "mds"], more].concat());
    let missing = "data/a.jsonl: the line at byte 54: it has no field text, and data/a.jsonl: the line at byte 0 has; in MDS every \
                   sample has every field: choose the fields to pack with --fields";
    check(&pack(&[]), 2, &format!("error: {missing}"));
    assert!(!folder.0.join("deep").exists());

    let output = pack(&["--fields", "id", "--shard-samples", "3", "--format", "json"]);
    let told = json(&check(&output, 0, "deep/to: 4 samples in 2 shards, 354 B (id as int)"));
    assert_eq!((&told["format"], &told["samples"]), (&"mds".into(), &4.into()));
    assert_eq!(told["fields"], serde_json::json!([{"name": "id", "encoding": "int"}]));
    assert_eq!(told["shards"][1], serde_json::json!({"name": "shard.00001.mds", "samples": 1, "bytes": 165}));
    assert_eq!(folder.names("deep/to"), ["index.json", "shard.00000.mds", "shard.00001.mds"]);

    let occupied = "deep/to: it is not empty: ";
    let said = String::from_utf8(pack(&["--fields", "id"]).stderr).unwrap();
    assert!(said.contains(occupied) && said.contains("--replace"), "{said}");
    check(&folder.run(&["-q", "pack", "data", "--to", "deep/to", "--as", "webdataset", "--replace"]), 0, "");
    assert_eq!(folder.names("deep/to"), ["shard-000000.idx", "shard-000000.tar"]);
    let index = fs::read_to_string(folder.0.join("deep/to/shard-000000.idx")).unwrap();
    assert_eq!(index.lines().next_back(), Some("id 5632 1 000003.id text 6656 4 000003.text"));
}

#[test]
fn wrong_arguments_are_exit_code_2_and_what_cannot_be_written_is_1() {
    let folder = Folder::new("wrong");
    lines(&folder);
    folder.write("tokens.bin", &[0; 40]);
    let to = ["--to", "to", "--as", "webdataset"];
    for (arguments, code, expected) in [
        (&["inspect", "none"][..], 2, "none: failed to open: there is no such file"),
        (&["inspect", "tokens.bin"], 2, "as with --tokens LENGTH here"),
        (&["inspect", "tokens.bin", "--tokens", "3", "--token-type", "int64"], 0, ""),
        (&["inspect", "tokens.bin", "--tokens", "0"], 2, "0 is not in 1.."),
        (&["pack", "none", to[0], to[1], to[2], to[3]], 2, "none: failed to open: there is no such file"),
        (&["pack", "data", to[0], to[1], to[2], to[3], "--shard-samples", "0"], 2, "0 is not in 1.."),
        (&["pack", "data", to[0], to[1], to[2], to[3], "--shard-bytes", "much"], 2, "a size such as 512M"),
        (&["pack", "data", to[0], to[1], to[2], to[3], "--fields", "x"], 2, "it has no field x"),
        (&["pack", "data", "--to", "data", "--as", "mds", "--replace"], 2, "is both read and written"),
        (&["pack", "data", "--to", "tokens.bin", "--as", "webdataset"], 1, "cannot write tokens.bin: not a directory"),
    ] {
        let output = folder.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(folder.names(""), ["data", "tokens.bin"], "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_leaves_no_half_shard() {
    let folder = Folder::new("full");
    let line = format!("{{\"text\": \"{}\"}}\n", "x".repeat(1_000));
    folder.write("data.jsonl", line.repeat(1_000).as_bytes());
    // No file may be larger than 100 blocks of 512 bytes, and whoever writes more is told rather than killed.
    let script = format!(
        "trap '' XFSZ; ulimit -f 100; exec '{}' feed pack data.jsonl --to to --as mds",
        env!("CARGO_BIN_EXE_trimtab")
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(&folder.0).output().unwrap();
    check(&output, 1, "error: cannot write to/shard.00000.mds: file too large");
    assert_eq!(folder.names(""), ["data.jsonl"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_packed() {
    let folder = Folder::new("interrupt");
    folder.write("data.jsonl", "{\"a\": 1}\n".repeat(50_000).as_bytes());
    // A shard for each sample, each put on the disk, takes long enough to be interrupted.
    let arguments = ["pack", "data.jsonl", "--to", "to", "--as", "webdataset", "--shard-samples", "1"];
    let mut child = folder.command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    while !folder.0.join("to").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it is still at work");
        thread::sleep(Duration::from_millis(2));
    }
    let killed = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    check(&output, 130, "interrupted: nothing was written to to");
    assert_eq!(folder.names(""), ["data.jsonl"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_check_tells_what_it_found() {
    let folder = Folder::new("stopped");
    folder.write("images/a/a.png", PIXEL);
    lines(&folder);
    let made = Command::new("mkfifo").args(["one.txt", "two.txt"]).current_dir(&folder.0).status().unwrap();
    assert!(made.success());
    let arguments = ["inspect", "images", "one.txt", "two.txt", "data", "--check"];
    let mut child = folder.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    // A pipe opens when both ends do: behind the first, the program is at work; it then waits at the second, unless it hears that it
    // is to stop before it comes there.
    let mut open = |name: &str| {
        let mut pipe = fs::OpenOptions::new();
        // Who waited for a reader would wait for good for one that has ended.
        pipe.write(true).custom_flags(OFlags::NONBLOCK.bits() as i32);
        while let Err(error) = pipe.open(folder.0.join(name)) {
            assert_eq!(error.raw_os_error(), Some(Errno::NXIO.raw_os_error()), "nobody reads yet: {error}");
            if child.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
    };
    open("one.txt");
    let killed = Command::new("sh").arg("-c").arg(format!("kill -INT {id}")).status().unwrap();
    assert!(killed.success());
    thread::sleep(Duration::from_millis(300));
    open("two.txt");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("interrupted: "));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("Interrupted: this is not all.\n"));
}
