//! What is wrong is refused with words, and nothing of it is done.

use live_rig::{Installation, Request};
use serde_json::json;

use crate::session::{Session, check};

#[test]
fn wrong_arguments_are_exit_code_2_and_hand_nothing_in() {
    let session = Session::new();
    let cases: [(&[&str], &str); 10] = [
        (&["submit"], "<COMMAND>"),
        (&["submit", "--cpus", "1000000", "--", "true"], "no node could ever take it"),
        (&["submit", "--devices=-1", "--", "true"], "devices must be 0 or more"),
        (&["submit", "--memory", "much", "--", "true"], "a size such as 512M or 16G is expected"),
        (&["submit", "-t", "soon", "--", "true"], "--time-limit"),
        (&["submit", "--after", "99", "--", "true"], "there is no workload 99"),
        (&["submit", "-e", "NO_SUCH_VARIABLE_HERE", "--", "true"], "there is no variable NO_SUCH_VARIABLE_HERE here"),
        (&["submit", "-f", "none.toml"], "cannot read none.toml: there is no such file or directory"),
        (&["jobs", "-s", "dreaming"], "there is no state `dreaming`"),
        (&["job", "99"], "there is no workload 99"),
    ];
    for (arguments, words) in cases {
        session.fails(arguments, 2, &[words]);
    }
    assert_eq!(session.client().read("workloads").unwrap()["counts"], json!({}));
}

#[test]
fn a_second_up_in_the_same_folder_is_refused() {
    let session = Session::new();
    let output = session.installation.up_command().output().unwrap();
    check(&output, 1, &["is in use by another trimtab: stop it, or choose another folder"]);
    let id = session.submit(&["--", "true"]);
    session.wait(id, "completed");
}

#[test]
fn an_address_that_is_taken_is_refused() {
    let session = Session::new();
    let taken = std::fs::read_to_string(session.installation.folder().join("address")).unwrap();
    let other = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let output = other.up_command().args(["--listen", "x"]).output().unwrap();
    check(&output, 2, &["--listen"]);
    let mut command = other.command(&["up", "--listen", &taken]);
    if other.up_command().get_args().any(|word| word == "--as-root") {
        command.arg("--as-root");
    }
    check(&command.output().unwrap(), 1, &["something listens there already; choose another with --listen"]);
    check(&other.run(&["up", "--listen", "0.0.0.0:0"]).unwrap(), 2, &["say --token-file FILE"]);
}

#[test]
fn a_wrong_token_at_the_sign_in_is_told_of_without_what_was_tried() {
    let session = Session::new();
    let headers =
        vec![("content-type", "application/x-www-form-urlencoded".to_owned()), ("authorization", String::new())];
    let attempt = Request { method: "POST", path: "/login", headers, body: b"token=almost-the-secret" };
    for _ in 0..12 {
        session.client().send(&attempt).unwrap();
    }
    let said = session.installation.said();
    assert_eq!(said.matches("a wrong token was tried at /login, from 127.0.0.1").count(), 10, "{said}");
    assert!(said.contains("10 wrong tokens within a minute") && !said.contains("almost"), "{said}");
}

#[test]
fn commands_say_what_to_do_where_nothing_runs() {
    let mut installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    check(&installation.run(&["jobs"]).unwrap(), 1, &["no Trimtab has run in", "start it with `trimtab up`"]);
    installation.up().unwrap();
    installation.kill().unwrap();
    check(&installation.run(&["jobs"]).unwrap(), 1, &["no Trimtab answers on", "start it with `trimtab up`"]);
}
