//! The page of files with hostile names in them.

use ::diagnose::drawing::{Kind, Lane, Mark, Segment, Tone};
use fleet::finding::{Evidence, Finding};

use super::super::{Figures, LeftOut};
use super::*;

const HOSTILE: &str = "</script><script>alert(1)</script>";

fn drawing(segments: usize) -> Drawing {
    let segment = Segment { kind: 0, start: 1.0, length: 0.123_456, bottom: 0, top: 100 };
    Drawing {
        title: HOSTILE.to_owned(),
        unit: "ms",
        from: 0.0,
        to: 10.0,
        kinds: vec![Kind { name: HOSTILE.to_owned(), tone: Tone::Work }],
        lanes: vec![Lane { group: HOSTILE.to_owned(), name: HOSTILE.to_owned(), segments: vec![segment; segments] }],
        marks: vec![Mark { lane: 0, from: 1.0, to: 2.0, label: HOSTILE.to_owned() }],
        notes: vec![HOSTILE.to_owned()],
    }
}

fn diagnosed(drawing: Drawing) -> Diagnosed {
    let evidence = Evidence::new(HOSTILE, 1.0, HOSTILE).beside(HOSTILE, 2.0);
    let advice = vec![HOSTILE.to_owned()];
    Diagnosed {
        file: HOSTILE.to_owned(),
        kind: "kineto",
        about: HOSTILE.to_owned(),
        findings: vec![Finding { evidence: vec![evidence], advice, ..Finding::new("rule", HOSTILE) }],
        left_out: LeftOut { count: 0, first: Vec::new() },
        figures: Figures::Steps(Vec::new()),
        picture: Some(Picture::Drawing(Box::new(drawing))),
        record: None,
    }
}

#[test]
fn names_are_escaped_and_nothing_is_loaded_from_elsewhere() {
    let page = render(&[diagnosed(drawing(1)), diagnosed(drawing(1))]);
    assert!(!page.contains(HOSTILE));
    // Two timelines with their data, and the script that draws them.
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script>").count(), 3);
    assert!(page.contains(r#"["\u003c/script>\u003cscript>alert(1)\u003c/script>","#), "within the data of a timeline");
    for forbidden in ["src=", "url(", "http:", "https:", "@import"] {
        assert!(!page.contains(forbidden), "the page has {forbidden}");
    }
    assert_eq!(page.matches("href=").count(), page.matches("href=\"#").count(), "links stay within the page");
}

#[test]
fn the_policy_lets_one_script_run() {
    let page = render(&[]);
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let hash = policy.split("sha256-").nth(1).unwrap().split('&').next().unwrap().split('\'').next().unwrap();
    assert_eq!(hash, base64(&Sha256::digest(script)));
}

#[test]
fn a_page_has_so_many_segments() {
    let page = render(&[diagnosed(drawing(200_000)), diagnosed(drawing(50_000)), diagnosed(drawing(1))]);
    assert_eq!(page.matches("data-timeline=").count(), 1);
    assert_eq!(page.matches("Not drawn").count(), 2);
    assert!(page.contains("0,1,0.123,0,100,0,1,0.123,0,100"));
}

#[test]
fn base64_is_that_of_the_standard() {
    for (bytes, expected) in [("", ""), ("f", "Zg=="), ("on", "b24="), ("one", "b25l"), ("ones", "b25lcw==")] {
        assert_eq!(base64(bytes.as_bytes()), expected);
    }
}
