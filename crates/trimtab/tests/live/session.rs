//! An installation with `up` running, and what tests ask of it.

use std::process::Output;
use std::time::{Duration, Instant};

use live_rig::{Client, Installation};
use serde_json::Value;

/// The longest anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An installation with `up` running.
pub(crate) struct Session {
    pub(crate) installation: Installation,
}

impl Session {
    pub(crate) fn new() -> Self {
        let mut installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
        installation.up().unwrap();
        Self { installation }
    }

    /// The same, with `up` called with these arguments besides.
    pub(crate) fn called_with(mut installation: Installation, arguments: &[&str]) -> Self {
        installation.call_with(arguments);
        installation.up().unwrap();
        Self { installation }
    }

    pub(crate) fn client(&self) -> Client {
        self.installation.client().unwrap()
    }

    /// Runs a command that must do well; its standard output.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.installation.run(arguments).unwrap();
        check(&output, 0, &[]);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail so, with these words on standard error.
    pub(crate) fn fails(&self, arguments: &[&str], code: i32, words: &[&str]) {
        check(&self.installation.run(arguments).unwrap(), code, words);
    }

    /// Hands in a command with these arguments before it; its id.
    pub(crate) fn submit(&self, arguments: &[&str]) -> u64 {
        let mut all = vec!["submit"];
        // Small, so that a machine of one core runs some at a time.
        if !arguments.contains(&"--cpus") {
            all.extend(["--cpus", "0.1"]);
        }
        all.extend(arguments);
        self.run(&all).trim().parse().unwrap()
    }

    pub(crate) fn job(&self, id: u64) -> Value {
        self.client().read(&format!("workloads/{id}")).unwrap()
    }

    /// Waits until a workload is in this state.
    pub(crate) fn wait(&self, id: u64, state: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let job = self.job(id);
            if job["state"] == state {
                return job;
            }
            let over = !job["finished_ms"].is_null();
            assert!(!over && Instant::now() < until, "workload {id} does not become {state}: {job:#}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a workload is over.
    pub(crate) fn wait_over(&self, id: u64) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let job = self.job(id);
            if !job["finished_ms"].is_null() {
                return job;
            }
            assert!(Instant::now() < until, "workload {id} does not end: {job:#}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A file beside the installation.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.installation.beside().join(name)).unwrap_or_default()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.installation.beside().join(name), text).unwrap();
    }
}

/// That a command ended with this code, and said this on standard error.
pub(crate) fn check(output: &Output, code: i32, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for expected in words {
        assert!(text.contains(expected), "{text}\nlacks {expected}");
    }
}
