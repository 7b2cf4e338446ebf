//! The page that `trimtab diagnose --html` writes, in a real browser. Pictures are kept under `target/tmp/diagnosis`, to be looked at.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

#[path = "../../server/tests/dashboard/chromium.rs"]
mod chromium;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::chromium::Chromium;

/// Two stages, two data-parallel ranks and two steps of a pipeline without transfers: the second rank is slow.
fn operations() -> String {
    let mut table = "dp_rank,stage,rank,step,optype,start_ts,duration,seq_id,mc,gmc\n".to_owned();
    for (step, dp_rank) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (begin, factor) = (100.0 * f64::from(step), f64::from(1 + dp_rank));
        for batch in 0..50 {
            let at = begin + 0.3 * factor * f64::from(batch);
            let _ = writeln!(table, "{dp_rank},0,{dp_rank},{step},forward-compute,{at},{},{batch},0,0", 0.1 * factor);
            let at = at + 0.1 * factor;
            let _ = writeln!(table, "{dp_rank},0,{dp_rank},{step},backward-compute,{at},{},{batch},0,0", 0.2 * factor);
        }
        let at = begin + 15.0 * factor;
        let _ = writeln!(table, "{dp_rank},0,{dp_rank},{step},grads-reduce-scatter,{at},{},0,0,-1", begin + 30.5 - at);
        let _ = writeln!(table, "{dp_rank},0,{dp_rank},{step},optimizer,{},0.25,0,-1,-1", begin + 30.5);
    }
    table
}

/// A page, and a browser that has it open.
struct Opened {
    browser: Chromium,
    folder: PathBuf,
}

fn opened(test: &str, files: &[(&str, String)]) -> Opened {
    let folder = std::env::temp_dir().join(format!("trimtab-page-{}-{test}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let page = folder.join("page.html");
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
    command.args(["diagnose", "--html"]).arg(&page);
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
        command.arg(folder.join(name));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut browser = Chromium::start(folder.join("browser"));
    browser.look(1280, 900, "light");
    browser.open(&format!("file://{}", page.display()));
    browser.wait("[...document.querySelectorAll('[data-timeline]')].every((place) => place.dataset.drawn > 0)");
    Opened { browser, folder }
}

impl Opened {
    /// What the first timeline shows: from, to, and how many segments.
    fn shown(&mut self) -> (f64, f64, f64) {
        // Drawing waits for the next frame.
        self.browser.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        let place = "document.querySelector('[data-timeline]').dataset";
        let told = self.browser.eval(&format!("[{place}.from, {place}.to, {place}.drawn].map(Number)"));
        let told: Vec<f64> = told.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        (told[0], told[1], told[2])
    }

    /// A place on the first timeline, in shares of its width right of the names.
    fn at(&mut self, share: f64) -> (f64, f64) {
        let edge = "document.querySelector('.lanes').getBoundingClientRect()";
        self.browser.eval("document.querySelector('.lanes').scrollIntoView({block: 'center'})");
        let left = self.browser.eval(&format!("{edge}.left + Math.min(190, Math.round({edge}.width * 0.3))"));
        let (left, right) = (left.as_f64().unwrap(), self.browser.eval(&format!("{edge}.right")).as_f64().unwrap());
        let y = self.browser.eval(&format!("{edge}.top + 35")).as_f64().unwrap();
        (left + share * (right - left), y)
    }

    fn mouse(&mut self, kind: &str, (x, y): (f64, f64), more: Value) {
        let mut event = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.browser.call("Input.dispatchMouseEvent", &event);
    }

    fn key(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.browser.call("Input.dispatchKeyEvent", &json!({"type": kind, "key": key}));
        }
    }

    fn touch(&mut self, kind: &str, points: &[(f64, f64)]) {
        let points: Vec<Value> =
            points.iter().enumerate().map(|(id, (x, y))| json!({"x": x, "y": y, "id": id})).collect();
        self.browser.call("Input.dispatchTouchEvent", &json!({"type": kind, "touchPoints": points}));
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

fn close(value: f64, expected: f64, whole: f64) {
    assert!((value - expected).abs() < 0.01 * whole, "{value}, expected {expected}");
}

#[test]
fn a_timeline_is_zoomed_and_moved() {
    if !chromium::is_there() {
        testkit::skip!(testkit::Need::Program, "there is no /usr/bin/chromium: apt-get install chromium");
    }
    let mut page = opened("zoom", &[("operations.csv", operations())]);
    let (from, whole, all) = page.shown();
    assert_eq!((from, whole, all), (0.0, 30_750.0, 2.0 * 2.0 * 102.0));

    // The wheel: what is under the pointer stays there.
    let quarter = page.at(0.25);
    page.mouse("mouseMoved", quarter, json!({"buttons": 0}));
    page.mouse("mouseWheel", quarter, json!({"deltaX": 0, "deltaY": -500}));
    let (from, to, drawn) = page.shown();
    close(to - from, whole * (-1_f64).exp(), whole);
    close(from + 0.25 * (to - from), 0.25 * whole, whole);
    assert!(drawn < all, "{drawn} of {all}");
    let seen = page.browser.eval("document.querySelector('[data-seen]').textContent");
    assert!(seen.as_str().unwrap().ends_with("of 0.00 s to 30.75 s"), "{seen}");

    // Dragging takes what is under the pointer along.
    let (start, end) = (page.at(0.5), page.at(0.25));
    page.mouse("mousePressed", start, json!({}));
    page.mouse("mouseMoved", end, json!({}));
    page.mouse("mouseReleased", end, json!({}));
    close(page.shown().0, from + 0.25 * (to - from), whole);

    // By keyboard, and by buttons.
    page.browser.eval("document.querySelector('.lanes').focus()");
    page.key("0");
    close(page.shown().1 - page.shown().0, whole, whole);
    page.key("+");
    page.key("ArrowRight");
    let (from, to, _) = page.shown();
    close(from, 0.35 * whole, whole);
    close(to, 0.85 * whole, whole);
    page.browser.eval("document.querySelector('[aria-label=\"Zoom out\"]').click()");
    page.browser.eval("document.querySelector('[aria-label=\"Zoom out\"]').click()");
    close(page.shown().1, whole, whole);

    // Two fingers, put down at places that they keep.
    let (one, other, apart) = (page.at(0.4), page.at(0.6), (page.at(0.2), page.at(0.8)));
    page.touch("touchStart", &[one, other]);
    page.touch("touchMove", &[apart.0, apart.1]);
    page.touch("touchEnd", &[]);
    let (from, to, _) = page.shown();
    close(to - from, whole / 3.0, whole);

    // What lies under the pointer is told.
    page.key("0");
    let first = page.at(0.002);
    page.mouse("mouseMoved", first, json!({"buttons": 0}));
    let told = page.browser.eval("document.querySelector('[data-under]').textContent");
    assert_eq!(told, json!("dp 0, stage 0 (rank 0), as recorded: forward-compute, 0.00 s, for 0.10 s"));
}

#[test]
fn the_page_looks_right_everywhere() {
    if !chromium::is_there() {
        testkit::skip!(testkit::Need::Program, "there is no /usr/bin/chromium: apt-get install chromium");
    }
    let hostile = "</script><img src=x onerror=alert(1)>";
    let steps = (0..200).map(|cell| format!("{},{},{}", cell / 40, cell % 40, if cell > 170 { 9 } else { 5 }));
    let steps = steps.fold("worker,step,seconds\n".to_owned(), |table, row| table + &row + "\n");
    let dump = format!(
        r#"{{"pg_config": {{"7": {{"desc": "{hostile}", "ranks": "[0, 1]"}}}}, "entries": [{{"process_group": ["7", ""],
        "collective_seq_id": 3, "profiling_name": "nccl:{hostile}", "state": "scheduled"}}]}}"#
    );
    let other = r#"{"pg_config": {"7": {"desc": "", "ranks": "[0, 1]"}}, "entries": []}"#.to_owned();
    let files = [("operations.csv", operations()), ("steps.csv", steps), ("dump_0.json", dump), ("dump_1.json", other)];
    let mut page = opened("looks", &files);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diagnosis");
    fs::create_dir_all(&folder).unwrap();
    for (look, width, height, scheme) in [
        ("light", 1280, 1600, "light"),
        ("dark", 1280, 1600, "dark"),
        ("phone", 390, 844, "light"),
        ("paper", 794, 1123, "paper"),
    ] {
        page.browser.look(width, height, scheme);
        page.shown();
        let over = page.browser.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(over, json!(0), "the page is wider than {width}");
        page.browser.picture(&folder.join(format!("{look}.png")));
    }
    assert_eq!(page.browser.eval("window.refused"), json!([]));
    assert_eq!(page.browser.eval("document.querySelectorAll('img').length"), json!(0));
    assert_eq!(page.browser.eval("document.querySelectorAll('[data-timeline]').length"), json!(2));
    let behind = "document.querySelector('.matrix .behind').textContent";
    assert_eq!(page.browser.eval(behind), json!("nothingdid not come"));
}
