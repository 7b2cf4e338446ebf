//! An entry of the log, in words.

use std::collections::BTreeMap;

use fleet::ids::NodeId;
use fleet::live::{Entry, StopReason};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::page::words;

/// Day and second, in UTC: `2026-11-24 13:05:09`.
pub(super) fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    text.trim_end_matches('Z').replacen('T', " ", 1)
}

/// What an entry says.
pub(super) fn told(entry: &Entry, names: &BTreeMap<NodeId, String>) -> String {
    let by = |by: &Option<String>| by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    match entry {
        Entry::Submitted { by, submission, .. } => format!("handed in by {by}, to queue {}", submission.queue),
        Entry::Eligible { .. } => "may start".into(),
        Entry::Decided { slots, .. } => {
            let tasks: u64 = slots.iter().map(|slot| u64::from(slot.tasks)).sum();
            let name = |node: NodeId| names.get(&node).cloned().unwrap_or_else(|| node.0.to_string());
            let nodes: Vec<String> = slots.iter().take(4).map(|slot| name(slot.node)).collect();
            let more = if slots.len() > nodes.len() { ", …" } else { "" };
            format!("its start was decided: {} on {}{more}", words::some(tasks, "task"), nodes.join(", "))
        }
        Entry::Started { .. } => "started".into(),
        Entry::StartFailed { reason, .. } => format!("could not be started: {reason}"),
        Entry::NotBegun { .. } => "was not begun, for no fault of its own; it waits again".into(),
        Entry::StopAsked { why: StopReason::Cancel, by: who, .. } => format!("asked to stop for good{}", by(who)),
        Entry::StopAsked { why: StopReason::Preempt, by: who, .. } => {
            format!("asked to give way and run again later{}", by(who))
        }
        Entry::RunEnded { ran, exit, cause, .. } => {
            format!("ended after {}: {}", words::whole_seconds(*ran), exit.words_with(*cause))
        }
        Entry::Retrying { .. } => "will be tried again".into(),
        Entry::Finished { cause, reason, .. } => match reason {
            Some(reason) => format!("over: {}: {reason}", cause.words()),
            None => format!("over: {}", cause.words()),
        },
        Entry::NodeFound { .. } | Entry::NodeChanged { .. } | Entry::QueueSet { .. } | Entry::PolicySet { .. } => {
            "the fleet changed".into()
        }
    }
}

/// How long a run held its core time's worth of cores: `1.5`.
pub(super) fn mean_cores(cpu: Millis, ran: Millis) -> Option<String> {
    (ran.0 > 0).then(|| format!("{:.2}", cpu.as_seconds() / ran.as_seconds()))
}
