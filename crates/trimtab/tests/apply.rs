//! The loop closed on one machine: what was recorded is optimized, a recommendation is shown, agreed to, applied, told in the ledger,
//! and taken back.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use fleet::action::Slot;
use fleet::event::EndCause;
use fleet::history::{Attempt, NodeRecord, QueueRecord, Record};
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Entry, Exit, Submission, Usage};
use fleet::node::Resources;
use fleet::policy::{Order, Policy};
use fleet::quantity::{MilliCpu, Millis};
use fleet::time::Timestamp;
use store::{Reader, Store, StoreError};

/// 2025-11-03, a Monday, in milliseconds.
const MONDAY: i64 = 1_762_128_000_000;
const DAYS: i64 = 28;
const JOBS_A_DAY: i64 = 20;
const RUN: Millis = Millis::minutes(20);

/// Four weeks in which a queue that may run one workload at a time gets twenty each morning, on a node that would run eight.
fn record(folder: &Path) {
    let mut store = Store::create_or_open(folder.join("trimtab.sqlite")).expect("a store can be made");
    let node = NodeId(0);
    let facts = NodeRecord { name: "lab".into(), cpu_milli: Some(8_000), ..NodeRecord::default() };
    let rules = QueueRecord { name: "nightly".into(), limit_running: Some(1), ..QueueRecord::default() };
    let first = vec![
        Entry::PolicySet { policy: Policy::new(Order::Fifo), by: None },
        Entry::NodeFound { node, facts },
        Entry::QueueSet { rules, by: None },
    ];
    store.commit(Timestamp(MONDAY), &first).expect("it is taken in");
    let mut next = 1_u32;
    for day in 0..DAYS {
        let morning = Timestamp(MONDAY + day * 86_400_000 + 8 * 3_600_000);
        let ids: Vec<WorkloadId> = (0..JOBS_A_DAY).map(|job| WorkloadId(next + job as u32)).collect();
        next += JOBS_A_DAY as u32;
        let submission = Submission {
            command: vec!["train".into()],
            directory: "/".into(),
            queue: "nightly".into(),
            request: Resources { cpu: MilliCpu::whole(1), ..Resources::ZERO },
            ..Submission::default()
        };
        let submitted = ids.iter().flat_map(|&workload| {
            let submission = Box::new(submission.clone());
            [Entry::Submitted { workload, submission, by: "someone".into() }, Entry::Eligible { workload }]
        });
        store.commit(morning, &submitted.collect::<Vec<_>>()).expect("they are taken in");
        for (place, &workload) in (0..).zip(&ids) {
            let (start, action) = (morning + Millis(RUN.0 * place), ActionId(u64::from(workload.0)));
            let slots = vec![Slot { node, tasks: 1, devices: 0 }];
            let begun = [Entry::Decided { action, workload, slots }, Entry::Started { action, workload, since: start }];
            store.commit(start, &begun).expect("it starts");
            let (exit, cause, used) = (Exit::Code(0), EndCause::Completed, Usage::default());
            let over = [
                Entry::RunEnded { action, workload, ran: RUN, exit, cause, used },
                Entry::Finished { workload, cause, reason: None },
            ];
            store.commit(start + RUN, &over).expect("it ends");
        }
    }
}

/// A run, and since when its workload could have begun.
#[derive(Debug)]
struct Ran {
    eligible: Timestamp,
    attempt: Attempt,
}

struct Lab {
    folder: PathBuf,
    up: Option<Child>,
}

impl Lab {
    fn command(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_trimtab"))
            .args(arguments)
            .env("TRIMTAB_FOLDER", &self.folder)
            .output()
            .expect("the program can be started")
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The runs that are over of workloads after this one, as they are recorded.
    fn runs_since(&self, id: i64) -> Vec<Ran> {
        let reader = Reader::open(self.folder.join("trimtab.sqlite")).expect("it is there");
        let mut runs = Vec::new();
        let taken: Result<(), StoreError> = store::export(&reader, |record| {
            if let Record::Workload(workload) = record
                && workload.id.parse::<i64>().is_ok_and(|number| number > id)
                && let Some(attempt) = workload.attempts.first().filter(|attempt| attempt.run.is_some())
            {
                runs.push(Ran { eligible: workload.eligible_at(), attempt: attempt.clone() });
            }
            Ok(())
        });
        taken.expect("it can be read");
        runs
    }

    fn up(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command.args(["up", "--quiet", "--as-root", "--listen", "127.0.0.1:0"]).env("TRIMTAB_FOLDER", &self.folder);
        self.up = Some(command.spawn().expect("the program can be started"));
        let patience = Instant::now() + Duration::from_secs(30);
        while !self.command(&["queues"]).status.success() {
            assert!(Instant::now() < patience, "it does not come up");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some(up) = &mut self.up {
            let _gone = up.kill();
            let _gone = up.wait();
        }
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

/// By how much more the runs would have waited in the mean, had each waited for the one before it.
fn one_after_another(runs: &[Ran]) -> f64 {
    let (mut free_at, mut more) = (runs[0].eligible, Millis::ZERO);
    for run in runs {
        let held = run.attempt.starting.unwrap_or_default();
        let length = run.attempt.run.expect("it is over");
        let start = free_at.max(run.eligible) + held;
        more += start.since(run.attempt.start.expect("it began"));
        free_at = start + length + run.attempt.completing.unwrap_or_default();
    }
    more.0 as f64 / 1_000.0 / runs.len() as f64
}

#[test]
fn what_is_recommended_here_can_be_applied_and_taken_back() {
    let folder = std::env::temp_dir().join(format!("trimtab-apply-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let mut lab = Lab { folder, up: None };
    record(&lab.folder);

    let report = lab.text(&["optimize", "--quiet", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["fidelity"]["all"]["verdict"], "reproduced", "what was recorded is what the engine does");
    let all = report["recommendations"].as_array().expect("a list");
    let lifted =
        all.iter().find(|found| found["title"].as_str().is_some_and(|title| title.starts_with("Lift the limits")));
    let lifted = lifted.expect("lifting the limit is recommended");
    assert_eq!(lifted["change"][0]["text"], "trimtab queues set nightly");
    assert_eq!(lifted["undo"][0]["text"], "trimtab queues set nightly --limit-running 1");
    let id = lifted["id"].as_str().expect("an id");

    // The command of the proof works, on the history that was kept for it.
    let proof = lifted["proof"]["command"].as_str().expect("a command");
    let words = shlex::split(proof).expect("words");
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    assert!(lab.text(&words).contains("nightly"));

    let shown = lab.text(&["apply", id, "--dry-run"]);
    assert!(shown.contains("trimtab queues set nightly --limit-running 1"), "the undo is shown too: {shown}");
    assert!(shown.contains("queue `nightly`: running workloads, at most 1 → none"), "{shown}");
    lab.up();
    let limit = |lab: &Lab| {
        let queues: serde_json::Value = serde_json::from_str(&lab.text(&["queues", "--format", "json"])).expect("JSON");
        let queue = queues.as_array().expect("a list").iter().find(|queue| queue["name"] == "nightly").cloned();
        queue.expect("it is there")["rules"]["limit_running"].clone()
    };
    assert_eq!(limit(&lab), 1, "a dry run changes nothing");
    // Nobody is there to agree, and --yes was not said.
    let refused = lab.command(&["apply", id]);
    assert_eq!((refused.status.code(), limit(&lab)), (Some(2), serde_json::json!(1)));

    // What was set meanwhile is not what it was proved against, and its undo would not bring that back.
    lab.text(&["queues", "set", "nightly", "--limit-running", "2"]);
    let changed = lab.command(&["apply", id, "--yes"]);
    assert!(String::from_utf8_lossy(&changed.stderr).contains("not those that it was proved against"), "{changed:?}");
    assert_eq!((changed.status.code(), limit(&lab)), (Some(2), serde_json::json!(2)));
    assert_eq!(lab.text(&["ledger", "--format", "json"]).trim(), "[]", "nobody agreed to anything");
    lab.text(&["queues", "set", "nightly", "--limit-running", "1"]);

    lab.text(&["apply", id, "--yes"]);
    assert!(limit(&lab).is_null());
    let again = lab.command(&["apply", id, "--yes"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("it was applied before, under consent 1"), "{again:?}");
    assert!(lab.text(&["ledger"]).contains("not yet known"));
    // With the limit these would have waited for one another.
    lab.text(&["submit", "--queue", "nightly", "--cpus", "0.01", "--array", "40", "--", "sleep", "0.1"]);
    let patience = Instant::now() + Duration::from_secs(60);
    let runs = loop {
        let runs = lab.runs_since(DAYS * JOBS_A_DAY);
        if runs.len() == 40 {
            break runs;
        }
        assert!(Instant::now() < patience, "they are not over: {runs:?}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let ledger: serde_json::Value = serde_json::from_str(&lab.text(&["ledger", "--format", "json"])).expect("JSON");
    let measured = ledger[0]["measured"]["wait_s"]["value"].as_f64().expect("it is known by now");
    let expected = -one_after_another(&runs);
    assert!((measured - expected).abs() < 0.01, "{measured} s instead of {expected} s, by {runs:?}");
    assert!(measured < -0.5, "forty runs of 0.1 s, one after the other, wait 2 s or more: {measured}");
    lab.text(&["undo", "1"]);
    assert_eq!(limit(&lab), 1);
    assert_eq!(lab.command(&["undo", "1"]).status.code(), Some(2), "once is enough");

    // Programs go the same way.
    let read = |name: &str| std::fs::read_to_string(lab.folder.join(name)).expect("`up` writes it");
    let mut client = live_rig::Client::new(read("address").trim(), read("token").trim());
    let nothing = serde_json::json!({});
    let applied = client.post(&format!("recommendations/{id}/apply"), &nothing).expect("it answers");
    assert_eq!((applied.status, applied.json()["consent"].as_i64()), (201, Some(2)));
    assert!(limit(&lab).is_null());
    assert_eq!(client.post(&format!("recommendations/{id}/apply"), &nothing).expect("it answers").status, 409);
    assert_eq!(client.post("consents/2/undo", &nothing).expect("it answers").json()["changed"], true);
    assert_eq!(limit(&lab), 1);
    assert!(lab.text(&["store", "check"]).starts_with("sound"));
}
