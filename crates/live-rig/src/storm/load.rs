//! Whoever hands in, cancels, preempts and drains while it storms, and remembers what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::record::script;
use crate::client::{Answer, Client};
use crate::installation::Installation;
use crate::random::Random;

/// The longest wait between two requests; so a load sends some 50 a second while it is answered.
const PAUSE_MAX_MS: u64 = 30;
/// How many of the latest workloads are cancelled and preempted.
const LATEST: usize = 30;

/// What was sent, and what of it was acknowledged.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    /// Acknowledged workloads by id, and their names.
    pub(super) acknowledged: BTreeMap<u64, String>,
    /// Those that somebody asked to cancel, acknowledged or not.
    pub(super) cancelled: BTreeSet<u64>,
    /// Those that somebody asked to give way: they may run again.
    pub(super) preempted: BTreeSet<u64>,
    /// How many changes were acknowledged.
    pub(super) changes: usize,
    /// What was answered and should not have been.
    pub(super) odd: Vec<String>,
}

impl Sent {
    pub(super) fn and(mut self, other: Self) -> Self {
        self.acknowledged.extend(other.acknowledged);
        self.cancelled.extend(other.cancelled);
        self.preempted.extend(other.preempted);
        self.changes += other.changes;
        self.odd.extend(other.odd);
        self
    }
}

/// What a workload does; the first letters of its name say it.
const KINDS: [(&str, &str); 4] = [
    // Ends well after a moment.
    ("plain", "sleep 0.$(( $$ % 3 ))"),
    ("plain", "true"),
    // Fails the first time it runs.
    ("flaky", "[ -e \"$TRIED-$TRIMTAB_WORKLOAD\" ] || { : >\"$TRIED-$TRIMTAB_WORKLOAD\"; exit 3; }"),
    // Runs until it is stopped.
    ("long", "sleep 1000"),
];

/// Whether a workload of this name must be stopped.
pub(super) fn never_ends(name: &str) -> bool {
    name.starts_with("long")
}

/// Whether a workload of this name runs a second time by itself.
pub(super) fn fails_once(name: &str) -> bool {
    name.starts_with("flaky")
}

/// The batch that a name is of, and how many that has: all of them are there, or none.
pub(super) fn batch(name: &str) -> Option<(&str, usize)> {
    let mut parts = name.splitn(4, '-').skip(1);
    let (batch, count) = (parts.next()?, parts.next()?);
    Some((batch, count.parse().ok()?))
}

/// A thread's part of it.
pub(super) struct Load {
    rig: PathBuf,
    folder: PathBuf,
    node: String,
    number: u64,
    random: Random,
    batches: u64,
    latest: Vec<u64>,
    client: Option<Client>,
    sent: Sent,
}

impl Load {
    pub(super) fn new(installation: &Installation, node: &str, number: u64, seed: u64) -> Self {
        Self {
            rig: installation.beside().to_owned(),
            folder: installation.folder(),
            node: node.to_owned(),
            number,
            random: Random::new(seed),
            batches: 0,
            latest: Vec::new(),
            client: None,
            sent: Sent::default(),
        }
    }

    pub(super) fn run(mut self, calm: &AtomicBool) -> Sent {
        while !calm.load(Ordering::Acquire) {
            match self.random.below(100) {
                0..62 => self.submit(),
                62..76 => self.stop("cancel"),
                76..84 => self.stop("preempt"),
                84..89 => self.turn_node("drain"),
                _ => self.turn_node("resume"),
            }
            sleep(Duration::from_millis(self.random.below(PAUSE_MAX_MS)));
        }
        self.sent
    }

    fn submit(&mut self) {
        let count = 1 + self.random.below(3);
        let batch = format!("{}.{}", self.number, self.batches);
        self.batches += 1;
        let mut names = Vec::new();
        let workloads: Vec<Value> = (0..count)
            .map(|place| {
                // Few that never end: they are in the way of others.
                let kind = if self.random.below(20) == 0 { 3 } else { self.random.below(3) as usize };
                let (kind, work) = KINDS[kind];
                let name = format!("{kind}-{batch}-{count}-{place}");
                let after = if self.random.below(4) == 0 { place.checked_sub(1) } else { None };
                names.push(name.clone());
                json!({
                    "name": name,
                    "command": ["sh", "-c", script(&self.rig, work)],
                    "directory": "/",
                    "environment": { "TRIED": self.rig.join("tried").display().to_string() },
                    "request": { "cpu_milli": 50 },
                    "grace_ms": 2_000,
                    "retries": if fails_once(&name) { 1 } else { 0 },
                    "after": after.into_iter().collect::<Vec<_>>(),
                })
            })
            .collect();
        let Some(answer) = self.post("workloads", &json!({ "workloads": workloads })) else { return };
        let answered = answer.json();
        let ids: Vec<u64> = answered["ids"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        if answer.status != 201 || ids.len() != names.len() {
            return self.odd("a submission", &answer);
        }
        self.latest.extend(&ids);
        self.latest.drain(..self.latest.len().saturating_sub(LATEST));
        for (id, name) in ids.into_iter().zip(names) {
            if let Some(other) = self.sent.acknowledged.insert(id, name) {
                self.sent.odd.push(format!("id {id} was given twice, first to {other}"));
            }
        }
    }

    fn stop(&mut self, verb: &str) {
        if self.latest.is_empty() {
            return;
        }
        let id = *self.random.one_of(&self.latest);
        let asked = if verb == "cancel" { &mut self.sent.cancelled } else { &mut self.sent.preempted };
        asked.insert(id);
        let Some(answer) = self.post(&format!("workloads/{id}/{verb}"), &json!({})) else { return };
        match answer.status {
            200 => self.sent.changes += 1,
            // It is over already, or does not run.
            404 | 409 => {}
            _ => self.odd(verb, &answer),
        }
    }

    fn turn_node(&mut self, verb: &str) {
        let Some(answer) = self.post(&format!("nodes/{}/{verb}", self.node), &json!({})) else { return };
        if answer.status == 200 { self.sent.changes += 1 } else { self.odd(verb, &answer) }
    }

    /// Nothing if there was no answer: then it is not known whether it was done.
    fn post(&mut self, path: &str, body: &Value) -> Option<Answer> {
        if self.client.is_none() {
            let read = |name: &str| std::fs::read_to_string(self.folder.join(name)).ok();
            self.client = Some(Client::new(&read("address")?, read("token")?.trim()));
        }
        let answer = self.client.as_mut()?.post(path, body);
        if answer.is_err() {
            self.client = None;
        }
        answer.ok()
    }

    fn odd(&mut self, what: &str, answer: &Answer) {
        let (status, body) = (answer.status, String::from_utf8_lossy(&answer.body));
        // It is stopping, or stalled: nothing was done.
        if status != 503 {
            self.sent.odd.push(format!("{what} was answered with {status}: {body}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_batch() {
        assert_eq!(batch("plain-1.17-3-0"), Some(("1.17", 3)));
        assert_eq!(batch("plain"), None);
    }
}
