//! What must hold of any replay, worked out from the history and from what is said to have run, never by asking engine or world.

use std::collections::BTreeMap;

use fleet::event::EndCause;
use fleet::history::NodeChange;
use fleet::ids::{NodeId, QueueId, UserId};
use fleet::quantity::{MilliDevice, Millis};
use fleet::time::Timestamp;
use fleet::workload::Spread;
use replay::history::{History, Recorded, Run};
use replay::outcome::{Fate, Outcome, Stint};
use replay::setup::Setup;

/// Nothing is used twice at one moment, and nothing runs on a node that is lost.
pub(crate) fn nothing_twice(setup: &Setup, outcome: &Outcome) {
    // Of one moment, ends come before starts.
    let mut changes: Vec<(Timestamp, bool, usize, usize)> = Vec::new();
    for (workload, fate) in outcome.workloads.iter().enumerate() {
        for (stint, at) in fate.stints.iter().enumerate().filter(|(_, stint)| stint.start < stint.end) {
            changes.push((at.start, true, workload, stint));
            changes.push((at.end, false, workload, stint));
        }
    }
    changes.sort_unstable();
    let mut used: BTreeMap<NodeId, (u64, u64, Vec<u64>)> = BTreeMap::new();
    for (at, starts, workload, stint) in changes {
        let asked = setup.history.workloads[workload].workload.request;
        for slot in &outcome.workloads[workload].stints[stint].slots {
            let spec = setup.specs[slot.node.index()].as_ref().expect("work runs on nodes that are there");
            let (cpu, memory, devices) =
                used.entry(slot.node).or_insert_with(|| (0, 0, vec![0; spec.devices as usize]));
            let each = asked.devices.0.min(1_000);
            let named = (0..devices.len()).filter(|index| slot.devices >> index & 1 == 1);
            let amounts = [(cpu, asked.cpu.0), (memory, asked.memory.0)];
            let total = |amount: u64| amount * u64::from(slot.tasks);
            if starts {
                amounts.into_iter().for_each(|(used, amount)| *used += total(amount));
                named.for_each(|index| devices[index] += each);
            } else {
                amounts.into_iter().for_each(|(used, amount)| *used -= total(amount));
                named.for_each(|index| devices[index] -= each);
            }
            let (cpu, memory, devices) = &used[&slot.node];
            assert!(*cpu <= spec.cpu.0, "at {at} node {:?} gives {cpu} cores", slot.node);
            assert!(*memory <= spec.memory.0, "at {at} node {:?} gives {memory} bytes", slot.node);
            assert!(devices.iter().all(|&used| used <= 1_000), "at {at} node {:?} gives {devices:?}", slot.node);
        }
    }
}

/// A gang runs whole: every stint has all of its tasks, on devices enough, where it may lie.
pub(crate) fn whole(history: &History, outcome: &Outcome) {
    for (recorded, fate) in history.workloads.iter().zip(&outcome.workloads) {
        let workload = &recorded.workload;
        for stint in &fate.stints {
            let tasks: u32 = stint.slots.iter().map(|slot| slot.tasks).sum();
            assert_eq!(tasks, workload.tasks, "{} runs in part", recorded.id);
            let devices: u64 = stint.slots.iter().map(|slot| u64::from(slot.devices.count_ones())).sum();
            let asked = workload.request.devices.0.div_ceil(1_000) * u64::from(workload.tasks);
            assert_eq!(devices, asked, "{} has other devices than it asked for", recorded.id);
            if workload.spread == Spread::OnePerNode {
                let nodes: std::collections::BTreeSet<_> = stint.slots.iter().map(|slot| slot.node).collect();
                assert_eq!(nodes.len(), workload.tasks as usize, "{} lies together", recorded.id);
            }
        }
    }
}

/// No rule of a queue is passed at any moment.
pub(crate) fn limits(setup: &Setup, outcome: &Outcome) {
    type Key = (QueueId, Option<UserId>);
    let mut changes: Vec<(Timestamp, i64, Key, i64)> = Vec::new();
    for (recorded, fate) in setup.history.workloads.iter().zip(&outcome.workloads) {
        let workload = &recorded.workload;
        let amount = setup.history.meter(workload).0 as i64;
        let users = workload.user.map(|user| (workload.queue, Some(user)));
        for key in [(workload.queue, None)].into_iter().chain(users) {
            for stint in fate.stints.iter().filter(|stint| stint.start < stint.end) {
                changes.push((stint.end, -1, key, amount));
                changes.push((stint.start, 1, key, amount));
            }
        }
    }
    changes.sort_unstable();
    let mut used: BTreeMap<Key, (i64, i64)> = BTreeMap::new();
    for (at, sign, key, amount) in changes {
        let (running, sum) = used.entry(key).or_default();
        (*running, *sum) = (*running + sign, *sum + sign * amount);
        let rules = &setup.queues[key.0.index()];
        let (limit, limit_running) = match key.1 {
            None => (rules.limit_milli, rules.limit_running),
            Some(_) => (rules.limit_per_user_milli, rules.limit_running_per_user),
        };
        let within = limit.is_none_or(|limit| *sum <= limit.0 as i64)
            && limit_running.is_none_or(|limit| *running <= i64::from(limit));
        assert!(within, "at {at} {key:?} has {running} running with {sum}, under {rules:?}");
    }
}

/// Everyone ends for good, is withdrawn, or could not have started; and whoever ended did all of its work, once.
pub(crate) fn nobody_lost(setup: &Setup, outcome: &Outcome) {
    let history = setup.history;
    let nodes_fail = setup.node_events.iter().any(|(.., change)| *change == NodeChange::Lost);
    let mut over: Vec<bool> = Vec::new();
    let mut left = 0;
    for (recorded, fate) in history.workloads.iter().zip(&outcome.workloads) {
        let arrived = recorded.depends_on.iter().all(|on| over[on.index()]);
        let cut_short = fate.stints.iter().filter(|stint| cut_short(setup, stint)).count();
        let ended = fate.stints.len() - cut_short >= counted(recorded, nodes_fail).count();
        let gone = fate.withdrawn.is_some() || recorded.withdrawn.is_some() && recorded.attempts.is_empty();
        let done = worked(fate) == work(recorded, nodes_fail) && !recorded.attempts.is_empty() && ended;
        over.push(gone || done);
        if gone || !arrived {
            assert!(gone || fate.stints.is_empty(), "{} ran before what it depends on was over", recorded.id);
            continue;
        }
        if !done {
            left += 1;
            assert!(!could_start(setup, recorded), "{} is left behind: {fate:?}", recorded.id);
        }
        let overlap = fate.stints.windows(2).any(|pair| pair[1].start < pair[0].end);
        assert!(!overlap, "{} runs twice at once: {fate:?}", recorded.id);
        assert!(fate.start().is_none_or(|start| start >= fate.eligible), "{} starts before it may", recorded.id);
    }
    assert_eq!(outcome.impossible, left, "those left behind are counted");
}

/// What is done and counts.
fn worked(fate: &Fate) -> Millis {
    fate.stints.iter().map(|stint| stint.end.since(stint.start) - stint.lost).sum()
}

/// What there is to do: all its runs, but where lost nodes are lived again not those that one cut short.
fn work(recorded: &Recorded, nodes_fail: bool) -> Millis {
    counted(recorded, nodes_fail).map(|run| run.length).sum()
}

/// The runs that are lived again.
fn counted(recorded: &Recorded, nodes_fail: bool) -> impl Iterator<Item = &Run> {
    let last = recorded.attempts.len().saturating_sub(1);
    let counts = move |index: usize, cause: EndCause| !nodes_fail || index == last || cause != EndCause::NodeFailed;
    let runs = recorded.attempts.iter().enumerate().filter(move |&(index, run)| counts(index, run.cause));
    runs.map(|(_, run)| run)
}

/// Whether a run ended because a node was lost then.
fn cut_short(setup: &Setup, stint: &Stint) -> bool {
    let here = |node| stint.slots.iter().any(|slot| slot.node == node);
    let mut events = setup.node_events.iter();
    stint.cause == EndCause::NodeFailed
        && events.any(|&(at, node, change)| change == NodeChange::Lost && at == stint.end && here(node))
}

/// Whether it would fit on the nodes that are up in the end, were they empty, and no rule of its queue is against it.
fn could_start(setup: &Setup, recorded: &Recorded) -> bool {
    let (workload, rules) = (&recorded.workload, &setup.queues[recorded.workload.queue.index()]);
    let amount = setup.history.meter(workload);
    let allowed = |limit: Option<MilliDevice>| limit.is_none_or(|limit| amount <= limit);
    // What one user may not pass, nobody may of whom the user is not known.
    if !allowed(rules.limit_milli) || !allowed(rules.limit_per_user_milli) {
        return false;
    }
    let mut rooms: Vec<(u64, bool)> = Vec::new();
    for (index, spec) in setup.specs.iter().enumerate() {
        let Some(spec) = spec else { continue };
        let pools = &workload.constraint.pools;
        if !pools.is_empty() && !pools.iter().any(|pool| spec.pools.contains(pool)) {
            continue;
        }
        let times = |free: u64, asked: u64| free.checked_div(asked).unwrap_or(u64::MAX);
        let devices = match workload.request.devices.0 {
            asked @ 1..1_000 => u64::from(spec.devices) * (1_000 / asked),
            asked => times(u64::from(spec.devices) * 1_000, asked),
        };
        let host = times(spec.cpu.0, workload.request.cpu.0).min(times(spec.memory.0, workload.request.memory.0));
        let mut events = setup.node_events.iter().rev();
        let last = events.find(|(_, node, _)| node.index() == index).map(|&(.., change)| change);
        let up = last.is_none_or(|change| change == NodeChange::Returned);
        rooms.push((devices.min(host).min(u64::from(workload.tasks)), up));
    }
    let tasks = u64::from(workload.tasks);
    let up = |least: u64| rooms.iter().filter(|&&(room, up)| up && room >= least.max(1)).count() as u64;
    match workload.spread {
        Spread::Any => rooms.iter().filter(|(_, up)| *up).map(|(room, _)| room).sum::<u64>() >= tasks,
        Spread::OnePerNode => up(1) >= tasks,
        Spread::Packed => {
            // The largest node says how much lies together, up or not.
            let chunk = rooms.iter().map(|&(room, _)| room).max().unwrap_or(0);
            chunk > 0 && up(chunk) >= tasks / chunk && (tasks % chunk == 0 || up(tasks % chunk) > tasks / chunk)
        }
    }
}
