//! Stopped or killed, and started again: what runs goes on, and nothing is done twice.

use serde_json::json;

use crate::session::Session;

/// One that runs until the file `go` is there, and writes down that it started and ended.
const WORK: &str = "echo start >>lines; while [ ! -e go ]; do sleep 0.05; done; echo end >>lines";

fn check(interrupt: impl Fn(&mut Session)) {
    let mut session = Session::new();
    let id = session.submit(&["--", "sh", "-c", WORK]);
    let next = session.submit(&["--after", &id.to_string(), "--", "sh", "-c", "echo next >>lines"]);
    session.wait(id, "running");
    while session.read("lines").is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    interrupt(&mut session);
    session.installation.up().unwrap();
    assert!(session.installation.said().contains("that ran on is taken up"));
    assert_eq!(session.job(id)["state"], "running");
    session.write("go", "");
    let job = session.wait(id, "completed");
    assert_eq!(job["runs"].as_array().unwrap().len(), 1, "{job}");
    session.wait(next, "completed");
    assert_eq!(session.read("lines"), "start\nend\nnext\n");
    assert_eq!(session.client().read("workloads").unwrap()["counts"], json!({ "completed": 2 }));
    assert!(session.installation.stop().unwrap().success());
    let report = store::check(session.installation.store()).unwrap();
    assert!(report.is_sound(), "{report}");
}

#[test]
fn what_runs_is_taken_up_after_a_stop() {
    check(|session| {
        assert!(session.installation.stop().unwrap().success());
        assert!(session.installation.said().contains("goes on running"));
    });
}

#[test]
fn what_runs_is_taken_up_after_a_kill() {
    check(|session| session.installation.kill().unwrap());
}

#[test]
fn what_ended_meanwhile_is_heard_of() {
    let mut session = Session::new();
    let id = session.submit(&["--", "sh", "-c", "touch began; sleep 0.5; exit 4"]);
    session.wait(id, "running");
    session.installation.kill().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_000));
    session.installation.up().unwrap();
    let job = session.wait(id, "failed");
    assert_eq!(job["reason"], "exit code 4");
    let ran = job["runs"][0]["ran_ms"].as_i64().unwrap();
    assert!((400..1_000).contains(&ran), "it ran half a second, not {ran} ms");
}
