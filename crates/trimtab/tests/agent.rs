//! `trimtab agent` as a person meets it, beside an exporter and a neuron-monitor that answer on this machine.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// It has so long for each thing that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// An exporter of one device, which is too hot from the first; it closes connections without a word once it is to be silent.
struct Exporter {
    port: u16,
    asked: Arc<AtomicU32>,
    is_silent: Arc<AtomicBool>,
}

impl Exporter {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, is_silent) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, silent) = (Arc::clone(&asked), Arc::clone(&is_silent));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                if silent.load(Ordering::SeqCst) {
                    continue;
                }
                let mut head = [0; 4_096];
                let length = stream.read(&mut head).unwrap_or(0);
                assert!(head[..length].starts_with(b"GET /metrics HTTP/1.1\r\n"));
                let body = "DCGM_FI_DEV_GPU_UTIL{gpu=\"3\"} 98\nDCGM_FI_DEV_GPU_TEMP{gpu=\"3\"} 91\nDCGM_FI_DEV_CLOCKS_EVENT_REASONS{gpu=\"3\"} 32\n";
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _gone = stream.write_all((head + body).as_bytes());
            }
        });
        Self { port, asked, is_silent }
    }
}

/// The agent, and what it says.
struct Agent {
    child: Child,
    found: Receiver<Value>,
    notes: Receiver<String>,
}

impl Agent {
    fn start(folder: &std::path::Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trimtab"))
            .args(["agent", "--format", "json", "--steps"])
            .arg(folder.join("s"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, found) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| tell.send(serde_json::from_str(&line).unwrap()))
        });
        let (tell, notes) = channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, found, notes }
    }

    /// The findings of these rules, in this order, once all of them have begun.
    fn opened<const COUNT: usize>(&self, rules: [&str; COUNT]) -> [Value; COUNT] {
        let until = Instant::now() + PATIENCE;
        let mut opened = Vec::new();
        loop {
            let found = rules.map(|rule| opened.iter().find(|finding: &&Value| finding["rule"] == rule).cloned());
            if found.iter().all(Option::is_some) {
                return found.map(Option::unwrap);
            }
            let wait = until.saturating_duration_since(Instant::now());
            let line = self.found.recv_timeout(wait).unwrap_or_else(|_| panic!("{rules:?}: only {opened:?}"));
            if line["change"] == "opened" {
                opened.push(line["finding"].clone());
            }
        }
    }

    fn note(&self, part: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            let wait = until.saturating_duration_since(Instant::now());
            let line = self.notes.recv_timeout(wait).unwrap_or_else(|_| panic!("no note with {part:?}"));
            if line.contains(part) {
                return;
            }
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

#[test]
fn devices_that_programs_beside_it_tell_of_are_watched() {
    let folder = tempfile::Builder::new().prefix("t").tempdir().unwrap();
    let exporter = Exporter::new();
    let monitor = folder.path().join("neuron-monitor");
    let line = r#"{"system_data":{"neuron_hw_counters":{"neuron_devices":[{"neuron_device_index":2,"mem_ecc_uncorrected":1}]}}}"#;
    std::fs::write(&monitor, format!("#!/bin/sh\nwhile echo '{line}'; do sleep 1; done\n")).unwrap();
    std::fs::set_permissions(&monitor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let url = format!("http://127.0.0.1:{}/metrics", exporter.port);
    let agent = Agent::start(folder.path(), &["--exporter", &url, "--neuron-monitor", monitor.to_str().unwrap()]);

    let [errors, hot] = agent.opened(["memory-errors", "thermal-throttle"]);
    assert_eq!(errors["places"][0]["name"], "neuron-2", "{errors}");
    assert_eq!((&hot["places"][0]["kind"], &hot["places"][0]["name"]), (&"gpu".into(), &"3".into()), "{hot}");
    assert!(hot["evidence"].to_string().contains("91"), "{hot}");

    exporter.is_silent.store(true, Ordering::SeqCst);
    agent.note("does not answer, and what it told is unknown until it does");
    // It is asked again and again, and told of once.
    let asked = exporter.asked.load(Ordering::SeqCst);
    while exporter.asked.load(Ordering::SeqCst) < asked + 2 {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(agent.notes.try_iter().all(|note| !note.contains("does not answer")));
    exporter.is_silent.store(false, Ordering::SeqCst);
    agent.note("answers");
}

#[test]
fn an_exporter_of_another_machine_is_refused_unless_it_is_asked_for() {
    let agent = Command::new(env!("CARGO_BIN_EXE_trimtab"))
        .args(["agent", "--exporter", "http://10.0.0.7:9400/"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&agent.stderr);
    assert_eq!(agent.status.code(), Some(2), "{told}");
    assert!(
        told.contains("--exporter `http://10.0.0.7:9400/` is not on loopback")
            && told.contains("--exporters-elsewhere"),
        "{told}"
    );
}
