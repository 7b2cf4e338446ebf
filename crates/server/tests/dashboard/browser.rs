//! The dashboard as people see it. Pictures of every page are kept under `target/tmp/dashboard`, to be looked at.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::chromium::{self, Chromium};
use crate::made;
use crate::rig::{OPERATE, Rig};

/// How many workloads the large store has; more with this variable.
const LARGE: u32 = 10_000;
const LARGE_ENV: &str = "TRIMTAB_DASHBOARD_WORKLOADS";

pub(crate) fn begin(rig: &Rig) -> Chromium {
    let mut browser = Chromium::start(rig.folder.join("browser"));
    browser.look(1280, 900, "light");
    browser.open(&format!("http://{}/jobs", rig.address));
    assert_eq!(browser.eval("location.pathname"), json!("/login"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    std::fs::create_dir_all(&folder).unwrap();
    browser.picture(&folder.join("login.png"));
    browser.eval(&format!(
        "document.querySelector('#token').value = '{OPERATE}'; document.querySelector('form').requestSubmit()"
    ));
    browser.wait("location.pathname === '/jobs' && document.readyState === 'complete'");
    assert_eq!(browser.eval("document.cookie"), json!(""), "no script reads the token");
    browser
}

pub(crate) fn pictures(browser: &mut Chromium, rig: &Rig, of: &str, pages: &[(&str, &str)]) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    std::fs::create_dir_all(&folder).unwrap();
    for (look, width, height, scheme) in [
        ("light", 1280, 900, "light"),
        ("dark", 1280, 900, "dark"),
        ("phone", 390, 844, "light"),
        ("night", 390, 844, "dark"),
        ("paper", 794, 1123, "paper"),
    ] {
        browser.look(width, height, scheme);
        for (name, path) in pages {
            browser.open(&format!("http://{}{path}", rig.address));
            if *path == "/" {
                browser.wait("document.querySelector('.waterfall') !== null");
                browser.wait("document.querySelector('#chart').dataset.drawn !== undefined");
            }
            if path.starts_with("/node") {
                browser.wait("[...document.querySelectorAll('[data-panel]')].every((place) => place.dataset.drawn)");
            }
            if let Some(place) = scrolled_to(name) {
                browser.eval(&format!("document.querySelector('{place}').scrollIntoView()"));
            }
            let over = browser.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(over, json!(0), "{path} is wider than {width}");
            assert_eq!(browser.eval("window.refused"), json!([]), "{path}");
            browser.picture(&Path::new(&folder).join(format!("{of}-{name}-{look}.png")));
        }
    }
}

/// What is looked at on a page that is longer than what is seen.
fn scrolled_to(name: &str) -> Option<&'static str> {
    ["charts", "unmeasured"].contains(&name).then_some(".panels")
}

#[test]
fn hostile_names_stay_names_and_everything_works_by_hand() {
    if !chromium::is_there() {
        testkit::skip!(testkit::Need::Program, "there is no /usr/bin/chromium: apt-get install chromium");
    }
    let rig = Rig::new(made::hostile);
    made::recommended(&rig.folder);
    let mut browser = begin(&rig);
    let measured = made::measured_node();
    let pages = [
        ("overview", "/"),
        ("jobs", "/jobs"),
        ("running", "/jobs/2"),
        ("waiting", "/jobs/4"),
        ("fleet", "/fleet"),
        ("node", "/node?name=..%2F..%2Fn%2F1"),
        ("unmeasured", "/node?name=..%2F..%2Fn%2F1"),
        ("busy", &measured),
        ("charts", &measured),
        ("agents", "/agents"),
        ("queues", "/queues"),
        ("recommendations", "/recommendations"),
        ("recommendation", "/recommendation?id=queue-limit-1a2b3c"),
        ("elsewhere", "/recommendation?id=policy-4d5e6f"),
        ("changed", "/recommendation?id=changed"),
        ("ledger", "/ledger"),
        ("missing", "/jobs/77"),
    ];
    pictures(&mut browser, &rig, "small", &pages);
    for (_, path) in pages {
        browser.open(&format!("http://{}{path}", rig.address));
        assert_eq!(browser.eval("document.querySelectorAll('main script, main img').length"), json!(0), "{path}");
    }

    // A refresh keeps where one is, and needs no hand.
    browser.open(&format!("http://{}/jobs", rig.address));
    browser.eval("document.querySelector('#w4').focus(); document.querySelector('#live').dataset.old = 'yes'; 1");
    browser.wait("document.querySelector('#live').dataset.old === undefined");
    assert_eq!(browser.eval("document.activeElement.id"), json!("w4"), "a refresh loses no focus");

    // How busy a node was is drawn as far as it is known.
    let drawn = "[...document.querySelectorAll('[data-panel]')].map((place) => place.dataset.drawn).join()";
    for (path, expected) in [(measured.as_str(), "hour,hour,hour"), ("/node?name=..%2F..%2Fn%2F1", "empty,empty,empty")]
    {
        browser.open(&format!("http://{}{path}", rig.address));
        browser.wait(&format!("{drawn} === '{expected}'"));
    }

    // What is written is seen without a hand, as text.
    let log = rig.folder.join("logs/2");
    std::fs::create_dir_all(&log).unwrap();
    browser.open(&format!("http://{}/jobs/2", rig.address));
    std::fs::write(log.join("1.log"), format!("step 7 {}\n", made::HTML)).unwrap();
    browser.wait("document.querySelector('[data-log]').textContent.includes('step 7 <script>')");
    assert_eq!(browser.eval("document.querySelector('[data-log]').children.length"), json!(0));

    // What cannot be taken back is asked about; no means no.
    browser.open(&format!("http://{}/jobs/4", rig.address));
    browser.eval("window.confirm = () => false; document.querySelector('#cancel').click()");
    assert_eq!(rig.heard(), Vec::<String>::new());
    browser.eval("window.confirm = () => true; document.querySelector('#cancel').click()");
    browser.wait("document.readyState === 'complete'");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while rig.heard().is_empty() && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(rig.heard().len(), 1);

    // What is old says so.
    browser.open(&format!("http://{}/jobs", rig.address));
    browser.call(
        "Network.emulateNetworkConditions",
        &json!({"offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}),
    );
    browser.wait("document.querySelector('.stale') !== null");
    browser.call(
        "Network.emulateNetworkConditions",
        &json!({"offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}),
    );
    browser.wait("document.querySelector('.stale') === null");
}

#[test]
fn ten_thousand_devices_are_drawn() {
    if !chromium::is_there() {
        testkit::skip!(testkit::Need::Program, "there is no /usr/bin/chromium: apt-get install chromium");
    }
    let workloads = std::env::var(LARGE_ENV).ok().and_then(|text| text.parse().ok()).unwrap_or(LARGE);
    let rig = Rig::new(|store| made::large(store, workloads));
    let mut browser = begin(&rig);
    for (path, squares) in [("/", 0), ("/jobs", 0), ("/fleet", 10_000)] {
        // As for the first time: nothing is kept from before.
        browser.call("Network.clearBrowserCache", &json!({}));
        browser.open(&format!("http://{}{path}", rig.address));
        if path == "/" {
            browser.wait("document.querySelector('.uplot canvas') !== null");
        }
        browser.wait("performance.getEntriesByName('first-contentful-paint').length === 1");
        let paint = browser.eval("Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime)");
        let bytes = "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).reduce((sum, entry) => sum + entry.transferSize, 0)";
        let bytes = browser.eval(bytes).as_u64().unwrap();
        eprintln!("{path}: first contentful paint after {paint} ms, {bytes} bytes transferred, {workloads} workloads");
        assert!(bytes <= 500_000, "{path}: {bytes} bytes");
        assert_eq!(browser.eval("document.querySelectorAll('.grid b, .grid i, .grid u').length"), json!(squares));
    }
    pictures(
        &mut browser,
        &rig,
        "large",
        &[("overview", "/"), ("jobs", "/jobs"), ("fleet", "/fleet"), ("queues", "/queues")],
    );
}
