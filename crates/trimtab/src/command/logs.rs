//! `trimtab logs`: what a workload wrote.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::Value;

use crate::client::{Client, Piece};
use crate::failure::{Failure, Outcome};
use crate::installation::Installation;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    installation: Installation,
    /// The workload's id
    id: u32,
    /// Go on until it is over
    #[arg(short, long)]
    follow: bool,
    /// Which run, from 1; the last, if absent
    #[arg(short, long)]
    attempt: Option<u32>,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let client = Client::of(&arguments.installation)?;
    let id = arguments.id;
    if arguments.follow {
        let mut follow = Follow::new(id);
        loop {
            let workload: Value = client.get(&format!("workloads/{id}"))?;
            follow.more(&client, &workload)?;
            if !workload["finished_ms"].is_null() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }
    let attempt = arguments.attempt.map(|attempt| format!("&attempt={attempt}")).unwrap_or_default();
    let mut offset = 0;
    loop {
        match client.get_piece(&format!("workloads/{id}/log?offset={offset}{attempt}"))? {
            Piece::Gone(words) => return tell(&words),
            Piece::Text { bytes, .. } if bytes.is_empty() => return Ok(()),
            Piece::Text { bytes, next } => {
                write(&bytes)?;
                offset = next;
            }
        }
    }
}

/// What was shown so far of a workload's output.
pub(crate) struct Follow {
    id: u32,
    attempt: usize,
    offset: u64,
}

impl Follow {
    pub(crate) fn new(id: u32) -> Self {
        Self { id, attempt: 0, offset: 0 }
    }

    /// Shows what came since; `workload` was read before now, so that nothing is missed of a run that it shows as over.
    pub(crate) fn more(&mut self, client: &Client, workload: &Value) -> Outcome {
        let attempts = workload["runs"].as_array().map_or(0, Vec::len);
        if attempts == 0 {
            return Ok(());
        }
        self.attempt = self.attempt.max(1);
        loop {
            let path = format!("workloads/{}/log?attempt={}&offset={}", self.id, self.attempt, self.offset);
            let (bytes, next) = match client.get_piece(&path)? {
                Piece::Gone(words) => return tell(&words),
                Piece::Text { bytes, next } => (bytes, next),
            };
            write(&bytes)?;
            self.offset = next;
            if bytes.is_empty() {
                if self.attempt >= attempts {
                    return Ok(());
                }
                (self.attempt, self.offset) = (self.attempt + 1, 0);
            }
        }
    }
}

/// That there is no log is no failure: it was meant to go.
fn tell(words: &str) -> Outcome {
    eprintln!("note: {words}");
    Ok(())
}

fn write(bytes: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::writing("standard output", &error))
}
