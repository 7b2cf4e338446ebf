//! What is wrong with what runs here: found, told, muted, over, and there after a kill.

use std::process::Command;
use std::time::{Duration, Instant};

use live_rig::Request;
use serde_json::{Value, json};

use crate::session::Session;

/// A job of two ranks that do their steps together, by a file that both see, and tell them. Each writes down its process.
pub(crate) const TRAINING: &str = r#"
import os, socket, time
rank = 1 if os.fork() else 0
open(f"rank-{rank}", "w").write(str(os.getpid()))
clock = socket.socket(socket.AF_UNIX)
clock.connect(os.environ["TRIMTAB_STEPS"])
clock.sendall(f"trimtab-steps 1 job={os.environ['TRIMTAB_JOB']} rank={rank} ranks=2 pid={os.getpid()}\n".encode())
step = 0
def done(rank):
    try: return int(open(f"done-{rank}").read() or 0)
    except FileNotFoundError: return 0
while True:
    began = time.time()
    time.sleep(0.05)
    worked, step = time.time(), step + 1
    with open(f"part-{rank}", "w") as part: part.write(str(step))
    os.rename(f"part-{rank}", f"done-{rank}")
    told = worked
    while done(1 - rank) < step:
        time.sleep(0.005)
        if time.time() - told > 1:
            told = time.time()
            try: clock.sendall(f"now {step} in=communication since={int(worked * 1e6)}\n".encode())
            except OSError: pass
    ended = time.time()
    us = lambda since, until: int((until - since) * 1e6)
    try: clock.sendall(f"step {step} at={int(ended * 1e6)} us={us(began, ended)} forward={us(began, worked)} communication={us(worked, ended) - 1}\n".encode())
    except OSError: pass
"#;

/// So long a job does well until it is known what is usual.
pub(crate) const USUAL: Duration = Duration::from_secs(16);
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn signal(session: &Session, rank: u32, name: &str) {
    let pid = session.read(&format!("rank-{rank}"));
    assert!(Command::new("kill").args([name, pid.trim()]).status().unwrap().success());
}

/// Waits until there is a finding like that; the first.
pub(crate) fn wait(session: &Session, query: &str, like: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = session.client().read(&format!("findings{query}")).unwrap();
        if let Some(one) = found["findings"].as_array().unwrap().iter().find(|one| like(one)) {
            return one.clone();
        }
        assert!(Instant::now() < until, "{query}: {found:#}; it said {}", session.installation.said());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_rank_that_is_stopped_is_found_muted_over_and_there_after_a_kill() {
    if Command::new("python3").arg("--version").output().is_err() {
        testkit::skip!(testkit::Need::Program, "python3 is needed: a job tells its steps with it");
    }
    let mut session = Session::new();
    session.write("train.py", TRAINING);
    let id = session.submit(&["--name", "two ranks", "--", "python3", "train.py"]);
    session.wait(id, "running");
    std::thread::sleep(USUAL);
    assert_eq!(session.run(&["findings"]), "", "it does well");

    signal(&session, 1, "-STOP");
    let stopped = Instant::now();
    let found = wait(&session, "", |one| one["finding"]["rule"] == "hang");
    let after = stopped.elapsed();
    assert!(after < Duration::from_secs(30), "it was found after {after:?}");
    assert_eq!((&found["state"], &found["workload"]), (&json!("open"), &json!(id)));
    let job = format!("two_ranks-{id}");
    let places = json!([{ "kind": "job", "name": job }, { "kind": "rank", "name": "1" }]);
    assert_eq!(found["finding"]["places"], places, "{found:#}");
    let number = found["id"].to_string();
    let verdict = format!("{number}: {job} hangs");
    assert!(session.run(&["findings"]).contains(&verdict));
    assert!(session.run(&["job", &id.to_string()]).contains(&verdict));
    let one = session.run(&["findings", &number]);
    assert!(one.contains("rank 1 is stopped") && one.contains("What to do"), "{one}");

    let mut client = session.client();
    let past = json!({ "reason": "known", "until_ms": 1 });
    assert_eq!(client.post(&format!("findings/{number}/mute"), &past).unwrap().status, 422);
    session.fails(&["findings", "mute", "999", "--for", "1h", "--reason", "x"], 2, &["there is no finding 999"]);
    session.run(&["findings", "mute", &number, "--for", "2d", "--reason", "a test stops it"]);
    assert_eq!(session.run(&["findings"]), "");
    assert!(session.run(&["findings", "--all"]).contains("a test stops it"));

    signal(&session, 1, "-CONT");
    let over = wait(&session, "?state=closed", |one| one["id"] == found["id"]);
    let at = |name: &str| over[name].as_i64().unwrap();
    assert!(at("closed_ms") > at("opened_ms"), "{over:#}");

    session.installation.kill().unwrap();
    session.installation.up().unwrap();
    let again = session.client().read(&format!("findings/{number}")).unwrap();
    assert_eq!(again, over, "it is as it was");
    session.run(&["findings", "unmute", &number]);

    // What was measured around it is there to be drawn.
    let path = format!("/findings/{number}/course.json");
    let course = session.client().send(&Request { path: &path, ..Request::default() }).unwrap().json();
    let lines = course["panels"]["steps"]["lines"].as_array().unwrap();
    assert_eq!(lines.iter().map(|line| &line["name"]).collect::<Vec<_>>(), ["rank 0", "rank 1"], "{course}");
    let drawn = |line: &Value| line["values"].as_array().unwrap().iter().filter(|value| value.is_number()).count();
    assert!(lines.iter().all(|line| drawn(line) > 5), "{course}");
    assert!(session.installation.stop().unwrap().success());
    let report = store::check(session.installation.store()).unwrap();
    assert!(report.is_sound(), "{report}");
}

/// A job of one rank that waits for data once there is a file `slow`, and tells its steps.
const STALLS: &str = r#"
import os, socket, time
clock = socket.socket(socket.AF_UNIX)
clock.connect(os.environ["TRIMTAB_STEPS"])
clock.sendall(f"trimtab-steps 1 job={os.environ['TRIMTAB_JOB']} rank=0 ranks=1 pid={os.getpid()}\n".encode())
step = 0
while True:
    began, step = time.time(), step + 1
    time.sleep(0.1 if os.path.exists("slow") else 0.01)
    had = time.time()
    time.sleep(0.05)
    ended = time.time()
    us = lambda since, until: int((until - since) * 1e6)
    clock.sendall(f"step {step} at={int(ended * 1e6)} us={us(began, ended)} data_wait={us(began, had)} forward={us(had, ended) - 1}\n".encode())
"#;

#[test]
fn what_was_found_of_a_job_is_lived_again_without_it() {
    if Command::new("python3").arg("--version").output().is_err() {
        testkit::skip!(testkit::Need::Program, "python3 is needed: a job tells its steps with it");
    }
    let session = Session::new();
    session.write("stalls.py", STALLS);
    let id = session.submit(&["--", "python3", "stalls.py"]);
    session.wait(id, "running");
    std::thread::sleep(USUAL);
    session.write("slow", "");
    let found = wait(&session, "", |one| one["finding"]["rule"] == "data-stall");
    assert_eq!(found["workload"], json!(id));
    // As long as it was well, so that a good part of its time was lost.
    std::thread::sleep(USUAL);

    let report: Value = serde_json::from_str(&session.run(&["optimize", "--quiet", "--format", "json"])).unwrap();
    let slow = |report: &Value| -> Option<Value> {
        report["recommendations"].as_array()?.iter().find(|one| one["rule"] == "slow-work").cloned()
    };
    let one = slow(&report).unwrap_or_else(|| panic!("{:#}", report["withheld"]));
    assert_eq!(one["title"], format!("Fix what slows workload {id}: data-stall"));
    let command = one["proof"]["command"].as_str().unwrap();
    let scenario = command.split("--scenario '").nth(1).unwrap().split('\'').next().unwrap();
    let scenario: Value = serde_json::from_str(scenario).unwrap();
    assert_eq!(
        (&scenario["change"][0]["what"], &scenario["change"][0]["who"]["workload"]),
        (&json!("scale_work"), &json!(id.to_string()))
    );
    // 60 of 150 milliseconds are as usual, for about half of its time.
    let factor = scenario["change"][0]["factor_permille"].as_u64().unwrap();
    assert!((500..900).contains(&factor), "{factor}: {one:#}");

    // It is mended: what was promised is held against what came of it.
    std::fs::remove_file(session.installation.beside().join("slow")).unwrap();
    let over = wait(&session, "?state=closed", |one| one["id"] == found["id"]);
    let (promised, realised) = (&over["finding"]["speedup"]["value"], &over["finding"]["realised"]);
    let (promised, realised) = (promised.as_f64().unwrap(), realised.as_f64().unwrap());
    assert!((realised / promised - 1.0).abs() < 0.15, "{over:#}");
    let number = over["id"].to_string();
    assert!(session.run(&["findings", &number]).contains("When it was over, steps became "), "{over:#}");

    // The same of an export, elsewhere.
    let beside = |name: &str| session.installation.beside().join(name).display().to_string();
    session.run(&["cancel", &id.to_string()]);
    session.wait_over(id);
    session.write("findings.json", &session.run(&["findings", "--all", "--format", "json"]));
    let history = beside("history.zst");
    session.run(&["history", "export", "--output", &history]);
    let arguments = ["optimize", &history, "--findings", &beside("findings.json"), "--quiet", "--format", "json"];
    let report: Value = serde_json::from_str(&session.run(&arguments)).unwrap();
    assert_eq!(slow(&report).unwrap()["title"], one["title"]);
    session.write("findings.json", "{\"findings\": [{}]}");
    session.fails(&arguments, 2, &["findings.json is no list of findings", "missing field `state`"]);
}
