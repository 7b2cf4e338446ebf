//! Machines that run what they are told, in their own time: they outlive the control plane, as processes do.

use std::collections::BTreeMap;

use fleet::action::Slot;
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::{Exit, Outcome, Told, Usage};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::random::Random;

/// What an action is doing.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) workload: WorkloadId,
    pub(crate) slots: Vec<Slot>,
    pub(crate) state: State,
}

#[derive(Clone, Debug)]
pub(crate) enum State {
    /// It will begin, or fail to.
    Coming {
        at: Timestamp,
        ends: Timestamp,
        exit: Exit,
    },
    Running {
        since: Timestamp,
        ends: Timestamp,
        exit: Exit,
    },
    Over(Told),
}

#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) processes: BTreeMap<ActionId, Process>,
    /// On their way to the control plane.
    outcomes: Vec<(Timestamp, Outcome)>,
    /// Actions that were ever begun for a workload, in order.
    pub(crate) begun: Vec<(ActionId, WorkloadId)>,
}

impl Machine {
    /// Starting what was started does nothing.
    pub(crate) fn start(
        &mut self,
        random: &mut Random,
        now: Timestamp,
        action: ActionId,
        workload: WorkloadId,
        slots: Vec<Slot>,
    ) {
        let exit = match random.below(10) {
            0 => Exit::Code(1),
            1 => Exit::Signal(11),
            2 => Exit::Lost,
            3 => Exit::TimeLimit,
            _ => Exit::Code(0),
        };
        let at = now + Millis(random.below(3_000) as i64);
        let ends = at + Millis(random.below(60_000) as i64);
        let state = State::Coming { at, ends, exit };
        self.processes.entry(action).or_insert(Process { workload, slots, state });
    }

    pub(crate) fn stop(&mut self, random: &mut Random, now: Timestamp, action: ActionId) {
        let Some(process) = self.processes.get_mut(&action) else { return };
        let soon = now + Millis(random.below(5_000) as i64);
        if let State::Coming { ends, exit, .. } | State::Running { ends, exit, .. } = &mut process.state
            && *ends > soon
        {
            (*ends, *exit) = (soon, Exit::Stopped);
        }
    }

    pub(crate) fn forget(&mut self, action: ActionId) {
        if let Some(process) = self.processes.get(&action) {
            assert!(matches!(process.state, State::Over(_)), "what still runs is not forgotten");
            self.processes.remove(&action);
        }
    }

    /// What happened by now; told late, and sometimes twice.
    pub(crate) fn pass(&mut self, random: &mut Random, now: Timestamp) {
        let mut news = Vec::new();
        for (&action, process) in &mut self.processes {
            if let State::Coming { at, ends, exit } = process.state
                && at <= now
            {
                if random.one_in(12) {
                    process.state = State::Over(Told::StartFailed { reason: "no such program".into() });
                } else {
                    self.begun.push((action, process.workload));
                    process.state = State::Running { since: at, ends: ends.max(at), exit };
                    news.push(Outcome { action, at, told: Told::Started });
                }
            }
            if let State::Running { since, ends, exit } = process.state
                && ends <= now
            {
                process.state = State::Over(Told::Ended { ran: ends.since(since), exit, used: Usage::default() });
            } else if !matches!(process.state, State::Over(_)) {
                continue;
            }
            let State::Over(told) = &process.state else { unreachable!("set above") };
            // Told again and again until it is forgotten.
            if random.one_in(2) {
                news.push(Outcome { action, at: now, told: told.clone() });
            }
        }
        for outcome in news {
            let times = 1 + u64::from(random.one_in(5));
            for _ in 0..times {
                let late = if random.one_in(30) { 3_600_000 } else { 4_000 };
                self.outcomes.push((now + Millis(random.below(late) as i64), outcome.clone()));
            }
        }
    }

    pub(crate) fn arrived(&mut self, now: Timestamp) -> Vec<Outcome> {
        let (arrived, coming) = self.outcomes.drain(..).partition(|(at, _)| *at <= now);
        self.outcomes = coming;
        arrived.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// The control plane is gone: what was on its way to it is lost.
    pub(crate) fn hang_up(&mut self, random: &mut Random) {
        self.outcomes.retain(|_| random.one_in(3));
    }

    /// What became of an action; whoever was not started by now never will be.
    pub(crate) fn settle(&mut self, now: Timestamp, action: ActionId) -> Option<Outcome> {
        let process = self.processes.entry(action).or_insert_with(|| Process {
            workload: WorkloadId(0),
            slots: Vec::new(),
            state: State::Over(Told::NotBegun),
        });
        let told = match &process.state {
            State::Coming { .. } => {
                process.state = State::Over(Told::NotBegun);
                Told::NotBegun
            }
            State::Running { .. } => Told::Started,
            State::Over(told) => told.clone(),
        };
        Some(Outcome { action, at: now, told })
    }
}
