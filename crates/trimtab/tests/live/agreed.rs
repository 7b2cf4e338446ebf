//! What was recommended is done and taken back by the program in one piece, whatever becomes of it in between.

use std::time::Duration;

use live_rig::{Answer, Client, Random};
use serde_json::{Value, json};

use crate::session::Session;

/// A recommendation with these steps, and these to take it back.
fn made(id: &str, change: &[&str], undo: &[&str]) -> Value {
    let steps =
        |texts: &[&str]| -> Value { texts.iter().map(|text| json!({ "system": "trimtab", "text": text })).collect() };
    json!({
        "id": id, "rule": "queue-limit", "title": "Hold the queue", "because": [], "worse_for": [], "risks": [],
        "effect": { "wait_s": null, "slowdown": null, "p95_wait_s": null, "better": 0, "worse": 0 },
        "worth": {}, "change": steps(change), "undo": steps(undo),
        "proof": { "history": "", "baseline": "", "candidate": "", "seed": 1, "engine": "", "command": "" },
    })
}

fn recommend(session: &Session, all: &[Value]) {
    let file = session.installation.folder().join("recommendations.json");
    std::fs::write(file, Value::from(all.to_vec()).to_string()).unwrap();
}

fn post(client: &mut Client, path: &str) -> Answer {
    client.post(path, &json!({})).unwrap()
}

/// How many may run at once in the queue; nothing where it has no rules.
fn limit(client: &mut Client) -> Value {
    let queues = client.read("queues").unwrap();
    let found = queues.as_array().unwrap().iter().find(|queue| queue["name"] == "train").cloned();
    found.map_or(Value::Null, |queue| queue["rules"]["limit_running"].clone())
}

const HOLD: &str = "trimtab queues set train --limit-running 8";
const FREE: &str = "trimtab queues set train";

#[test]
fn a_step_that_is_refused_leaves_nothing_behind() {
    let session = Session::new();
    recommend(
        &session,
        &[
            made("time", &[HOLD, "trimtab queues set x --time-limit-max 2h --time-limit-default 3h"], &[FREE]),
            made("name", &[HOLD, "trimtab queues set 'a<b'"], &[FREE]),
            made("order", &[HOLD, "trimtab policy set fastest"], &[FREE]),
            made("other", &[HOLD, "trimtab cancel 1"], &[FREE]),
            made("elsewhere", &[HOLD, "trimtab queues set x --folder /tmp/x"], &[FREE]),
            made("undo", &[HOLD], &["trimtab up"]),
        ],
    );
    let mut client = session.client();
    for (id, words) in [
        ("time", "time_limit_default_ms"),
        ("name", "`<` and `>` are not allowed in names"),
        ("order", "there is no order `fastest`"),
        ("other", "`trimtab cancel 1` is no command that sets rules"),
        ("elsewhere", "`trimtab queues set x --folder /tmp/x` is no command that sets rules"),
        ("undo", "`trimtab up` is no command that sets rules"),
    ] {
        let answer = post(&mut client, &format!("recommendations/{id}/apply"));
        let told = answer.json().to_string();
        assert!(answer.status == 422 && told.contains(words), "{id}: {told}");
    }
    assert_eq!((limit(&mut client), client.read("consents").unwrap()), (Value::Null, json!([])));
    assert_eq!(client.read("policy").unwrap()["order"], "trimtab");
    session.fails(&["apply", "other", "--yes"], 2, &["is no command that sets rules"]);
    session.fails(&["apply", "none", "--yes"], 2, &["no recommendation `none`; there are: time, name,"]);
}

#[test]
fn a_kill_at_any_moment_leaves_the_consent_with_what_it_set_or_neither() {
    let mut session = Session::new();
    recommend(&session, &[made("hold", &[HOLD, "trimtab policy set fifo"], &[FREE, "trimtab policy set trimtab"])]);
    let mut random = Random::new(7);
    // Applied and taken back so often, as far as it was stored.
    let mut stored = 0;
    // Tried with consent and rules in two transactions: twelve kills found it in one run of two.
    for _ in 0..25 {
        let mut client = session.client();
        let driving = std::thread::spawn(move || drive(&mut client));
        std::thread::sleep(Duration::from_millis(20 + random.below(150)));
        session.installation.kill().unwrap();
        let acknowledged = driving.join().unwrap();
        let mut client = session.installation.up().unwrap();
        let ledger = client.read("consents").unwrap();
        let consents = ledger.as_array().unwrap();
        let standing = consents.iter().filter(|line| line["undone_ms"].is_null()).count();
        assert!(standing <= 1, "{ledger}");
        let order = client.read("policy").unwrap()["order"].clone();
        let set = (limit(&mut client), order);
        let expected = if standing == 1 { (json!(8), json!("fifo")) } else { (Value::Null, json!("trimtab")) };
        assert_eq!(set, expected, "{ledger}");
        let done = consents.len() * 2 - standing;
        // The last may have been done and not been answered.
        let least = stored + acknowledged;
        assert!((least..=least + 1).contains(&done), "{done} are stored of {least}: {ledger}");
        stored = done;
    }
    assert!(stored > 25, "there was hardly anything to lose: {stored}");
    assert!(session.installation.stop().unwrap().success());
    let report = store::check(session.installation.store()).unwrap();
    assert!(report.is_sound(), "{report}");
}

/// Applies and takes back, until nobody answers; how often that was acknowledged.
fn drive(client: &mut Client) -> usize {
    let next = || {
        let applied = client.read("recommendations").ok()?["recommendations"][0]["consent"].as_i64();
        let path =
            applied.map_or("recommendations/hold/apply".to_owned(), |consent| format!("consents/{consent}/undo"));
        let answer = client.post(&path, &json!({})).ok()?;
        assert_eq!(answer.status, if applied.is_some() { 200 } else { 201 }, "{path}: {}", answer.json());
        Some(())
    };
    std::iter::from_fn(next).count()
}
