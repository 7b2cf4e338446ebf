//! What pages say, and that they never say it as markup.

use crate::http::{get, send, sign_in};
use crate::made::{self, HTML};
use crate::rig::{OPERATE, Rig};

const PAGES: &[&str] = &[
    "/",
    "/findings",
    "/findings?state=all&workload=2",
    "/findings/1",
    "/findings/2",
    "/jobs",
    "/jobs?state=open",
    "/jobs/1",
    "/jobs/2",
    "/jobs/3",
    "/jobs/4",
    "/jobs/5",
    "/fleet",
    "/node?name=..%2F..%2Fn%2F1",
    "/queues",
    "/recommendations",
    "/recommendation?id=queue-limit-1a2b3c",
    NAMED,
    "/recommendation?id=policy-4d5e6f",
    "/recommendation?id=unclear",
    "/recommendation?id=changed",
    "/ledger",
];

/// The page of the recommendation whose id is markup.
const NAMED: &str =
    "/recommendation?id=%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=%22alert(2)%22%3E%27%26amp;";

fn rig() -> Rig {
    let rig = Rig::new(|store| {
        made::hostile(store);
        made::wrong(store);
    });
    made::recommended(&rig.folder);
    rig
}

#[test]
fn no_name_becomes_markup_on_any_page() {
    let rig = rig();
    let escaped = |path: &str| {
        let name = "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;alert(2)&quot;&gt;";
        assert!(get(&rig, path).body.contains(name), "{path}");
    };
    for path in [
        "/jobs",
        "/jobs/1",
        "/jobs/2",
        "/jobs/4",
        "/jobs/5",
        "/fleet",
        "/queues",
        "/recommendations",
        NAMED,
        "/findings",
        "/findings/1",
    ] {
        escaped(path);
    }
    for path in PAGES {
        let page = get(&rig, path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        for wrong in ["<script>", "<img", "<style", " style=", "javascript:"] {
            assert!(!page.body.contains(wrong), "{path} has {wrong}");
        }
        let handlers = page.body.replace("&quot;", "").contains(" onerror=\"");
        assert!(!handlers, "{path}");
    }
    // An address is told where it is wrong, and is no markup either.
    let query = format!("/jobs?state={}", "%3Cscript%3Ealert(1)%3C/script%3E");
    let page = get(&rig, &query);
    assert!(page.status == 400 && page.body.contains("&lt;script&gt;") && !page.body.contains("<script>"), "{HTML}");
}

#[test]
fn pages_say_what_happened() {
    let rig = rig();
    let says = |path: &str, expected: &[&str]| {
        let page = get(&rig, path).body;
        for words in expected {
            assert!(page.contains(words), "{path} does not say {words:?}:\n{page}");
        }
    };
    says(
        "/",
        &[
            "2 of 8 devices idle while 1 workload waits: for the one that waits longest, too little is free; 1 node drained.",
        ],
    );
    says("/", &["idle while something waited", "runs that completed", "recorded for 3h"]);
    says("/", &["Raise the limits of queue `nightly`", "All 5, with steps and proofs"]);
    says("/jobs", &["1 waiting", "1 running", "16 GiB"]);
    says(
        "/jobs/1",
        &["ended after 1h 20m: exit code 0", "3.00", "11 GiB", "its start was decided: 1 task on node &lt;script&gt;"],
    );
    says("/jobs/2", &["Requeue", "Cancel", "/jobs/2/requeue"]);
    says(
        "/jobs/4",
        &["Why it has not started", "Too little is free.", "What would let it start: enough of what runs ends."],
    );
    says(
        "/fleet",
        &[
            "2 nodes, 1 drained, 0 lost. 2 of 8 devices given, 1 of them left idle.",
            "2 of 4 devices given, 1 left idle",
            "0 of 4 devices given, drained",
        ],
    );
    says("/node?name=..%2F..%2Fn%2F1", &["drained", "Resume", "Nothing.", "<dt>Cores busy</dt><dd>unknown</dd>"]);
    says(&made::measured_node(), &["<dd>10.5</dd>", "180 GiB", "75 %", "&lt; 1 %", "given, left idle", "unknown"]);
    says("/queues", &["default", "2.5"]);
    says("/ledger", &["No recommendation was applied yet."]);
    says("/recommendations", &["5 recommendations", "2 can be applied from here, 0 applied", "Mean wait 35m shorter"]);
    says(
        "/recommendations",
        &["trimtab queues set nightly --limit-running 8", "trimtab replay histories/", "done elsewhere"],
    );
    let setting = "queue `nightly`: running workloads, at most</th><td>1</td><td><b>8</b></td>";
    says(
        "/recommendation?id=queue-limit-1a2b3c",
        &[setting, "Apply</button>", "17 workloads", "2h 30m → 20m", "Proved "],
    );
    says(
        "/recommendation?id=changed",
        &["the rules are not those that it was proved against", "<td>1</td><td><b>2</b></td>"],
    );
    says("/recommendation?id=unclear", &["`trimtab cancel 1` is no command that sets rules"]);
    for page in ["changed", "unclear", "policy-4d5e6f"].map(|id| get(&rig, &format!("/recommendation?id={id}")).body) {
        assert!(!page.contains("/recommendation/apply"), "what cannot be applied has no button: {page}");
    }
}

#[test]
fn an_empty_installation_says_what_to_do() {
    let rig = Rig::new(|_| {});
    assert!(get(&rig, "/").body.contains("No node was found yet."));
    assert!(get(&rig, "/jobs").body.contains("trimtab submit"));
    assert!(get(&rig, "/jobs?text=x").body.contains("No workload is like that."));
    assert!(get(&rig, "/fleet").body.contains("No node was found yet."));
    assert!(get(&rig, "/").body.contains("trimtab optimize"));
    assert!(get(&rig, "/recommendations").body.contains("None were made yet"));
    std::fs::write(rig.folder.join(server::RECOMMENDATIONS), "[{").unwrap();
    let broken = get(&rig, "/recommendations");
    assert!(broken.status == 400 && broken.body.contains("Recommendations.json cannot be read"), "{}", broken.body);
    assert!(get(&rig, "/").body.contains("Recommendations.json cannot be read"));
}

#[test]
fn a_refresh_brings_only_what_changes() {
    let rig = rig();
    let headers = [("cookie", &*sign_in(&rig, OPERATE)), ("hx-request", "true")];
    for path in PAGES {
        let part = send(&rig, "GET", path, &headers, "").body;
        assert!(part.starts_with("<div id=\"live\"") && !part.contains("<html"), "{path}: {part}");
    }
}

#[test]
fn a_log_that_was_let_go_is_told_of_and_one_that_is_not_there_yet_is_not() {
    let rig = Rig::new(made::hostile);
    let token = format!("Bearer {OPERATE}");
    let log = |id: u32| send(&rig, "GET", &format!("/api/v1/workloads/{id}/log"), &[("authorization", &token)], "");
    // It ran and is over, runs, waits.
    assert_eq!([log(1).status, log(2).status, log(4).status], [410, 200, 404]);
    let gone = log(1).body;
    assert!(gone.contains("the log of workload 1 is no longer kept") && gone.contains("for 30d after"), "{gone}");
    let page = |id: u32| get(&rig, &format!("/jobs/{id}")).body;
    assert!(page(1).contains("Its log is no longer kept.") && page(1).contains("10 GiB of them in all (--logs-max)"));
    assert!(!page(1).contains("data-log=") && page(2).contains("data-log=") && !page(2).contains("no longer kept"));
    assert!(page(4).contains("It has not run yet."));
    // A run that wrote nothing has a folder.
    std::fs::create_dir_all(rig.folder.join("logs/1")).unwrap();
    assert_eq!((log(1).status, page(1).contains("no longer kept")), (200, false));
    let metrics = send(&rig, "GET", "/metrics", &[("authorization", &token)], "").body;
    for line in ["trimtab_logs_workloads 3", "trimtab_logs_bytes 4096", "trimtab_logs_let_go_total 2"] {
        assert!(metrics.lines().any(|told| told == line), "{metrics}");
    }
}

#[test]
fn a_log_is_text() {
    let rig = rig();
    let logs = rig.folder.join("logs/2");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("1.log"), format!("step 1\n{HTML}\n\u{fffd}")).unwrap();
    let page = get(&rig, "/jobs/2").body;
    assert!(page.contains("step 1\n&lt;script&gt;") && page.contains("data-next="), "{page}");
}

#[test]
fn scripts_and_styles_are_kept_for_good_and_come_compressed() {
    let rig = Rig::new(|_| {});
    let page = send(&rig, "GET", "/login", &[], "").body;
    let names = page.split('"').filter(|part| part.starts_with("/assets/"));
    let mut seen = 0;
    for name in names {
        let file = send(&rig, "GET", name, &[], "");
        assert_eq!(file.status, 200, "{name}");
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
        let tag = file.header("etag").unwrap().to_owned();
        assert_eq!(send(&rig, "GET", name, &[("if-none-match", &tag)], "").status, 304);
        let packed = send(&rig, "GET", name, &[("accept-encoding", "gzip, br")], "");
        if file.body.len() > 1_024 {
            assert_eq!(packed.header("content-encoding"), Some("gzip"), "{name}");
        }
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_course_is_bounded() {
    let rig = rig();
    for window in ["day", "week"] {
        let course = get(&rig, &format!("/course.json?window={window}")).body;
        let course: serde_json::Value = serde_json::from_str(&course).unwrap();
        let lengths = ["at", "given", "there", "waiting"].map(|line| course[line].as_array().unwrap().len());
        assert!(lengths[0] > 2 && lengths[0] <= 480 && lengths.iter().all(|length| *length == lengths[0]), "{course}");
        assert_eq!(course["unit"], "device");
    }
}

#[test]
fn the_last_hour_of_a_node_is_drawn_as_far_as_it_is_known() {
    let rig = Rig::new(made::hostile);
    let course = |page: &str| -> serde_json::Value {
        serde_json::from_str(&get(&rig, &page.replace("/node?", "/node/course.json?")).body).unwrap()
    };
    let nothing = course("/node?name=..%2F..%2Fn%2F1");
    assert_eq!(nothing["at"].as_array().unwrap().len(), 0);
    assert!(nothing["panels"]["cores"]["empty"].as_str().unwrap().starts_with("Nothing was measured"), "{nothing}");
    let hour = course(&made::measured_node());
    let at = hour["at"].as_array().unwrap();
    assert!((600..=721).contains(&at.len()), "{}", at.len());
    let panels = &hour["panels"];
    assert_eq!((&panels["cores"]["top"], &panels["memory"]["top"]), (&64.0.into(), &512.0.into()));
    let cores = panels["cores"]["lines"][0]["values"].as_array().unwrap();
    assert_eq!(cores.iter().filter(|value| value.is_null()).count(), 1, "a gap where nothing was measured");
    let devices = panels["devices"]["lines"].as_array().unwrap();
    assert_eq!((devices.len(), &devices[3]["name"]), (4, &"device 3".into()));
    let is_null = |place: usize| devices[place]["values"].as_array().unwrap().iter().all(serde_json::Value::is_null);
    assert!(is_null(3) && !is_null(0), "what cannot be read is no zero");
    assert_eq!(get(&rig, "/node/course.json?name=elsewhere").status, 404);
}
