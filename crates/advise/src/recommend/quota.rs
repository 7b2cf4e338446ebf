//! Quotas by what each queue used, where there are none.

use replay::scenario::Change;
use replay::setup::Setup;

use super::Candidate;
use super::owner;
use crate::ground::Ground;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    let queues = ground.setup.queues.len();
    if queues < 2 || ground.setup.queues.iter().any(|queue| queue.quota_milli.is_some()) {
        return Vec::new();
    }
    let scenario = ground.options.baseline.with(Change::QuotaByUse);
    let Ok(setup) = Setup::new(ground.history, &scenario) else { return Vec::new() };
    let mut risks =
        vec!["Use shifts between queues over time; quotas by past use have to be looked at again.".to_owned()];
    if owner::is_slurm(ground) {
        risks.push(
            "Slurm has no quota that can be borrowed from: its nearest is fair-share, which was not replayed.".into(),
        );
    }
    vec![Candidate {
        title: "Give every queue a quota by what it used".into(),
        because: vec!["Without quotas a queue that submits much at once makes all others wait; with them, who is within its quota goes before who \
              borrows.".into()],
        change: owner::queues(ground, setup.queues.iter()),
        undo: owner::queues(ground, ground.setup.queues.iter()),
        scenario,
        risks,
    }]
}
