//! What a change that was made has brought: what was recorded since, against the same time lived without it.

use super::compare::{DAY_MS, Difference, Pair, difference};
use super::waits::slowdown;
use crate::history::{History, Recorded};
use crate::outcome::Outcome;

/// Recorded − lived without the change, for some of the workloads. `without` is a replay of the same history under the rules of before.
#[must_use]
pub fn realised(history: &History, without: &Outcome, who: impl Fn(&Recorded) -> bool, seed: u64) -> Difference {
    let mut pairs = Vec::new();
    for (recorded, fate) in history.workloads.iter().zip(&without.workloads) {
        let (Some(wait), Some(wait_without)) = (recorded.wait().filter(|_| who(recorded)), fate.wait()) else {
            continue;
        };
        pairs.push(Pair {
            queue: recorded.workload.queue.index(),
            day: recorded.submit.0.div_euclid(DAY_MS),
            wait_s: wait.as_seconds() - wait_without.as_seconds(),
            slowdown: slowdown(wait, recorded.run()) - slowdown(wait_without, fate.run()),
        });
    }
    difference("all", pairs.iter(), seed)
}
