//! Old logs are let go, and whoever asks for one is told so.

use std::time::{Duration, Instant};

use live_rig::Request;

use crate::session::Session;

#[test]
fn logs_of_what_is_over_are_let_go_and_those_of_what_runs_are_not() {
    let mut session = Session::new();
    let over = session.submit(&["--", "echo", "old"]);
    session.wait(over, "completed");
    let runs = session.submit(&["--", "sh", "-c", "echo new; sleep 1000"]);
    session.wait(runs, "running");
    let logs = |session: &Session, id: u64| session.installation.run(&["logs", &id.to_string()]).unwrap();
    assert_eq!(logs(&session, over).stdout, b"old\n");

    session.installation.stop().unwrap();
    session.installation.call_with(&["--logs-keep", "0s"]);
    session.installation.up().unwrap();
    let folder = session.installation.folder().join("logs");
    let until = Instant::now() + Duration::from_secs(30);
    while folder.join(over.to_string()).exists() {
        assert!(Instant::now() < until, "the log is not let go: {}", session.installation.said());
        std::thread::sleep(Duration::from_millis(5));
    }
    let gone = logs(&session, over);
    let said = String::from_utf8(gone.stderr).unwrap();
    assert!(gone.status.success() && gone.stdout.is_empty(), "{said}");
    let expected = format!("note: the log of workload {over} is no longer kept; logs are kept for 0s after");
    assert!(said.starts_with(&expected) && said.contains("--logs-keep"), "{said}");
    let followed = session.installation.run(&["logs", "--follow", &over.to_string()]).unwrap();
    assert!(followed.status.success() && followed.stderr.starts_with(b"note: the log of workload"));

    while logs(&session, runs).stdout != b"new\n" {
        assert!(Instant::now() < until, "the log of what runs is gone");
    }
    let metrics = || {
        let answer = session.client().send(&Request { path: "/metrics", ..Request::default() }).unwrap();
        String::from_utf8(answer.body).unwrap()
    };
    while !metrics().contains("trimtab_logs_let_go_total 1\n") {
        assert!(Instant::now() < until, "{}", metrics());
    }
    assert!(metrics().contains("trimtab_logs_workloads 1\n"), "{}", metrics());
}
