//! Whoever asks: what is answered, and that nobody holds up the others.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use feed::serve::{AskError, CLIENTS_MAX, Endpoint, Place, REQUEST_MAX, Told, ask, go_on, hold_still};

use super::{endpoint, folder, loader};

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// All that comes for what is sent.
fn exchange(path: &Path, sent: &[u8]) -> String {
    let mut stream = connect(path);
    // Whoever is refused may be so before all is sent.
    let _sent = stream.write_all(sent);
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}"),
        }
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_report_is_what_the_loader_reports() {
    let folder = folder();
    let loader = loader(folder.path());
    let endpoint = endpoint(&folder.path().join("x.sock"), &loader);
    let told: Told = serde_json::from_str(&ask(endpoint.path(), "/report").unwrap()).unwrap();
    assert_eq!(told.pid, Some(std::process::id()));
    let report = told.report;
    assert_eq!((report.version, report.batches, report.samples, report.threads), (1, 1, 10, 1));
    assert_eq!((report.given.rank, report.given.world_size), (1, 2));
    assert!(report.given.data.ends_with("lines \"1\".txt"), "{}", report.given.data);
    let price = report.stall_cost_per_hour.unwrap();
    let expected = (2_500_000.0 * report.recent.starved).round() as i64;
    assert!((price.micros - expected).abs() <= 3 && price.currency == "EUR", "{price:?}, {expected}");
    // What threads wait for now counts, too: nobody takes batches any more.
    thread::sleep(Duration::from_millis(200));
    let later: Told = serde_json::from_str(&ask(endpoint.path(), "/report").unwrap()).unwrap();
    assert!(later.report.spent.ahead_seconds > report.spent.ahead_seconds + 0.15);
    assert_eq!(later.report.ready, later.report.prefetch);
}

#[test]
fn whatever_is_asked_gets_an_answer() {
    let folder = folder();
    let loader = loader(folder.path());
    let endpoint = endpoint(&folder.path().join("x.sock"), &loader);
    let status = |sent: &[u8]| exchange(endpoint.path(), sent).lines().next().unwrap().to_owned();
    assert_eq!(status(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 200 OK");
    assert_eq!(status(b"GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
    assert_eq!(status(b"POST /report HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(status(b"\x00\xff\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(2 * REQUEST_MAX));
    assert_eq!(status(long.as_bytes()), "HTTP/1.1 431 Request Header Fields Too Large");
    let head = exchange(endpoint.path(), b"HEAD /report HTTP/1.1\r\n\r\n");
    assert!(head.contains("Content-Type: application/json\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_loader_that_has_ended_says_so() {
    let folder = folder();
    let loader = loader(folder.path());
    let endpoint = endpoint(&folder.path().join("x.sock"), &loader);
    drop(loader);
    let answer = exchange(endpoint.path(), b"GET /metrics HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("the loader has ended\n"), "{answer}");
    assert!(matches!(ask(endpoint.path(), "/report"), Err(AskError::Gone)));
}

#[test]
fn while_all_holds_still_whoever_asks_waits_and_an_end_does_not() {
    let folder = folder();
    let loader = loader(folder.path());
    let endpoint = endpoint(&folder.path().join("x.sock"), &loader);
    hold_still();
    let mut waiting = connect(endpoint.path());
    waiting.write_all(b"GET /report HTTP/1.1\r\n\r\n").unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let early = waiting.read(&mut [0; 1]).map_err(|error| error.kind());
    let start = Instant::now();
    // Whoever forks may wait for whoever ends this.
    drop(endpoint);
    let took = start.elapsed();
    go_on();
    assert_eq!(early, Err(ErrorKind::WouldBlock), "no report is made");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn many_clients_are_answered_and_none_holds_up_the_others() {
    let folder = folder();
    let loader = loader(folder.path());
    let endpoint = endpoint(&folder.path().join("x.sock"), &loader);
    let answered = AtomicUsize::new(0);
    // Some never ask, and some ask and never read.
    let idle: Vec<UnixStream> = (0..CLIENTS_MAX / 2).map(|_| connect(endpoint.path())).collect();
    let unread = connect(endpoint.path());
    (&unread).write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert!(ask(endpoint.path(), "/metrics").unwrap().contains("trimtab_feed_samples_total{"));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(answered.into_inner(), 200);
    assert!(start.elapsed() < Duration::from_secs(5), "nobody waited until the idle ones were let go of");

    // One too many is told so, and there is room again when the others are gone.
    let more: Vec<UnixStream> = (0..CLIENTS_MAX / 2).map(|_| connect(endpoint.path())).collect();
    let busy = exchange(endpoint.path(), b"");
    assert!(busy.starts_with("HTTP/1.1 503 ") && busy.ends_with("ask again\n"), "{busy}");
    drop((idle, more, unread));
    let deadline = Instant::now() + Duration::from_secs(3);
    while !matches!(ask(endpoint.path(), "/health").as_deref(), Ok("ok\n")) {
        assert!(Instant::now() < deadline, "there is room again");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_client_that_never_asks_or_never_reads_is_let_go_of() {
    let folder = folder();
    let answer = "x".repeat(4 << 20);
    // A report that is larger than what the system holds for a client that does not read.
    let loader = loader(folder.path());
    let report = loader.report();
    let large = move || {
        let mut report = report.clone();
        report.given.data.clone_from(&answer);
        Some(report)
    };
    let endpoint = Endpoint::open(&Place::of(&folder.path().join("x.sock")), large).unwrap();
    let mut silent = connect(endpoint.path());
    let unread = connect(endpoint.path());
    (&unread).write_all(b"GET /report HTTP/1.1\r\n\r\n").unwrap();
    let mut said = String::new();
    silent.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{said}");
    thread::sleep(Duration::from_millis(500));
    // What was sent can be read; the rest never comes.
    let mut got = Vec::new();
    let _ended = (&unread).read_to_end(&mut got);
    assert!(got.starts_with(b"HTTP/1.1 200 OK") && got.len() < 4 << 20, "{}", got.len());
    let start = Instant::now();
    drop(connect(endpoint.path()));
    drop(endpoint);
    assert!(start.elapsed() < Duration::from_secs(2), "nobody is waited for at the end");
    drop(Arc::clone(&loader));
}
