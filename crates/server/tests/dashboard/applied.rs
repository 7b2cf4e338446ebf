//! What is recommended is done by whoever may, once, as it was shown, and taken back: by hand and in a browser.

use fleet::history::QueueRecord;
use serde_json::{Value, json};

use crate::browser::{begin, pictures};
use crate::chromium;
use crate::http::{Answer, get, post, send, sign_in};
use crate::made::{self, HTML};
use crate::rig::{OPERATE, Rig, VIEW};

const ID: &str = "queue-limit-1a2b3c";

fn rig() -> Rig {
    let rig = Rig::new(made::hostile);
    made::recommended(&rig.folder);
    rig
}

/// What a browser gets that was signed in with this token, for a form that it sends.
fn ask(rig: &Rig, path: &str, token: &str, body: &str) -> Answer {
    post(rig, path, &sign_in(rig, token), body)
}

/// How many of the queue `nightly` may run at once, and how many consents are in force and taken back.
fn check(rig: &Rig, limit: u32, in_force: usize, undone: usize) {
    let queues = rig.reader.queues().unwrap();
    let nightly = queues.iter().find(|queue| queue.name == "nightly").unwrap();
    let expected = QueueRecord { name: "nightly".into(), limit_running: Some(limit), ..QueueRecord::default() };
    assert_eq!(nightly, &expected);
    let consents = rig.reader.consents().unwrap();
    let back = consents.iter().filter(|consent| consent.undone.is_some()).count();
    assert_eq!((consents.len() - back, back), (in_force, undone));
    assert!(consents.iter().all(|consent| consent.who == "ada"));
}

fn api(rig: &Rig, method: &str, path: &str, token: &str) -> (u16, Value) {
    let headers = [("content-type", "application/json"), ("authorization", &*format!("Bearer {token}"))];
    let answer = send(rig, method, &format!("/api/v1/{path}"), &headers, "");
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[test]
fn a_form_does_it_once_and_another_takes_it_back() {
    let rig = rig();
    let apply = |id: &str| {
        let answer = ask(&rig, "/recommendation/apply", OPERATE, &format!("id={id}"));
        (answer.status, answer.header("location").map(str::to_owned))
    };
    let ledger = (303, Some("/ledger".to_owned()));
    assert_eq!(apply(ID), ledger);
    check(&rig, 8, 1, 0);
    assert_eq!(apply(ID), (409, None));
    check(&rig, 8, 1, 0);
    let page = get(&rig, &format!("/recommendation?id={ID}")).body;
    assert!(page.contains("It is applied.") && !page.contains("/recommendation/apply"), "{page}");
    let page = get(&rig, "/ledger").body;
    assert!(page.contains("queue `nightly`: running workloads, at most 8 → 1"), "what Undo would set is told: {page}");
    let undo = || ask(&rig, "/ledger/undo", OPERATE, "consent=1").status;
    assert_eq!((undo(), undo()), (303, 303));
    check(&rig, 1, 0, 1);
    assert_eq!(apply(ID), ledger, "what was taken back can be done again");
    check(&rig, 8, 1, 1);
}

#[test]
fn what_cannot_be_done_leaves_no_consent() {
    let rig = rig();
    for (id, expected) in [
        // A name that no queue can have.
        (made::HTML_IN_FORM, 422),
        ("policy-4d5e6f", 422),
        ("unclear", 422),
        ("changed", 409),
    ] {
        assert_eq!(ask(&rig, "/recommendation/apply", OPERATE, &format!("id={id}")).status, expected, "{id}");
        check(&rig, 1, 0, 0);
    }
}

#[test]
fn whoever_may_only_look_sees_no_buttons_and_is_refused() {
    let rig = rig();
    let cookie = sign_in(&rig, VIEW);
    let shown = |path: &str| send(&rig, "GET", path, &[("cookie", &cookie), ("accept", "text/html")], "").body;
    let page = shown(&format!("/recommendation?id={ID}"));
    assert!(page.contains("running workloads, at most") && !page.contains("Apply</button>"), "{page}");
    assert_eq!(ask(&rig, "/recommendation/apply", VIEW, &format!("id={ID}")).status, 403);
    assert_eq!(api(&rig, "POST", &format!("recommendations/{ID}/apply"), VIEW).0, 403);
    check(&rig, 1, 0, 0);
    assert_eq!(ask(&rig, "/recommendation/apply", OPERATE, &format!("id={ID}")).status, 303);
    assert!(!shown("/ledger").contains("Undo</button>"));
    assert_eq!(ask(&rig, "/ledger/undo", VIEW, "consent=1").status, 403);
    check(&rig, 8, 1, 0);
}

#[test]
fn programs_go_the_same_way() {
    let rig = rig();
    let (status, list) = api(&rig, "GET", "recommendations", VIEW);
    assert!(status == 200 && list["made_ms"].is_i64(), "{list}");
    let all = list["recommendations"].as_array().unwrap();
    let stands: Vec<&str> = all.iter().map(|one| one["stands"].as_str().unwrap()).collect();
    assert_eq!(stands, ["open", "open", "elsewhere", "unclear", "changed"]);
    let change = json!([{"of": "queue `nightly`", "setting": "running workloads, at most", "now": "1", "then": "8"}]);
    assert_eq!((&all[0]["would_change"], &all[0]["recommendation"]["id"]), (&change, &json!(ID)));
    let path = format!("recommendations/{ID}/apply");
    assert_eq!(api(&rig, "POST", &path, OPERATE), (201, json!({"consent": 1})));
    let (status, again) = api(&rig, "POST", &path, OPERATE);
    assert_eq!((status, again["error"].as_str()), (409, Some("it was applied before, under consent 1")));
    let list = api(&rig, "GET", "recommendations", VIEW).1;
    assert_eq!(
        (&list["recommendations"][0]["stands"], &list["recommendations"][0]["consent"]),
        (&json!("applied"), &json!(1))
    );
    assert_eq!(api(&rig, "POST", "consents/1/undo", OPERATE), (200, json!({"changed": true})));
    assert_eq!(api(&rig, "POST", "consents/1/undo", OPERATE), (200, json!({"changed": false})));
    assert_eq!(api(&rig, "POST", "consents/9/undo", OPERATE).0, 404);
    check(&rig, 1, 0, 1);
}

#[test]
fn a_button_does_it_and_another_takes_it_back() {
    if !chromium::is_there() {
        testkit::skip!(testkit::Need::Program, "there is no /usr/bin/chromium: apt-get install chromium");
    }
    let rig = rig();
    let mut browser = begin(&rig);
    let address = |path: &str| format!("http://{}{path}", rig.address);
    browser.open(&address("/recommendations"));
    browser.eval("document.querySelector('.ranked a.what').click(); 1");
    browser.wait("location.pathname === '/recommendation' && document.readyState === 'complete'");
    // Asked about, with no there is no change; with yes it is done, and the ledger is shown.
    browser.eval("window.confirm = () => false; document.querySelector('#apply').click(); 1");
    check(&rig, 1, 0, 0);
    browser.eval("window.confirm = () => true; document.querySelector('#apply').click(); 1");
    browser.wait("location.pathname === '/ledger' && document.readyState === 'complete'");
    check(&rig, 8, 1, 0);
    assert_eq!(
        browser.eval("document.querySelector('tbody td').textContent"),
        json!("Raise the limits of queue `nightly`")
    );
    pictures(&mut browser, &rig, "applied", &[("ledger", "/ledger"), ("recommendations", "/recommendations")]);
    pictures(&mut browser, &rig, "applied", &[("one", "/recommendation?id=queue-limit-1a2b3c")]);
    browser.open(&address("/queues"));
    assert_eq!(browser.eval("[...document.querySelectorAll('td.name')].filter((cell) => cell.textContent === 'nightly').map((cell) => cell.parentNode.children[5].textContent)"), json!(["8"]));

    browser.open(&address("/ledger"));
    browser.eval("window.confirm = (asked) => { window.asked = asked; return false; }; document.querySelector('#undo1').click(); 1");
    let asked = "Take it back?\nqueue `nightly`: running workloads, at most 8 → 1";
    assert_eq!(browser.eval("window.asked"), json!(asked));
    browser.eval("window.confirm = () => true; document.querySelector('#undo1').click(); 1");
    browser.wait("document.readyState === 'complete' && document.querySelector('#undo1') === null");
    check(&rig, 1, 0, 1);
    // Markup in the names of what is recommended is text.
    for path in ["/recommendations", "/ledger"] {
        browser.open(&address(path));
        assert_eq!(browser.eval("document.querySelectorAll('main script, main img').length"), json!(0));
    }
    browser.open(&address("/recommendations"));
    let said = browser.eval("document.querySelectorAll('.ranked a.what')[1].textContent");
    assert_eq!(said, json!(format!("Limit queue {HTML}")));
}
