//! Whether few enough workloads wait longer than they may, told as soon as it is sure.
//!
//! A replay near the bound is the dearest there is: thousands wait. So a workload counts as late from the moment it has waited too
//! long, started or not; and a replay ends when too many are late, or when too few are left for that.

use std::collections::VecDeque;
use std::sync::Arc;

use allocate::Engine;
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::Observer;
use replay::history::History;
use replay::measure::interval_of_mean;
use replay::outcome::Outcome;
use replay::setup::Setup;

/// No more than so many workloads of each group may wait longer than `wait`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitCap {
    /// A wait above this is late.
    pub wait: Millis,
    /// Whose waits are counted, and how many of them may be late.
    pub groups: Arc<[Group]>,
}

/// Workloads of which so many may be late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Whose: `all`, or a queue.
    pub name: String,
    /// By workload: whether it is one of them.
    pub members: Vec<bool>,
    /// So many may be late.
    pub late_max: u64,
}

/// What a watched replay tells of a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Nobody more is late than may be.
    pub kept: bool,
    /// How close it was, in thousandths of what may be late: of the group that is closest, how many were late; where that
    /// is passed, how many would have been had it gone on like that. A guide, not a measure.
    pub pressure_permille: u64,
}

impl WaitCap {
    /// What a replay that was lived to its end tells of the cap.
    #[must_use]
    pub fn judge(&self, outcome: &Outcome) -> Verdict {
        let late_of = |group: &Group| {
            let members = group.members.iter().zip(&outcome.workloads).filter(|(member, _)| **member);
            // Who never ran is late.
            members.filter(|(_, fate)| fate.wait().is_none_or(|wait| wait > self.wait)).count() as u64
        };
        let late: Vec<u64> = self.groups.iter().map(late_of).collect();
        let kept = late.iter().zip(self.groups.iter()).all(|(late, group)| *late <= group.late_max);
        let share = late.iter().zip(self.groups.iter()).map(|(late, group)| late * 1_000 / group.late_max.max(1));
        Verdict { kept, pressure_permille: share.max().unwrap_or(0) }
    }
}

impl WaitCap {
    /// Whether it is kept in 95 of 100 histories that are put together from blocks of this one, with what became of everyone:
    /// from weeks, or from days where there are few weeks. (A single block says nothing, and is never sure.)
    #[must_use]
    pub fn surely_kept(&self, history: &History, outcome: &Outcome, seed: u64) -> bool {
        const WEEK: Millis = Millis::hours(7 * 24);
        const ENOUGH: i64 = 8;
        let block = if history.until.since(history.from).0 / WEEK.0 >= ENOUGH { WEEK } else { Millis::hours(24) };
        self.groups.iter().all(|group| {
            let members = history.workloads.iter().zip(&outcome.workloads).zip(&group.members);
            let late = members.filter(|(_, member)| **member).map(|((recorded, fate), _)| {
                let late = fate.wait().is_none_or(|wait| wait > self.wait);
                (recorded.submit.0.div_euclid(block.0), f64::from(u8::from(late)))
            });
            interval_of_mean(late, seed).high <= 0.05
        })
    }
}

impl Group {
    /// These workloads, of which 95 of a hundred may not be late: exactly then their nearest-rank 95th percentile is no more
    /// than the cap.
    #[must_use]
    pub fn of(name: &str, members: Vec<bool>) -> Self {
        let count = members.iter().filter(|member| **member).count() as u64;
        Self { name: name.to_owned(), members, late_max: count - (count * 95).div_ceil(100) }
    }
}

/// What is known of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It has not started; it is late as soon as it has waited too long.
    Waits,
    /// It started in time, but may wait again.
    Started,
    /// It is late.
    Late,
    /// It cannot be late any more.
    InTime,
}

/// Watches a replay.
pub(crate) struct Late<'a> {
    cap: &'a WaitCap,
    history: &'a History,
    /// Any run may be cut short, and then waits once more.
    cut_short: bool,
    known: Vec<Known>,
    /// Those who came last, in order, as far back as nobody of them can be late yet.
    recent: VecDeque<(Timestamp, WorkloadId)>,
    arrived: u64,
    /// By group: how many are late, and how many may be late yet.
    late: Vec<u64>,
    open: Vec<u64>,
}

impl<'a> Late<'a> {
    pub(crate) fn new(cap: &'a WaitCap, setup: &Setup<'a>) -> Self {
        let count = |group: &Group| group.members.iter().filter(|member| **member).count() as u64;
        Self {
            cap,
            history: setup.history,
            cut_short: !setup.node_events.is_empty() || setup.queues.iter().any(|queue| queue.preemptible),
            known: vec![Known::Waits; setup.history.workloads.len()],
            recent: VecDeque::new(),
            arrived: 0,
            late: vec![0; cap.groups.len()],
            open: cap.groups.iter().map(count).collect(),
        }
    }

    /// What follows from all that was seen. Who is not known to be in time when a replay has ended never ran, and counts as late.
    pub(crate) fn verdict(&self) -> Verdict {
        let share = |(late, group): (&u64, &Group)| late * 1_000 / group.late_max.max(1);
        let closest = self.late.iter().zip(self.cap.groups.iter()).map(share).max().unwrap_or(0);
        let kept = self.settled();
        let all = self.known.len() as u64;
        let pressure_permille = if kept { closest } else { closest.max(1_001) * all / self.arrived.max(1) };
        Verdict { kept, pressure_permille }
    }

    /// So many are late that the cap is passed.
    fn passed(&self) -> bool {
        self.late.iter().zip(self.cap.groups.iter()).any(|(late, group)| *late > group.late_max)
    }

    /// So few can be late yet that the cap is kept.
    fn settled(&self) -> bool {
        let most = self.late.iter().zip(&self.open).map(|(late, open)| late + open);
        most.zip(self.cap.groups.iter()).all(|(most, group)| most <= group.late_max)
    }

    fn know(&mut self, workload: WorkloadId, known: Known) {
        let before = std::mem::replace(&mut self.known[workload.index()], known);
        debug_assert!(matches!(before, Known::Waits | Known::Started), "what is known for good does not change");
        if known == Known::Started {
            return;
        }
        for (at, group) in self.cap.groups.iter().enumerate() {
            if group.members[workload.index()] {
                self.open[at] -= 1;
                self.late[at] += u64::from(known == Known::Late);
            }
        }
    }

    /// Whoever has waited too long by now is late.
    fn overdue(&mut self, now: Timestamp) {
        while let Some(&(since, workload)) = self.recent.front() {
            if now.since(since) <= self.cap.wait {
                break;
            }
            self.recent.pop_front();
            if self.known[workload.index()] == Known::Waits {
                self.know(workload, Known::Late);
            }
        }
    }
}

impl Observer for Late<'_> {
    fn event(&mut self, _engine: &Engine, event: &Event) {
        self.overdue(event.at);
        match &event.kind {
            EventKind::Submitted { workload } => {
                self.recent.push_back((event.at, workload.id));
                self.arrived += 1;
            }
            EventKind::Withdrawn { workload } if self.known[workload.index()] == Known::Waits => {
                self.know(*workload, Known::InTime);
            }
            EventKind::Ended { workload, cause, .. }
                if *cause != EndCause::Requeued && self.known[workload.index()] == Known::Started =>
            {
                self.know(*workload, Known::InTime);
            }
            _ => {}
        }
    }

    fn began(&mut self, workload: WorkloadId, waited: Millis) {
        if matches!(self.known[workload.index()], Known::Late | Known::InTime) {
            return;
        }
        let again = self.cut_short || self.history.workloads[workload.index()].attempts.len() > 1;
        let known = if waited > self.cap.wait {
            Known::Late
        } else if again {
            Known::Started
        } else {
            Known::InTime
        };
        self.know(workload, known);
    }

    fn go_on(&mut self) -> bool {
        !self.passed() && !self.settled()
    }
}

#[cfg(test)]
mod tests {
    use fleet::history::{Attempt, Header, NodeRecord, Record, WorkloadRecord};
    use fleet::node::Resources;
    use fleet::quantity::MilliDevice;
    use replay::scenario::{Change, Scenario};
    use replay::seed::Seed;

    use super::*;
    use crate::question::{Answer, Question, answer};

    const MINUTE: i64 = 60;

    /// Work of an hour or so a piece for two queues, some of it cut short and begun again, some withdrawn.
    fn history(seed: u64) -> History {
        let mut seed = Seed::new(seed);
        let mut records: Vec<Record> = (0..8)
            .map(|number| {
                let (name, group) = (format!("n{number}"), Some("n".into()));
                Record::Node(NodeRecord { name, group, devices: 4, ..NodeRecord::default() })
            })
            .collect();
        let mut at = 0;
        for number in 0..200 {
            at += seed.below(12) as i64 * MINUTE;
            let runs = [1, 1, 1, 2, 0][seed.below(5) as usize];
            let attempts = (0..runs).map(|_| Attempt {
                start: None,
                run: Some(Millis::seconds(seed.below(60) as i64 * MINUTE)),
                cause: EndCause::Completed,
                nodes: Vec::new(),
                ..Attempt::default()
            });
            let attempts: Vec<Attempt> = attempts.collect();
            records.push(Record::Workload(Box::new(WorkloadRecord {
                id: number.to_string(),
                queue: ["one", "two"][seed.below(2) as usize].into(),
                submit: Timestamp::from_seconds(at),
                tasks: 1 + seed.below(3) as u32,
                request: Resources { devices: MilliDevice::whole(1), ..Resources::ZERO },
                withdrawn: attempts.is_empty().then_some(Timestamp::from_seconds(at + 30 * MINUTE)),
                attempts,
                ..WorkloadRecord::default()
            })));
        }
        History::from_records(Header::default(), records.into_iter())
    }

    fn cap(history: &History, wait: Millis) -> WaitCap {
        let of = |name: &str| {
            let ran = |recorded: &replay::history::Recorded| {
                let queue = history.names.queues.name(recorded.workload.queue.index());
                !recorded.attempts.is_empty() && (name == "all" || queue == name)
            };
            Group::of(name, history.workloads.iter().map(ran).collect())
        };
        WaitCap { wait, groups: ["all", "one", "two"].map(of).into() }
    }

    #[test]
    fn what_is_told_early_is_what_comes_of_it_at_the_end() {
        let mut answers = [0, 0];
        for seed in 0..6 {
            let history = history(seed);
            for minutes in [1, 30, 120] {
                let cap = cap(&history, Millis::minutes(minutes));
                for count in 2..=8 {
                    let scenario = Scenario::of(Change::Nodes { group: "n".into(), count });
                    let question = |cap| Question { scenario: scenario.clone(), cap };
                    let Answer::Judged(early) = answer(&history, &question(Some(cap.clone())), 1).unwrap() else {
                        panic!("a cap was set")
                    };
                    let Answer::Done(outcome) = answer(&history, &question(None), 1).unwrap() else {
                        panic!("no cap was set")
                    };
                    assert_eq!(early.kept, cap.judge(&outcome).kept, "seed {seed}, {minutes} min, {count} nodes");
                    answers[usize::from(early.kept)] += 1;
                }
            }
        }
        assert!(answers.iter().all(|&count| count > 30), "both answers come up: {answers:?}");
    }

    #[test]
    fn as_many_may_be_late_as_the_95th_percentile_allows() {
        for (count, late_max) in [(1, 0), (19, 0), (20, 1), (100, 5), (119, 5), (120, 6)] {
            assert_eq!(Group::of("all", vec![true; count]).late_max, late_max, "{count}");
        }
    }

    #[test]
    fn a_bound_that_just_holds_is_not_sure() {
        let history = history(3);
        let cap = cap(&history, Millis::minutes(10));
        let lived = |count| {
            let scenario = Scenario::of(Change::Nodes { group: "n".into(), count });
            let setup = Setup::new(&history, &scenario).unwrap();
            replay::run(&setup, 1)
        };
        let kept: Vec<bool> = (2..=8).map(|count| cap.judge(&lived(count)).kept).collect();
        let sure: Vec<bool> = (2..=8).map(|count| cap.surely_kept(&history, &lived(count), 1)).collect();
        assert!(kept.iter().zip(&sure).all(|(kept, sure)| *kept || !sure), "{kept:?} {sure:?}");
    }
}
