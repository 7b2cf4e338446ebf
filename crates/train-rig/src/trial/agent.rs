//! An agent that is started for one run, and the lines that it prints.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

/// An agent; it is ended when this is dropped.
pub(super) struct Agent {
    child: Child,
    lines: Receiver<(Instant, Value)>,
    told: Vec<(Instant, Value)>,
}

impl Agent {
    /// Starts one that listens at a socket, and waits until it does.
    pub(super) fn start(program: &Path, socket: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(["--quiet", "agent", "--format", "json", "--steps"]).arg(socket);
        let mut child =
            command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().context("the agent did not start")?;
        let output = child.stdout.take().context("its output is a pipe")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(value) = serde_json::from_str(&line) else { continue };
                if sender.send((Instant::now(), value)).is_err() {
                    return;
                }
            }
        });
        let until = Instant::now() + Duration::from_secs(10);
        while !socket.exists() {
            ensure!(Instant::now() < until, "the agent does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { child, lines, told: Vec::new() })
    }

    /// Hears until a moment, or until something holds of all that was told.
    pub(super) fn hear(&mut self, until: Instant, enough: impl Fn(&[(Instant, Value)]) -> bool) {
        while !enough(&self.told) {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.told.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// All that was told so far.
    pub(super) fn told(&self) -> &[(Instant, Value)] {
        &self.told
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
