//! The command as a person meets it: exit codes, what goes where, and that nothing half written is left.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PHILLY: &str = "timestamp,duration,num_gpus,gpu_time,cluster\n\
    2020-03-02 10:00:05,120.0,8,960.0,vision\nyesterday,3.5,1,3.5,speech\n2020-03-02 10:00:06,60,1,60,speech\n";

/// A folder of its own for a test, removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("trimtab-command-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("jobs.csv"), PHILLY).unwrap();
        Self(folder)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn check(output: &Output, code: i32, stderr: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for expected in stderr {
        assert!(text.contains(expected), "{text}\nlacks {expected}");
    }
    assert!(!text.contains('\x1b'), "no colour where nobody looks: {text}");
}

#[test]
fn an_import_tells_what_it_left_out() {
    let folder = Folder::new("import");
    let output = folder.run(&["import", "philly", "jobs.csv", "-o", "jobs.zst"]);
    check(&output, 0, &["jobs.zst: 2 workloads; 1 row left out", "jobs.csv:3: field `timestamp`: `yesterday`"]);
    assert!(output.stdout.is_empty(), "standard output is for data");
    let quiet = folder.run(&["-q", "import", "philly", "jobs.csv", "-o", "-"]);
    assert!(quiet.stderr.is_empty());
    assert!(String::from_utf8(quiet.stdout).unwrap().starts_with("{\"header\":{\"version\":1,\"source\":\"philly\""));
    check(&folder.run(&["history", "inspect", "jobs.zst"]), 0, &[]);
}

#[test]
fn several_logs_become_one_history() {
    let folder = Folder::new("several");
    fs::copy(folder.0.join("jobs.csv"), folder.0.join("more.csv")).unwrap();
    let output = folder.run(&["import", "philly", "jobs.csv", "more.csv", "-o", "all.zst"]);
    check(&output, 0, &["all.zst: 4 workloads; 2 rows left out"]);
    let survey = folder.run(&["history", "inspect", "all.zst", "--format", "json"]);
    let survey: serde_json::Value = serde_json::from_slice(&survey.stdout).unwrap();
    assert_eq!((&survey["workloads"], &survey["oddities"]), (&4.into(), &serde_json::json!([])));
}

#[test]
fn wrong_input_is_exit_code_2_and_writes_nothing() {
    let folder = Folder::new("wrong");
    let cases: [(&[&str], &str); 8] = [
        (&["import", "philly", "none.csv", "-o", "h"], "cannot read none.csv: there is no such file"),
        (&["import", "philly", "jobs.csv", "--strict", "-o", "h"], "jobs.csv:3: field `timestamp`"),
        (&["import", "swf", "jobs.csv", "-o", "h"], "none of its first 4 rows could be read"),
        (&["import", "philly", "jobs.csv", "--time-zone", "Paris", "-o", "h"], "`Paris` is not a time zone"),
        (&["import", "philly", "jobs.csv", "--fleet", "jobs.csv", "-o", "h"], "jobs.csv:1: "),
        (&["import", "philly", "jobs.csv", "-o", "jobs.csv"], "jobs.csv is both read and written"),
        (&["import", "philly", "jobs.csv"], "--output <FILE>"),
        (&["history", "inspect", "jobs.csv"], "jobs.csv:1: this is not a Trimtab history"),
    ];
    for (arguments, expected) in cases {
        check(&folder.run(arguments), 2, &[expected]);
        assert_eq!(folder.names(), ["jobs.csv"], "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(folder.0.join("jobs.csv")).unwrap(), PHILLY);
}

#[test]
fn what_cannot_be_written_is_exit_code_1() {
    let folder = Folder::new("full");
    let output = folder.run(&["import", "philly", "jobs.csv", "-o", "no/such/folder/h.zst"]);
    check(&output, 1, &["cannot write no/such/folder/h.zst: there is no such file or directory"]);
    let page = folder.run(&["optimize", "--example", "--html", "no/such/page.html"]);
    check(&page, 1, &["cannot write no/such/page.html: there is no such file or directory"]);
    if Path::new("/dev/full").exists() {
        let output = folder.run(&["import", "philly", "jobs.csv", "-o", "/dev/full"]);
        check(&output, 1, &["cannot write /dev/full: the disk is full; make room or write elsewhere"]);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new("pipe");
    let mut child = folder
        .command(&["-q", "history", "example", "-o", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    check(&output, 0, &[]);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_half_written() {
    let folder = Folder::new("interrupt");
    let mut child = folder
        .command(&["import", "philly", "-", "-o", "h.zst"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(PHILLY.as_bytes()).unwrap();
    // Until the unfinished file is there, the import has not begun.
    while folder.names().len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let killed = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(folder.names(), ["jobs.csv"]);
    drop(stdin);
}

#[test]
fn every_command_has_help_and_completions_name_them() {
    let folder = Folder::new("help");
    let mut commands: Vec<Vec<&str>> = vec![vec!["import"], vec!["history"], vec!["completion"]];
    commands.extend(["optimize", "replay", "why"].map(|command| vec![command]));
    commands.extend(["slurm", "swf", "philly", "csv"].map(|source| vec!["import", source]));
    commands.extend(["inspect", "anonymise", "example"].map(|what| vec!["history", what]));
    commands.push(vec!["feed"]);
    commands.extend(["inspect", "pack"].map(|what| vec!["feed", what]));
    for mut command in commands {
        command.push("--help");
        let output = folder.run(&command);
        check(&output, 0, &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Usage: trimtab"), "{text}");
        assert!(text.contains("Examples:"), "{command:?} has no example:\n{text}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = folder.run(&["completion", shell]);
        assert!(String::from_utf8(output.stdout).unwrap().contains("anonymise"));
    }
    let version = folder.run(&["--version"]);
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("trimtab 0.1.0 ("));
}

#[cfg(unix)]
#[test]
fn the_command_of_a_proof_gives_its_figures_again() {
    let folder = Folder::new("proof");
    let json = |output: &Output| -> serde_json::Value {
        check(output, 0, &[]);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let report = json(&folder.run(&["optimize", "--example", "--format", "json"]));
    let found = report["recommendations"].as_array().unwrap();
    assert!(found.len() > 3);
    for recommendation in [&found[0], &found[found.len() - 1]] {
        let proof = &recommendation["proof"];
        let command = proof["command"].as_str().unwrap().replacen("trimtab", env!("CARGO_BIN_EXE_trimtab"), 1);
        let shell =
            Command::new("sh").args(["-c", &format!("{command} --format json")]).current_dir(&folder.0).output();
        let replayed = json(&shell.unwrap());
        assert_eq!(replayed["history"], proof["history"]);
        assert_eq!(
            (&replayed["baseline"]["id"], &replayed["scenario"]["id"]),
            (&proof["baseline"], &proof["candidate"])
        );
        assert_eq!(replayed["engine"], proof["engine"]);
        assert_eq!(replayed["difference"]["wait_s"], recommendation["effect"]["wait_s"]);
        assert_eq!(replayed["difference"]["slowdown"], recommendation["effect"]["slowdown"]);
    }
}

#[test]
fn why_tells_what_held_a_workload_and_what_was_forecast() {
    let folder = Folder::new("why");
    let output = folder.run(&["why", "10500", "--example"]);
    check(&output, 0, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "would have been said to wait",
        "its queue was at its limit",
        "no limits on queue `speech`",
        "trimtab replay --example",
    ] {
        assert!(text.contains(expected), "{text}\nlacks {expected}");
    }
    check(&folder.run(&["why", "1", "--example"]), 2, &["--example has no workload `1`; its ids look like `10001`"]);
}

#[test]
fn a_scenario_comes_from_flags_or_a_file() {
    let folder = Folder::new("scenario");
    fs::write(folder.0.join("more.toml"), "[[change]]\nwhat = \"nodes\"\ngroup = \"gpu\"\ncount = 10\n").unwrap();
    let by_file = folder.run(&["replay", "--example", "--scenario", "more.toml"]);
    let by_flag = folder.run(&["replay", "--example", "--nodes", "gpu=10"]);
    check(&by_file, 0, &[]);
    assert_eq!(String::from_utf8_lossy(&by_file.stdout), String::from_utf8_lossy(&by_flag.stdout));
    assert!(String::from_utf8_lossy(&by_flag.stdout).contains("What the scenario changes"));
    let cases: [(&str, &str, &str); 4] = [
        ("--scenario", "none.toml", "cannot read none.toml: there is no such file or directory"),
        ("--scenario", "{\"x\":1}", "unknown field `x`"),
        ("--nodes", "cpu=1", "it has gpu"),
        ("--nodes", "gpu=0", "it leaves no node"),
    ];
    for (flag, value, expected) in cases {
        check(&folder.run(&["replay", "--example", flag, value]), 2, &[expected]);
    }
}
