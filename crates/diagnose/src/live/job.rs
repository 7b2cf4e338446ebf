//! A job on this node: its ranks, and the steps that they did together.

use std::collections::{BTreeMap, VecDeque};

use fleet::step::{Doing, PhasesUs, Step, Told};
use fleet::time::Timestamp;

use super::cause::COMPUTING;
use super::row::Row;
use super::usual::Usual;

/// So many steps are kept of a job for looking at what is so now.
const ROWS_MAX: usize = 4_096;
/// So many steps may be told by some ranks and not yet by others.
const BEGUN_MAX: usize = 256;
/// So many crashes of a job are remembered.
const CRASHES_MAX: usize = 64;
/// So many ranks of a job are looked at on one node.
const RANKS_MAX: usize = 1_024;

/// A job.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) ranks: BTreeMap<u32, Member>,
    /// Steps that all ranks have done, since the ranks are those that they are.
    pub(super) rows: VecDeque<Row>,
    begun: BTreeMap<u64, BTreeMap<u32, Step>>,
    pub(super) usual: Usual,
    /// When a step was last told.
    pub(super) stepped: Option<Timestamp>,
    /// When it crashed: the first rank of each time, the latest last.
    pub(super) crashes: VecDeque<Timestamp>,
}

/// A rank, as it tells of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    pub(super) pid: Option<u32>,
    /// Its connection; nothing where it is gone.
    pub(super) client: Option<u64>,
    pub(super) doing: Option<Doing>,
    /// When it last told anything.
    pub(super) told: Timestamp,
    /// The last step that it ended.
    pub(super) step: Option<u64>,
    /// It said that it ends.
    pub(super) ended: bool,
    /// When its connection broke without that.
    pub(super) crashed: Option<Timestamp>,
}

impl Job {
    /// A rank begins, or is there again.
    pub(super) fn began(&mut self, rank: u32, pid: Option<u32>, client: u64, now: Timestamp) {
        if !self.ranks.contains_key(&rank) && self.ranks.len() >= RANKS_MAX {
            return;
        }
        let before = self.ranks.get(&rank);
        // The same process, whose connection broke, goes on; another one begins.
        let goes_on = before.is_some_and(|before| before.pid == pid && pid.is_some());
        if !goes_on {
            // Nobody of those before is left: the job was begun anew, perhaps with fewer ranks.
            if self.ranks.values().all(|member| member.client.is_none()) {
                self.ranks.clear();
            }
            self.rows.clear();
            self.begun.clear();
            self.usual = Usual::default();
        }
        let member = self.ranks.entry(rank).or_default();
        let kept = if goes_on { member.clone() } else { Member::default() };
        *member = Member { pid, client: Some(client), told: now, ended: false, crashed: None, ..kept };
    }

    /// A rank tells something.
    pub(super) fn told(&mut self, rank: u32, told: &Told, now: Timestamp) {
        let Some(member) = self.ranks.get_mut(&rank) else { return };
        member.told = now;
        match told {
            Told::Step(step) => {
                member.step = Some(step.number);
                member.doing = None;
                self.stepped = Some(now);
                self.begun.entry(step.number).or_default().insert(rank, *step);
                self.gather(step.number);
            }
            Told::Doing(doing) => member.doing = Some(*doing),
            Told::Ended => member.ended = true,
            // Lines that were lost leave steps without a rank, which are never complete, and are let go.
            Told::Dropped(_) | Told::Began(_) => {}
        }
    }

    /// A rank's connection is over.
    pub(super) fn gone(&mut self, rank: u32, client: u64, now: Timestamp) {
        let Some(member) = self.ranks.get_mut(&rank).filter(|member| member.client == Some(client)) else { return };
        member.client = None;
        if !member.ended {
            member.crashed = Some(now);
            // Those that follow are the same crash.
            if self.ranks.values().filter(|member| member.crashed.is_some()).count() == 1 {
                self.crashes.push_back(now);
                if self.crashes.len() > CRASHES_MAX {
                    self.crashes.pop_front();
                }
            }
        }
    }

    /// The part of their steps since then in which ranks compute, of the one that does least.
    pub(super) fn computing(&self, since: Timestamp) -> Option<f64> {
        let rows: Vec<&Row> =
            self.rows.iter().filter(|row| Timestamp(row.ended_us.div_euclid(1_000)) >= since).collect();
        let share = |rank: usize| {
            let sum =
                |of: &dyn Fn(&PhasesUs) -> u64| rows.iter().filter_map(|row| row.ranks.get(rank)).map(of).sum::<u64>();
            let computes = sum(&|phases| COMPUTING.iter().map(|&phase| phases.of(phase)).sum());
            let all = sum(&PhasesUs::sum);
            (all > 0).then(|| computes as f64 / all as f64)
        };
        (0..self.ranks.len()).filter_map(share).reduce(f64::min)
    }

    /// Whether nothing more will come of it.
    pub(super) fn is_over(&self, now: Timestamp, forgotten_after: fleet::quantity::Millis) -> bool {
        let told = self.ranks.values().map(|member| member.told).max();
        let silent = told.is_none_or(|told| now.since(told) > forgotten_after);
        silent && self.ranks.values().all(|member| member.client.is_none())
    }

    fn gather(&mut self, number: u64) {
        let complete = self.begun.get(&number).is_some_and(|told| told.len() == self.ranks.len());
        if complete && let Some(told) = self.begun.remove(&number) {
            // What is older than a step that all have done will not be complete any more.
            self.begun = self.begun.split_off(&number);
            let ended_us = told.values().map(|step| step.ended_us).max().unwrap_or(0);
            if self.rows.back().is_none_or(|last| last.ended_us <= ended_us && last.number < number) {
                self.rows.push_back(Row { number, ended_us, ranks: told.values().map(|step| step.phases).collect() });
            }
        }
        while self.begun.len() > BEGUN_MAX {
            self.begun.pop_first();
        }
        while self.rows.len() > ROWS_MAX {
            self.rows.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u64, ended_us: i64) -> Told {
        Told::Step(Step { number, ended_us, us: 1, phases: PhasesUs::default() })
    }

    #[test]
    fn a_step_is_there_when_all_ranks_have_told_it() {
        let mut job = Job::default();
        job.began(0, Some(10), 1, Timestamp(0));
        job.began(1, Some(11), 2, Timestamp(0));
        for (rank, number) in [(0, 1), (0, 2), (1, 1), (0, 3), (1, 3), (1, 2)] {
            job.told(rank, &step(number, number as i64), Timestamp(1));
        }
        let numbers: Vec<u64> = job.rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [1, 3], "a step that comes late is let go");
        job.began(1, Some(11), 3, Timestamp(2));
        assert_eq!(job.rows.len(), 2, "the same process goes on");
        job.gone(1, 2, Timestamp(3));
        assert_eq!(job.ranks[&1].crashed, None, "that connection was over before");
        job.began(1, Some(12), 4, Timestamp(4));
        assert!(job.rows.is_empty(), "another process is another job");
    }

    #[test]
    fn room_is_bounded() {
        let mut job = Job::default();
        job.began(0, None, 1, Timestamp(0));
        job.began(1, None, 2, Timestamp(0));
        for number in 0..100_000 {
            job.told(0, &step(number, number as i64), Timestamp(1));
        }
        assert!(job.begun.len() <= BEGUN_MAX);
        for number in 200_000..210_000 {
            job.told(0, &step(number, number as i64), Timestamp(1));
            job.told(1, &step(number, number as i64), Timestamp(1));
        }
        assert!(job.rows.len() <= ROWS_MAX && !job.rows.is_empty());
    }
}
