//! What must never happen.

use std::collections::{BTreeMap, BTreeSet};

use control::OnFailure;
use fleet::event::EndCause;
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Exit, Phase};

use crate::machine::State;
use crate::plane::{Plane, ended};

/// At every moment.
pub(crate) fn now(plane: &Plane) {
    // Nobody is forgotten.
    for id in &plane.acknowledged {
        assert!(plane.stored.lives.contains_key(id), "workload {} was acknowledged and is not stored", id.0);
    }
    // Nothing begins twice, nor without having been decided.
    let mut seen = BTreeSet::new();
    for (action, _) in &plane.machine.begun {
        assert!(seen.insert(*action), "action {} began twice", action.0);
        assert!(plane.stored.actions.contains(action), "action {} began and was not stored", action.0);
    }
    // Nothing is drained that nobody consented to drain.
    assert!(plane.sums.drained == 0 || plane.tester.policy.on_failure == OnFailure::Drain, "drained without consent");
    // Nobody runs twice at a time.
    let mut running: BTreeMap<WorkloadId, ActionId> = BTreeMap::new();
    let mut devices: BTreeMap<NodeId, u64> = BTreeMap::new();
    for (&action, process) in &plane.machine.processes {
        if let State::Coming { .. } | State::Running { .. } = process.state {
            let other = running.insert(process.workload, action);
            assert_eq!(other, None, "workload {} runs twice at a time", process.workload.0);
            let live = &plane.stored.lives[&process.workload];
            assert_eq!(live.open_run().map(|run| run.action), Some(action), "what runs is not known of");
            if live.submission.request.devices.0 >= 1_000 {
                for slot in &process.slots {
                    let taken = devices.entry(slot.node).or_default();
                    assert_eq!(*taken & slot.devices, 0, "a device of node {} is given twice", slot.node.0);
                    *taken |= slot.devices;
                }
            }
        }
    }
}

/// When all is over.
pub(crate) fn at_rest(plane: &Plane) {
    now(plane);
    for process in plane.machine.processes.values() {
        assert!(matches!(process.state, State::Over(_)), "workload {} runs on, owned by nobody", process.workload.0);
    }
    for live in plane.stored.lives.values() {
        let Phase::Finished { cause } = live.phase else { panic!("workload {} is not over", live.id.0) };
        let well = live.runs.iter().filter(|run| run.end.is_some_and(|end| end.exit == Exit::Code(0))).count();
        assert_eq!(well, usize::from(cause == EndCause::Completed), "a good end is the last: {live:?}");
        assert!(live.failures() <= live.submission.retries + 1, "it was tried too often: {live:?}");
        for on in &live.submission.depends_on {
            let before = &plane.stored.lives[on];
            let completed = before.phase == Phase::Finished { cause: EndCause::Completed };
            assert!(completed || live.runs.is_empty(), "it ran, though what it depends on failed: {live:?}");
            if let (Some(run), Some(done)) = (live.runs.first(), before.finished) {
                assert!(run.decided >= done, "it was started before what it depends on was over: {live:?}");
            }
        }
    }
    // What a machine knows of a run and what is stored agree.
    for (action, process) in &plane.machine.processes {
        if let State::Over(told) = &process.state
            && let (Some(exit), Some(live)) = (ended(told), plane.stored.lives.get(&process.workload))
        {
            let run = live.runs.iter().find(|run| run.action == *action).expect("what ran is stored");
            assert_eq!(run.end.map(|end| end.exit), Some(exit));
        }
    }
}
