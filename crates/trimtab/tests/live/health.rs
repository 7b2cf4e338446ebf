//! A machine that is tested before something starts and after something died: what is found, who is asked, what is drained and taken back.

use std::time::{Duration, Instant};

use live_rig::{Installation, nvml};
use serde_json::{Value, json};

use crate::session::Session;

const PATIENCE: Duration = Duration::from_secs(60);

/// An installation that is tested, in a folder that is there until it is taken away.
fn tested(arguments: &[&str]) -> Session {
    let installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let folder = installation.beside().join("data");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.to_str().unwrap().to_owned();
    let session = Session::called_with(
        installation,
        &[&["--health-folder", &folder, "--health-counts", "0s"], arguments].concat(),
    );
    // The test at the start.
    assert!(session.installation.said().contains("health: this machine is tested"));
    session
}

/// What makes it fail: a disk that can no more be written.
fn harm(session: &Session) {
    std::fs::remove_dir(session.installation.beside().join("data")).unwrap();
}

fn mend(session: &Session) {
    std::fs::create_dir(session.installation.beside().join("data")).unwrap();
}

/// Waits until this is so.
fn until(session: &Session, what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "never: {what}; it said {}", session.installation.said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Findings of nodes that fail, in a state.
fn unfit(session: &Session, state: &str) -> Vec<Value> {
    let found = session.client().read(&format!("findings?state={state}")).unwrap();
    let all = found["findings"].as_array().unwrap();
    all.iter().filter(|one| one["finding"]["rule"] == "node-unfit").cloned().collect()
}

fn standing(session: &Session) -> String {
    session.client().read("nodes").unwrap()[0]["standing"].as_str().unwrap().to_owned()
}

fn node(session: &Session) -> String {
    session.client().read("nodes").unwrap()[0]["name"].as_str().unwrap().to_owned()
}

fn consents(session: &Session) -> Vec<Value> {
    session.client().read("consents").unwrap().as_array().unwrap().clone()
}

#[test]
fn a_machine_that_fails_before_a_start_is_drained_with_the_consent_that_was_given_and_undo_returns_it() {
    let mut session = tested(&["--health-before", "quick", "--health-on-failure", "drain"]);
    let well = session.submit(&["--", "true"]);
    session.wait(well, "completed");
    harm(&session);
    let held = session.submit(&["--", "true"]);
    until(&session, "it is drained", || standing(&session) == "drained");
    assert_eq!(session.job(held)["state"], "waiting");
    assert_eq!(session.job(held)["runs"], json!([]), "what came to nothing is no run");
    assert!(session.run(&["nodes"]).contains("drained"));

    let found = unfit(&session, "open").remove(0);
    assert!(found["finding"]["verdict"].as_str().unwrap().contains("cannot be written"), "{found:#}");
    assert_eq!(found["finding"]["evidence"][0]["what"], "a file can be written");
    assert!(session.run(&["findings"]).contains("fails its self-test"));
    let undo = format!("trimtab drain {} --undo", node(&session));
    assert!(found["finding"]["advice"][1].as_str().unwrap().contains(&undo), "{found:#}");
    let consent = consents(&session).remove(0);
    assert!(consent["by"].as_str().unwrap().ends_with("by --health-on-failure drain"), "{consent:#}");
    assert_eq!(consent["recommendation"]["undo"][0]["text"], undo);
    assert!(session.run(&["ledger"]).contains("Drain"));

    // A kill in between forgets nothing of it.
    session.installation.kill().unwrap();
    session.installation.up().unwrap();
    assert_eq!(standing(&session), "drained");
    until(&session, "it is found again under the same id", || {
        unfit(&session, "open").first().is_some_and(|one| one["id"] == found["id"])
    });
    assert_eq!(consents(&session).len(), 1, "one consent is enough");

    // Whoever takes it back knows better: it is told, and nothing is done.
    session.run(&["undo", &consent["consent"].to_string()]);
    session.wait(held, "completed");
    assert_eq!((standing(&session).as_str(), consents(&session).len()), ("usable", 1));
    assert_eq!(unfit(&session, "open").len(), 1);
    let again = session.submit(&["--", "true"]);
    session.wait(again, "completed");

    mend(&session);
    until(&session, "it is over", || unfit(&session, "open").is_empty());
    assert_eq!(unfit(&session, "closed")[0]["id"], found["id"]);

    // It was well in between: this is another matter.
    harm(&session);
    let last = session.submit(&["--", "true"]);
    until(&session, "it is drained again", || standing(&session) == "drained");
    assert_eq!((consents(&session).len(), session.job(last)["state"].as_str()), (2, Some("waiting")));
    assert!(session.installation.stop().unwrap().success());
    let report = store::check(session.installation.store()).unwrap();
    assert!(report.is_sound(), "{report}");
}

#[test]
fn a_machine_that_is_asked_about_is_held_and_drained_by_whoever_agrees() {
    let session = tested(&["--health-before", "quick", "--health-on-failure", "ask"]);
    harm(&session);
    let held = session.submit(&["--", "true"]);
    until(&session, "it is found", || !unfit(&session, "open").is_empty());
    assert_eq!((standing(&session).as_str(), session.job(held)["state"].as_str()), ("usable", Some("waiting")));
    assert_eq!(consents(&session).len(), 0, "nobody consented");
    let why = session.run(&["why", &held.to_string()]);
    assert!(why.contains("failed its self-test"), "{why}");

    let all = session.client().read("recommendations").unwrap();
    let one = &all["recommendations"][0];
    assert_eq!((&one["stands"], &one["recommendation"]["rule"]), (&json!("open"), &json!("node-unfit")), "{all:#}");
    let id = one["recommendation"]["id"].as_str().unwrap().to_owned();
    let name = node(&session);
    let difference = format!("node `{name}`: something new may start yes → no");
    let shown = session.run(&["apply", &id, "--dry-run"]);
    assert!(shown.contains(&difference) && shown.contains("cannot be written"), "{shown}");
    assert_eq!(standing(&session), "usable", "it was only shown");
    session.run(&["apply", &id, "--yes"]);
    assert_eq!(standing(&session), "drained");
    assert_eq!(session.client().read("recommendations").unwrap()["recommendations"][0]["stands"], "applied");

    // `drain --undo` takes the consent back too.
    session.run(&["drain", &name, "--undo"]);
    session.wait(held, "completed");
    assert!(!consents(&session)[0]["undone_ms"].is_null());
}

#[test]
fn a_mute_says_to_go_on() {
    let session = tested(&["--health-before", "quick", "--health-on-failure", "ask"]);
    harm(&session);
    let held = session.submit(&["--", "true"]);
    until(&session, "it is found", || !unfit(&session, "open").is_empty());
    let id = unfit(&session, "open")[0]["id"].to_string();
    session.run(&["findings", "mute", &id, "--for", "1d", "--reason", "the disk is being replaced"]);
    // By the next test, half a minute later at most.
    session.wait(held, "completed");
    assert_eq!(unfit(&session, "muted").len(), 1);
}

#[test]
fn who_dies_of_a_device_that_vanished_is_tried_again_and_that_does_not_count() {
    let mut installation = match Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap().with_devices(2) {
        Ok(installation) => installation,
        Err(error) => testkit::skip!(testkit::Need::Program, "a C compiler is needed: {error}"),
    };
    installation.call_with(&["--health-after-crash", "quick", "--health-on-failure", "drain"]);
    let session = {
        installation.up().unwrap();
        Session { installation }
    };
    // It runs while the device goes, and dies of that.
    let script =
        "test -e broken || { touch running; while ! test -e gone; do sleep 0.02; done; touch broken; exit 7; }";
    let id = session.submit(&["--retries", "1", "-d", "1", "--", "sh", "-c", script]);
    until(&session, "it runs", || session.installation.beside().join("running").exists());
    let other = session.installation.beside().join("other");
    std::fs::create_dir(&other).unwrap();
    // In one move: whoever has the old one open keeps it.
    let library = nvml::build(&other, 1).unwrap();
    std::fs::rename(library, session.installation.beside().join("library/libnvidia-ml.so.1")).unwrap();
    session.write("gone", "");
    until(&session, "it is drained", || standing(&session) == "drained");
    let job = session.job(id);
    assert_eq!(job["runs"][0]["ended"], "exit code 7; its node failed its self-test then", "{job:#}");
    let verdict = unfit(&session, "open").remove(0)["finding"]["verdict"].as_str().unwrap().to_owned();
    assert!(verdict.contains("NVIDIA devices that answer: 1, and 2 before"), "{verdict}");

    let consent = consents(&session)[0]["consent"].to_string();
    session.run(&["undo", &consent]);
    let job = session.wait(id, "completed");
    assert_eq!(job["runs"].as_array().unwrap().len(), 2, "{job:#}");
}

#[test]
fn memory_that_is_slower_than_it_was_fails_a_full_test_where_nothing_runs() {
    let installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let well = installation.beside().join("well.json");
    let kept = json!({ "version": 1, "measured": [{ "probe": "memory", "what": "memory bandwidth", "value": 1e6, "unit": "GB/s" }] });
    std::fs::write(&well, kept.to_string()).unwrap();
    let arguments = ["--health-before", "full", "--health-against", well.to_str().unwrap()];
    let session = Session::called_with(installation, &arguments);
    until(&session, "it is found", || !unfit(&session, "open").is_empty());
    let found = unfit(&session, "open").remove(0);
    let evidence = &found["finding"]["evidence"][0];
    assert_eq!(
        (&evidence["what"], &evidence["beside"]["value"]),
        (&json!("memory bandwidth"), &json!(1e6)),
        "{found:#}"
    );
    assert!(evidence["value"].as_f64().is_some_and(|value| value > 0.1), "{found:#}");
    // It is only told.
    let id = session.submit(&["--", "true"]);
    session.wait(id, "completed");
    assert_eq!((standing(&session).as_str(), consents(&session).len()), ("usable", 0));
}
