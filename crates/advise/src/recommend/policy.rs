//! Another order of starting.

use fleet::policy::{Order, Policy};
use replay::scenario::Change;

use super::Candidate;
use super::owner;
use crate::ground::Ground;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    let now = &ground.setup.policy;
    let others = Order::ALL.into_iter().filter(|&order| order != now.order && order != Order::Fifo);
    others.map(|order| candidate(ground, now, order)).collect()
}

fn candidate(ground: &Ground, now: &Policy, order: Order) -> Candidate {
    let policy = Policy { order, ..now.clone() };
    let mut risks = vec![
        "People may submit differently once waits change; the replay takes what was submitted as given.".to_owned(),
    ];
    if order == Order::Trimtab && owner::is_slurm(ground) {
        risks.push("Slurm does not have this order: it takes effect where Trimtab schedules in its place.".into());
    }
    let because = match order {
        Order::Trimtab => {
            "Run times can be predicted from those that ended; short work can then go ahead of long work by a bounded time."
        }
        Order::Backfill | Order::Fifo => "Workloads behind the first can start where they do not delay it.",
    };
    Candidate {
        title: format!("Start workloads in the order of `{}`, not `{}`", order.name(), now.order.name()),
        because: vec![because.to_owned()],
        change: vec![owner::policy(ground, &policy)],
        undo: vec![owner::policy(ground, now)],
        scenario: ground.options.baseline.with(Change::Policy { policy }),
        risks,
    }
}
