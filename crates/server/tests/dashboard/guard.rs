//! Who is let in, and what is refused.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::http::{get, post, send, sign_in};
use crate::made;
use crate::rig::{OPERATE, Rig, VIEW};

#[test]
fn a_browser_without_a_token_is_sent_to_sign_in_and_a_program_is_told() {
    let rig = Rig::new(|_| {});
    let page = send(&rig, "GET", "/jobs?state=waiting", &[("accept", "text/html")], "");
    assert_eq!((page.status, page.header("location")), (303, Some("/login?next=%2Fjobs%3Fstate%3Dwaiting")));
    let part = send(&rig, "GET", "/jobs", &[("hx-request", "true")], "");
    assert_eq!((part.status, part.header("hx-redirect")), (401, Some("/login")));
    for path in ["/api/v1/workloads", "/api/v1/health", "/course.json?window=day"] {
        let api = send(&rig, "GET", path, &[], "");
        assert_eq!((api.status, api.header("www-authenticate")), (401, Some("Bearer")), "{path}");
        assert!(api.body.contains("a token is needed"));
    }
    assert_eq!(send(&rig, "GET", "/api/v1/workloads", &[("accept", "text/html")], "").status, 401);
}

#[test]
fn signing_in_begins_a_session_whose_cookie_scripts_and_other_sites_cannot_use() {
    let rig = Rig::new(|_| {});
    let wrong = post(&rig, "/login", "", "token=nonsense&next=%2Fjobs");
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    let right = post(&rig, "/login", "", &format!("token={OPERATE}&next=%2Fjobs"));
    assert_eq!((right.status, right.header("location")), (303, Some("/jobs")));
    let cookie = right.header("set-cookie").unwrap();
    assert!(cookie.starts_with("trimtab_session=") && !cookie.contains(OPERATE), "{cookie}");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"), "{cookie}");
    let elsewhere = post(&rig, "/login", "", &format!("token={OPERATE}&next=%2F%2Felsewhere.example"));
    assert_eq!(elsewhere.header("location"), Some("/"));
}

#[test]
fn a_session_ends_when_it_is_signed_out_or_signed_in_anew_and_no_cookie_holds_a_token() {
    let rig = Rig::new(|_| {});
    let page = |cookie: &str| send(&rig, "GET", "/jobs", &[("cookie", cookie), ("accept", "text/html")], "").status;
    let (first, second) = (sign_in(&rig, OPERATE), sign_in(&rig, OPERATE));
    assert_eq!((page(&first), page(&second)), (200, 200));
    let out = post(&rig, "/logout", &first, "");
    assert!(out.status == 303 && out.header("set-cookie").unwrap().contains("trimtab_session=; Path=/; Max-Age=0"));
    assert_eq!((page(&first), page(&second)), (303, 200), "a session that is over is of no use to anybody");
    let anew = post(&rig, "/login", &second, &format!("token={OPERATE}"));
    assert_eq!((anew.status, page(&second)), (303, 303));
    for cookie in [format!("trimtab_session={OPERATE}"), format!("trimtab_token={OPERATE}")] {
        assert_eq!(page(&cookie), 303, "{cookie}");
        let api = send(&rig, "GET", "/api/v1/workloads", &[("cookie", &cookie)], "");
        assert_eq!(api.status, 401, "{cookie}");
    }
}

#[test]
fn whoever_is_not_signed_in_any_more_is_told_so_and_nobody_else() {
    let rig = Rig::new(|_| {});
    let told = |cookie: &str| {
        let page = send(&rig, "GET", "/login", &[("cookie", cookie), ("accept", "text/html")], "");
        (page.status, page.body.contains("You were signed out"))
    };
    let earlier = sign_in(&Rig::new(|_| {}), OPERATE);
    assert_eq!(told(&earlier), (200, true), "the session of a server that is gone");
    for cookie in ["", "trimtab_session=", "other=1", &sign_in(&rig, OPERATE)] {
        assert_eq!(told(cookie), (200, false), "{cookie}");
    }
}

#[test]
fn too_many_wrong_tokens_are_told_to_wait_and_who_is_signed_in_goes_on() {
    let rig = Rig::new(|_| {});
    let cookie = sign_in(&rig, OPERATE);
    let attempt = |token: &str| post(&rig, "/login", "", &format!("token={token}"));
    for _ in 0..10 {
        assert_eq!(attempt("nonsense").status, 401);
    }
    for token in ["nonsense", OPERATE] {
        let later = attempt(token);
        assert_eq!((later.status, later.header("set-cookie")), (429, None));
        let seconds: u64 = later.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds) && later.body.contains(&format!("try again in {seconds} s")));
    }
    assert_eq!(send(&rig, "GET", "/jobs", &[("cookie", &cookie)], "").status, 200);
    let bearer = format!("Bearer {OPERATE}");
    assert_eq!(send(&rig, "GET", "/api/v1/health", &[("authorization", &bearer)], "").status, 200);
}

#[test]
fn a_stranger_who_dawdles_over_a_form_is_cut_off() {
    let rig = Rig::new(|_| {});
    let mut stream = TcpStream::connect(rig.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let form = "content-type: application/x-www-form-urlencoded\r\ncontent-length: 100";
    let head = format!("POST /login HTTP/1.1\r\nhost: {}\r\n{form}\r\n\r\ntoken=", rig.address);
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 1_024];
    let read = stream.read(&mut answer).expect("it is answered in time");
    assert!(answer[..read].starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
}

#[test]
fn what_is_no_http_gets_a_bare_status_and_an_end() {
    let rig = Rig::new(|_| {});
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(100_000));
    let header = format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "x".repeat(300_000));
    for (text, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nno header\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", "400"),
        (long.as_str(), "414"),
        (header.as_str(), "431"),
    ] {
        let mut stream = TcpStream::connect(rig.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // It may hang up before it was told all.
        drop(stream.write_all(text.as_bytes()));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8_lossy(&answer);
        let shown = &text[..text.len().min(40)];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{shown}: {answer}");
    }
}

#[test]
fn another_host_or_site_is_refused_wherever_it_asks() {
    let rig = Rig::new(made::hostile);
    let cookie = sign_in(&rig, OPERATE);
    for path in ["/", "/login", "/assets/x", "/api/v1/health"] {
        let answer = send(&rig, "GET", path, &[("host", "evil.example"), ("cookie", &cookie)], "");
        assert_eq!(answer.status, 421, "{path}");
    }
    let form = "application/x-www-form-urlencoded";
    made::recommended(&rig.folder);
    for path in [
        "/jobs/4/cancel",
        "/node/drain",
        "/recommendation/apply",
        "/ledger/undo",
        "/login",
        "/logout",
        "/api/v1/workloads/4/cancel",
        "/api/v1/recommendations/queue-limit-1a2b3c/apply",
    ] {
        for (name, value) in [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            let headers = [("cookie", cookie.as_str()), ("content-type", form), (name, value)];
            assert_eq!(
                send(&rig, "POST", path, &headers, "id=queue-limit-1a2b3c").status,
                403,
                "{path} {name}: {value}"
            );
        }
    }
    assert_eq!((rig.heard(), rig.reader.consents().unwrap().len()), (Vec::<String>::new(), 0));
}

#[test]
fn whoever_may_only_look_changes_nothing_and_sees_no_buttons() {
    let rig = Rig::new(made::hostile);
    let cookie = sign_in(&rig, VIEW);
    assert_eq!(post(&rig, "/jobs/4/cancel", &cookie, "").status, 403);
    let page = send(&rig, "GET", "/jobs/4", &[("cookie", &cookie), ("accept", "text/html")], "");
    assert!(page.status == 200 && !page.body.contains("/cancel") && page.body.contains("&lt;b&gt;eve&lt;/b&gt;"));
    assert_eq!(rig.heard(), Vec::<String>::new());
    assert_eq!(post(&rig, "/logout", &cookie, "").status, 303, "signing out is no change");
}

#[test]
fn what_is_posted_is_done_and_the_page_comes_back() {
    let rig = Rig::new(made::hostile);
    let cookie = sign_in(&rig, OPERATE);
    for (path, body, heard, next) in [
        ("/jobs/4/cancel", "", "Cancel { workload: WorkloadId(4), by: \"ada\" }", "/jobs/4"),
        ("/jobs/2/requeue", "", "Preempt { workload: WorkloadId(2), by: \"ada\" }", "/jobs/2"),
        (
            "/node/drain",
            "name=..%2F..%2Fn%2F1",
            "Drain { node: \"../../n/1\", by: \"ada\" }",
            "/node?name=..%2F..%2Fn%2F1",
        ),
        ("/node/resume", "name=%3Cb%3E", "Resume { node: \"<b>\", by: \"ada\" }", "/node?name=%3Cb%3E"),
    ] {
        let answer = post(&rig, path, &cookie, body);
        assert_eq!((answer.status, answer.header("location")), (303, Some(next)), "{path}");
        assert_eq!(rig.heard().last().map(String::as_str), Some(heard));
    }
}

#[test]
fn bad_requests_are_told_so_and_nothing_is_done() {
    let rig = Rig::new(made::hostile);
    let cookie = sign_in(&rig, OPERATE);
    let status = |method: &str, path: &str, body: &str| match method {
        "GET" => get(&rig, path).status,
        _ => post(&rig, path, &cookie, body).status,
    };
    for (method, path, body, expected) in [
        ("GET", "/jobs?colour=red", "", 400),
        ("GET", "/jobs?state=nonsense", "", 400),
        ("GET", "/jobs?before=x", "", 400),
        ("GET", "/jobs/x", "", 400),
        ("GET", "/jobs/99", "", 404),
        ("GET", "/jobs/-1", "", 400),
        ("GET", "/jobs/4294967296", "", 400),
        ("GET", "/node?name=none", "", 404),
        ("GET", "/node", "", 400),
        ("GET", "/course.json?window=year", "", 400),
        ("GET", "/nothing", "", 404),
        ("GET", "/assets/..%2f..%2fCargo.toml", "", 404),
        ("GET", "/assets/../Cargo.toml", "", 404),
        ("GET", "/jobs/..%2f..%2ftoken", "", 400),
        ("GET", "/jobs/4/cancel", "", 405),
        ("POST", "/jobs", "", 405),
        ("POST", "/jobs/x/cancel", "", 400),
        ("POST", "/node/drain", "name=a&colour=red", 422),
        ("POST", "/node/drain", "", 422),
        ("POST", "/login", "token=x&colour=red", 422),
        ("GET", "/recommendation", "", 400),
        ("GET", "/recommendation?id=none", "", 404),
        ("GET", "/recommendation/apply", "", 405),
        ("POST", "/recommendation/apply", "id=none", 404),
        ("POST", "/recommendation/apply", "id=a&colour=red", 422),
        ("POST", "/ledger/undo", "consent=1", 404),
        ("POST", "/ledger/undo", "consent=x", 422),
    ] {
        assert_eq!(status(method, path, body), expected, "{method} {path} {body}");
    }
    let json = [("content-type", "application/json"), ("authorization", &*format!("Bearer {OPERATE}"))];
    let unknown = r#"{"workloads":[{"command":["true"],"directory":"/","colour":"red"}]}"#;
    assert_eq!(send(&rig, "POST", "/api/v1/workloads", &json, unknown).status, 422);
    assert_eq!(rig.heard(), Vec::<String>::new());
}

#[test]
fn a_body_of_100_mb_is_refused() {
    let rig = Rig::new(|_| {});
    let body = " ".repeat(100_000_000);
    let json = [("content-type", "application/json"), ("authorization", &*format!("Bearer {OPERATE}"))];
    assert_eq!(send(&rig, "POST", "/api/v1/workloads", &json, &body).status, 413);
    assert_eq!(post(&rig, "/login", "", &body).status, 413);
    assert_eq!(rig.heard(), Vec::<String>::new());
}
