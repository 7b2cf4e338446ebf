//! Work that can be interrupted waits behind work that cannot.

use replay::scenario::{Change, Who};

use super::Candidate;
use crate::ground::Ground;

/// Far below any priority that people give.
const BEHIND_ALL: i32 = -1_000_000;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    let total = ground.history.workloads.len();
    let queues = ground.setup.queues.iter().enumerate().filter(|(index, queue)| {
        let own = || ground.history.workloads.iter().filter(|w| w.workload.queue.index() == *index);
        let checkpointed = own().filter(|w| w.checkpoint_every.is_some()).count();
        let count = own().count();
        let interruptible = queue.preemptible || (count > 0 && checkpointed * 10 >= count * 9);
        // A queue that is everything has nobody to let pass.
        interruptible && count > 0 && count < total && queue.priority >= 0
    });
    queues.map(|(_, queue)| candidate(ground, &queue.name, queue.priority)).collect()
}

fn candidate(ground: &Ground, queue: &str, priority: i32) -> Candidate {
    let line = |priority: i32| format!("[[queues]]\nname = \"{queue}\"\npriority = {priority}");
    let who = Who { queue: Some(queue.to_owned()), ..Who::default() };
    Candidate {
        title: format!("Let queue `{queue}`, whose work can be interrupted, wait behind all others"),
        because: vec![format!("The work of queue `{queue}` writes checkpoints or may be put back at any time.")],
        scenario: ground.options.baseline.with(Change::Priority { who, add: BEHIND_ALL }),
        change: vec![ground.step(
            Some(("sacctmgr", format!("sacctmgr --immediate modify qos {queue} set Priority=0"))),
            line(priority - 1),
        )],
        undo: vec![ground.step(
            Some(("sacctmgr", format!("sacctmgr --immediate modify qos {queue} set Priority={priority}"))),
            line(priority),
        )],
        risks: vec!["The replay lets this work wait, it does not yet put it back while it runs.".into()],
    }
}
