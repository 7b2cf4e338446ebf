//! Which loaders are found, and what is told of several.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use serde_json::json;

use super::{Answering, check, command, decoding, folder, with};

#[test]
fn of_several_the_one_is_explained_whose_consumer_waits_most() {
    let folder = folder();
    let place = folder.path().to_str().unwrap();
    let little = Answering::at(folder.path(), &with(decoding(), json!({"rank": 0, "recent": {"starved": 0.1}})));
    let most = Answering::at(folder.path(), &decoding());
    // A dead process's, which is nobody's any more.
    drop(UnixListener::bind(folder.path().join("999999999-0.sock")).unwrap());
    fs::write(folder.path().join("note.txt"), "").unwrap();
    let pid = std::process::id().to_string();
    for arguments in [&["explain", place][..], &["explain", place, "--pid", &pid]] {
        let text = check(&command(arguments).output().unwrap(), 0, "");
        let rows: Vec<&str> = text.lines().skip(2).take(2).collect();
        assert!(rows[0].ends_with(most.socket()) && rows[1].ends_with(little.socket()), "{text}");
        let head = format!("\nThe first, whose consumer waits most:\n\nProcess {pid}, rank 1 of 8\n");
        assert!(text.contains(&head) && text.contains("waits 40 % of its time"), "{text}");
    }
    let by_number = command(&["explain", &pid]).env("TRIMTAB_METRICS_DIR", folder.path()).output().unwrap();
    assert!(check(&by_number, 0, "").contains("The first, whose consumer waits most"));
    let alone = check(&command(&["explain", little.socket()]).output().unwrap(), 0, "");
    assert!(alone.starts_with(&format!("Process {pid}, rank 0 of 8\n")), "{alone}");

    let output = command(&["watch", place]).output().unwrap();
    let list = check(&output, 2, "error: 2 loaders answer: name one by its socket");
    assert!(list.contains(most.socket()) && list.contains(little.socket()), "{list}");
}

#[test]
fn metrics_of_several_are_printed_together() {
    let folder = folder();
    let _first = Answering::at(folder.path(), &decoding());
    let _second = Answering::at(folder.path(), &with(decoding(), json!({"rank": 2, "samples": 7})));
    let output = command(&["metrics"]).env("TRIMTAB_METRICS_DIR", folder.path()).output().unwrap();
    let text = check(&output, 0, "");
    let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("trimtab_feed_samples_total{")).collect();
    assert!(
        samples.len() == 2 && samples[0].ends_with("rank=\"1\"} 64000") && samples[1].ends_with("rank=\"2\"} 7"),
        "{text}"
    );
    assert_eq!(text.matches("# TYPE trimtab_feed_samples_total counter").count(), 1);
}

#[test]
fn one_that_is_silent_is_told_and_does_not_hide_the_others() {
    let folder = folder();
    let silent = folder.path().join("1-0.sock");
    let _listener = UnixListener::bind(&silent).unwrap();
    let _answering = Answering::at(folder.path(), &decoding());
    let output = command(&["explain", folder.path().to_str().unwrap()]).output().unwrap();
    let note = format!("note: {}: it does not answer within 3 s: is its process stopped?", silent.display());
    assert!(check(&output, 0, &note).contains("Decoding: threads spend"));
}

#[test]
fn prometheus_is_answered_with_whatever_runs_then() {
    let folder = folder();
    let place = folder.path().to_str().unwrap();
    let listening = &["metrics", place, "--listen", "127.0.0.1:0"];
    let mut child = command(listening).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
    let address = said.trim().strip_prefix("metrics: http://").unwrap().strip_suffix("/metrics").unwrap().to_owned();
    let ask = |sent: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    // One that never asks holds up nobody.
    let _idle = TcpStream::connect(&address).unwrap();
    let none = ask("GET /metrics HTTP/1.1\r\n\r\n");
    assert!(none.starts_with("HTTP/1.1 200 OK\r\n") && none.ends_with("\r\n\r\n"), "{none}");
    let loader = Answering::at(folder.path(), &decoding());
    let one = ask("GET /metrics HTTP/1.1\r\n\r\n");
    assert!(one.contains("text/plain; version=0.0.4") && one.contains("rank=\"1\"} 64000\n"), "{one}");
    drop(loader);
    assert_eq!(ask("GET /metrics HTTP/1.1\r\n\r\n"), none);
    assert!(ask("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(ask("DELETE /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    child.kill().unwrap();
    child.wait().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let expected = format!("error: cannot listen at {taken}: address already in use");
    check(&command(&["metrics", "--listen", &taken]).output().unwrap(), 1, &expected);
    let output = command(&["metrics", place]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "without --listen, that there is none is to be told");
}
