//! One sentence of health.

use store::State as Standing;

use super::{Seen, unit};
use crate::api::Reasons;
use crate::page::words::{count, sentence as full, some, thousandths};

/// How things stand.
pub(super) fn sentence(seen: &Seen, why: Option<&Reasons>) -> String {
    let of = |state: Standing| seen.counts.get(&state).copied().unwrap_or(0);
    let (waiting, running) = (of(Standing::Waiting), of(Standing::Running) + of(Standing::Starting));
    if !seen.progress.is_whole() {
        return full(&format!("{} running, {} waiting", some(running, "workload"), count(waiting)));
    }
    let [nodes, drained, lost] = seen.nodes;
    if nodes == 0 {
        return "No node was found yet.".into();
    }
    let (idle, there, noun) = (seen.level.idle[seen.part], seen.there, unit(seen.part));
    let share = format!("{} of {} {noun}s", thousandths(idle), thousandths(there));
    let main = match (idle, waiting, running) {
        (_, 0, 0) => format!("nothing runs and nothing waits; all {} idle", some(there / 1_000, noun)),
        (0, 0, _) => format!("all {noun}s are given, and nothing waits"),
        (_, 0, _) => format!("{share} are idle, and nothing waits"),
        (0, ..) => format!("all {noun}s are given while {} wait{}", some(waiting, "workload"), one(waiting)),
        _ => format!("{share} idle while {} wait{}", some(waiting, "workload"), one(waiting)),
    };
    let reason = why.filter(|_| waiting > 0).map(|why| format!(": for the one that waits longest, {}", why.summary));
    let gone = match (drained, lost) {
        (0, 0) => String::new(),
        (drained, 0) => format!("; {} drained", some(drained as u64, "node")),
        (0, lost) => format!("; {} lost", some(lost as u64, "node")),
        (drained, lost) => format!("; {} drained, {lost} lost", some(drained as u64, "node")),
    };
    full(&format!("{main}{}{gone}", reason.unwrap_or_default()))
}

fn one(number: u64) -> &'static str {
    if number == 1 { "s" } else { "" }
}
