//! The comments at the top of a log: `; Label: value`.

use std::collections::BTreeMap;

use fleet::text::shown;
use fleet::time::Timestamp;

use super::{NODES_MAX, is_processors};
use crate::import::Zone;
use crate::moment;

/// So many notes of a log are kept.
const NOTES_MAX: usize = 32;
/// So many queues may be described.
const QUEUES_MAX: usize = 4_096;
/// So long may a note be.
const NOTE_LENGTH_MAX: usize = 400;

/// What the comments say.
#[derive(Debug, Default)]
pub(super) struct Comments {
    /// The moment that all times count from.
    pub(super) unix_start: Option<Timestamp>,
    /// The zone's IANA name.
    pub(super) time_zone: Option<String>,
    /// The most nodes of the machine.
    pub(super) max_nodes: Option<u64>,
    /// Names of queues by their number.
    pub(super) queues: BTreeMap<u64, String>,
    max_procs: Option<u64>,
    kept: Vec<String>,
}

impl Comments {
    /// Takes a comment, without its semicolon.
    pub(super) fn take(&mut self, comment: &str) {
        let Some((label, value)) = comment.split_once(':') else { return };
        let (label, value) = (label.trim_ascii(), value.trim_ascii());
        let number = value.split_ascii_whitespace().next().and_then(|first| first.parse::<u64>().ok());
        match label {
            "UnixStartTime" => {
                let start = number.and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1_000));
                self.unix_start = start.and_then(|start| moment::bounded(start).ok());
            }
            "TimeZoneString" => match Zone::named(value) {
                Ok(zone) => self.time_zone = Some(zone.name().to_owned()),
                Err(_) => self.note(&format!("the log names a time zone that is not known: {}", shown(value))),
            },
            "MaxNodes" => self.max_nodes = number.filter(|&count| (1..=NODES_MAX).contains(&count)),
            "MaxProcs" => self.max_procs = number.filter(|&count| is_processors(count)),
            "Queue" => self.take_queue(value),
            "Installation" | "Computer" | "Acknowledge" | "Conversion" | "Information" | "Note" | "Preemption"
            | "AllowOveruse" | "MaxRuntime" => self.note(&format!("{label}: {value}")),
            _ => {}
        }
    }

    /// `1  default  the default queue` names queue 1 `default`; `1 - the default queue` only describes it.
    fn take_queue(&mut self, value: &str) {
        self.note(&format!("queue {value}"));
        let mut words = value.split_ascii_whitespace();
        let number = words.next().and_then(|first| first.trim_end_matches([':', ',']).parse().ok());
        let name = words.next().filter(|name| {
            name.len() <= 64
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
                && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        });
        if let (Some(number), Some(name)) = (number, name)
            && self.queues.len() < QUEUES_MAX
            && !self.queues.values().any(|other| other == name)
        {
            self.queues.insert(number, name.to_owned());
        }
    }

    fn note(&mut self, text: &str) {
        let text: String = text.chars().take(NOTE_LENGTH_MAX).collect();
        if self.kept.len() < NOTES_MAX && !self.kept.contains(&text) {
            self.kept.push(text);
        }
    }

    /// The machine's processors: `MaxProcs`, else a processor a node.
    pub(super) fn processors(&self) -> Option<u64> {
        self.max_procs.or(self.max_nodes)
    }

    /// What whoever reads the history should know.
    pub(super) fn notes(&mut self, has_fleet_file: bool) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.kept);
        if self.unix_start.is_none() {
            notes.push("the log does not say when it began: its times are counted from 2000-01-01T00:00:00Z".into());
        }
        match (has_fleet_file, self.max_procs, self.max_nodes) {
            (true, ..) => {}
            (_, Some(procs), Some(nodes)) => notes.push(format!(
                "assumed: the log tells {procs} processors on {nodes} nodes and not which node has how many; they are dealt evenly"
            )),
            (_, Some(procs), None) => notes.push(format!(
                "assumed: the log tells {procs} processors and no nodes; they are taken for one node"
            )),
            (_, None, Some(nodes)) => notes.push(format!(
                "assumed: the log tells {nodes} nodes and no processors; each is taken for one processor"
            )),
            (_, None, None) => notes
                .push("the log does not say how large the machine is; import it with --fleet to replay it".into()),
        }
        notes
    }
}
