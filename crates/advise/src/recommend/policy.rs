//! Another order of starting.

use fleet::policy::{Order, Policy};
use replay::scenario::Change;

use super::Candidate;
use crate::ground::Ground;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    let now = &ground.setup.policy;
    let others = Order::ALL.into_iter().filter(|&order| order != now.order && order != Order::Fifo);
    others.map(|order| candidate(ground, now, order)).collect()
}

fn candidate(ground: &Ground, now: &Policy, order: Order) -> Candidate {
    let policy = Policy { order, ..now.clone() };
    let fleet_file = |order: Order| format!("[policy]\norder = \"{}\"", order.name());
    let scheduler = |order: Order| match order {
        Order::Fifo => Some(("slurm.conf", "SchedulerType=sched/builtin".to_owned())),
        Order::Backfill => Some(("slurm.conf", "SchedulerType=sched/backfill".to_owned())),
        // Trimtab's own order runs in Trimtab, not in Slurm.
        Order::Trimtab => None,
    };
    let because = match order {
        Order::Trimtab => {
            "Run times can be predicted from those that ended; short work can then go ahead of long work by a bounded time."
        }
        Order::Backfill | Order::Fifo => "Workloads behind the first can start where they do not delay it.",
    };
    Candidate {
        title: format!("Start workloads in the order of `{}` instead of `{}`", order.name(), now.order.name()),
        because: vec![because.to_owned()],
        scenario: ground.options.baseline.with(Change::Policy { policy }),
        change: vec![ground.step(scheduler(order), fleet_file(order))],
        undo: vec![ground.step(scheduler(now.order), fleet_file(now.order))],
        risks: vec![
            "People may submit differently once waits change; the replay takes what was submitted as given.".into(),
        ],
    }
}
