//! How runs end, and what follows.

use std::time::Instant;

use serde_json::json;

use crate::session::Session;

#[test]
fn a_failure_is_tried_again_after_a_while_and_not_for_ever() {
    let session = Session::new();
    let work = "echo x >>tries; [ $(wc -l <tries) -ge 3 ]";
    let begun = Instant::now();
    let id = session.submit(&["--retries", "5", "--", "sh", "-c", work]);
    session.wait(id, "backing_off");
    let job = session.wait(id, "completed");
    // A second after the first failure, two after the second.
    assert!(begun.elapsed().as_millis() >= 3_000, "{:?}", begun.elapsed());
    let ends: Vec<&str> = job["runs"].as_array().unwrap().iter().map(|run| run["ended"].as_str().unwrap()).collect();
    assert_eq!(ends, ["exit code 1", "exit code 1", "exit code 0"]);
    let id = session.submit(&["--retries", "1", "--", "sh", "-c", "exit 7"]);
    let job = session.wait(id, "failed");
    assert_eq!((&job["reason"], job["runs"].as_array().unwrap().len()), (&json!("exit code 7"), 2));
}

#[test]
fn a_time_limit_ends_what_does_not_end() {
    let session = Session::new();
    let polite = session.submit(&["-t", "1s", "--", "sleep", "1000"]);
    let stubborn =
        session.submit(&["-t", "1s", "--grace", "1s", "--", "sh", "-c", "trap '' TERM; while :; do sleep 1; done"]);
    let job = session.wait(polite, "timed_out");
    assert_eq!(job["runs"][0]["ended"], "stopped at its time limit");
    assert!(job["runs"][0]["ran_ms"].as_i64().unwrap() < 2_000, "{job}");
    let job = session.wait(stubborn, "timed_out");
    assert!(job["runs"][0]["ran_ms"].as_i64().unwrap() >= 2_000, "{job}");
}

#[test]
fn what_cannot_be_started_fails_with_words() {
    let session = Session::new();
    let id = session.submit(&["--", "no-such-program"]);
    let job = session.wait(id, "failed");
    assert!(job["reason"].as_str().unwrap().contains("cannot execute no-such-program"), "{job}");
    let id = session.submit(&["--directory", "/no/such/folder", "--", "true"]);
    let job = session.wait(id, "failed");
    assert!(job["reason"].as_str().unwrap().contains("cannot enter its directory /no/such/folder"), "{job}");
    let id = session.submit(&["--", "sh", "-c", "kill -SEGV $$"]);
    assert_eq!(session.wait(id, "failed")["reason"], "killed by signal 11");
}

#[test]
fn whoever_watches_sees_the_output_and_ends_as_the_workload_did() {
    let session = Session::new();
    let watch =
        |work: &str| session.installation.run(&["submit", "--cpus", "0.1", "--watch", "--", "sh", "-c", work]).unwrap();
    let good = watch("echo one; sleep 0.4; echo two");
    assert_eq!(good.status.code(), Some(0));
    assert_eq!(String::from_utf8(good.stdout).unwrap(), "1\none\ntwo\n");
    let bad = watch("echo out; exit 3");
    crate::session::check(&bad, 1, &["workload 2 failed: exit code 3"]);
    assert_eq!(String::from_utf8(bad.stdout).unwrap(), "2\nout\n");
}

#[test]
fn nothing_of_a_run_outlives_it() {
    let session = Session::new();
    let id = session.submit(&["--", "sh", "-c", "setsid sleep 1000 & echo $! >left; setsid sleep 1000 & exit 0"]);
    session.wait(id, "completed");
    let pid = session.read("left");
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists(), "{pid} is left");
}
