//! When a workload is expected to start: told after its page is there, without holding anybody up.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::browser::begin;
use crate::chromium;
use crate::http::{get, send, sign_in};
use crate::made;
use crate::rig::{Looks, OPERATE, Rig};

#[test]
fn it_is_told_with_scripts_and_without() {
    let rig = Rig::new(made::hostile);
    let page = get(&rig, "/jobs/4").body;
    assert!(page.contains("href=\"/jobs/4/start\"") && page.contains("When is it expected to start?"), "{page}");
    assert!(!get(&rig, "/jobs/2").body.contains("/jobs/2/start"), "it runs");
    *rig.looks.lock().unwrap() = Looks::Waits;
    let whole = get(&rig, "/jobs/4/start").body;
    assert!(
        whole.contains("<html") && whole.contains("Expected to start in about") && whole.contains("(80 %: "),
        "{whole}"
    );
    let headers = [("cookie", &*sign_in(&rig, OPERATE)), ("hx-request", "true")];
    let part = send(&rig, "GET", "/jobs/4/start", &headers, "").body;
    assert!(part.starts_with("Expected to start in about"), "{part}");
    assert_eq!(get(&rig, "/jobs/x/start").status, 400);
}

#[test]
fn whoever_asks_is_not_kept_waiting() {
    let rig = Rig::new(made::hostile);
    *rig.looks.lock().unwrap() = Looks::Withheld(Vec::new());
    let begun = Instant::now();
    let busy = std::thread::scope(|threads| {
        let asked: Vec<_> = (0..5).map(|_| threads.spawn(|| get(&rig, "/jobs/4/start").body)).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).filter(|body| body.contains("others ask too")).count()
    });
    assert_eq!(busy, 5);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // One was waited for; the others had no turn. (The look that is had again and again is the other.)
    let Looks::Withheld(kept) = &*rig.looks.lock().unwrap() else { panic!("nothing was told") };
    assert!(kept.len() <= 2, "{} looks at a time", kept.len());
}

#[test]
fn the_page_is_there_before_and_keeps_what_was_told() {
    if !chromium::is_there() {
        testkit::skip!(testkit::Need::Program, "there is no /usr/bin/chromium: apt-get install chromium");
    }
    let rig = Rig::new(made::hostile);
    *rig.looks.lock().unwrap() = Looks::Waits;
    let mut browser = begin(&rig);
    browser.open(&format!("http://{}/jobs/4", rig.address));
    browser.wait("document.querySelector('#start').textContent.startsWith('Expected to start in about')");
    browser.picture(&std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dashboard/small-start-light.png"));
    // A refresh of the rest asks no more.
    let asked =
        "performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/jobs/4/start')).length";
    assert_eq!(browser.eval(asked), json!(1));
    browser.eval("document.querySelector('#live').dataset.old = 'yes'; 1");
    browser.wait("document.querySelector('#live').dataset.old === undefined");
    assert_eq!(
        browser.eval("document.querySelector('#start').textContent.startsWith('Expected to start')"),
        json!(true)
    );
    assert_eq!(browser.eval(asked), json!(1));
    browser.eval("htmx.trigger('#start', 'tock'); 1");
    browser.wait(&format!("{asked} === 2"));
    assert_eq!(browser.eval("window.refused"), json!([]));
}
