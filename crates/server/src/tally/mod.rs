//! What the log adds up to over time: how much was given to whom, how much lay idle, how many waited.
//!
//! Entries come in one by one and in order; hours are kept for a week and minutes for a day, whatever the log holds. It has no clock and reads
//! nothing: whoever has the log brings its entries ([`Recorded`]). Start reading at [`Tally::take`].

mod fleet_now;
mod recorded;
mod span;

use std::collections::{BTreeMap, BTreeSet};

use fleet::action::Slot;
use fleet::event::EndCause;
use fleet::ids::WorkloadId;
use fleet::live::{Entry, Logged};
use fleet::time::Timestamp;

pub(crate) use fleet_now::{FleetNow, Level};
pub(crate) use recorded::{Progress, Recorded};
pub(crate) use span::{Hour, Minute, Spent};

/// Thousandths of devices, and of cores.
pub(crate) type Amount = [u64; 2];

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// A week and the hour that is not over.
const HOURS_KEPT: i64 = 7 * 24 + 1;
/// A day and the minute that is not over.
const MINUTES_KEPT: i64 = 24 * 60 + 1;

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Window {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
}

/// The sums.
#[derive(Default)]
pub(crate) struct Tally {
    /// The last entry that was taken in.
    pub(crate) seq: u64,
    /// The first moment that is known, and the last.
    pub(crate) began: Option<i64>,
    at: i64,
    pub(crate) fleet: FleetNow,
    /// What is not over.
    open: BTreeMap<WorkloadId, Open>,
    /// What may start, oldest first.
    pub(crate) waiting: BTreeSet<WorkloadId>,
    hours: BTreeMap<i64, Hour>,
    minutes: BTreeMap<i64, Minute>,
}

/// A workload that is not over.
struct Open {
    request: Amount,
    /// Since when it holds something, and where.
    run: Option<(i64, Vec<Slot>)>,
}

impl Tally {
    /// Takes in the next entry.
    pub(crate) fn take(&mut self, logged: &Logged) {
        self.advance(logged.at);
        self.seq = logged.seq;
        match &logged.entry {
            Entry::NodeFound { node, facts } => self.fleet.found(*node, facts),
            Entry::NodeChanged { node, change, .. } => self.fleet.changed(*node, *change),
            Entry::Submitted { workload, submission, .. } => {
                let request = [submission.request.devices.0, submission.request.cpu.0];
                self.open.insert(*workload, Open { request, run: None });
            }
            Entry::Eligible { workload } => {
                self.waiting.insert(*workload);
            }
            Entry::Decided { workload, slots, .. } => self.begin(*workload, slots),
            Entry::StartFailed { workload, .. } => self.end(*workload, Some(Spent::Failed)),
            Entry::NotBegun { workload, .. } => self.end(*workload, None),
            Entry::RunEnded { workload, cause, .. } => self.end(*workload, Some(spent(*cause))),
            Entry::Retrying { workload, .. } => {
                self.waiting.remove(workload);
            }
            Entry::Finished { workload, .. } => {
                self.waiting.remove(workload);
                self.open.remove(workload);
            }
            Entry::Started { .. } | Entry::StopAsked { .. } | Entry::QueueSet { .. } | Entry::PolicySet { .. } => {}
        }
    }

    /// Lets time pass up to a moment; one that is past changes nothing.
    pub(crate) fn advance(&mut self, to: Timestamp) {
        let to = to.0;
        if self.began.is_none() {
            self.began = Some(to);
            self.at = to;
        }
        if to <= self.at {
            return;
        }
        let (level, waiting) = (self.fleet.level, self.waiting.len() as u64);
        for (hour, ms) in pieces(self.at.max(to - HOURS_KEPT * HOUR_MS), to, HOUR_MS) {
            self.hours.entry(hour).or_default().pass(level, waiting, ms);
        }
        for (minute, ms) in pieces(self.at.max(to - MINUTES_KEPT * MINUTE_MS), to, MINUTE_MS) {
            self.minutes.entry(minute).or_default().pass(level, waiting, ms);
        }
        self.at = to;
        let_go(&mut self.hours, to / HOUR_MS - HOURS_KEPT);
        let_go(&mut self.minutes, to / MINUTE_MS - MINUTES_KEPT);
    }

    /// The sum of the hours from the one that holds this moment on.
    pub(crate) fn since(&self, from: Timestamp) -> Hour {
        let mut sum = Hour::default();
        for hour in self.hours.range(from.0.div_euclid(HOUR_MS)..).map(|(_, hour)| hour) {
            sum.add(hour);
        }
        sum
    }

    /// The minutes of a day, or the hours of a week, each with the moment at which it begins, in seconds.
    pub(crate) fn course(&self, window: Window) -> Vec<(i64, Minute)> {
        match window {
            Window::Day => self.minutes.iter().map(|(minute, sums)| (minute * MINUTE_MS / 1_000, *sums)).collect(),
            Window::Week => self.hours.iter().map(|(hour, sums)| (hour * HOUR_MS / 1_000, sums.course())).collect(),
        }
    }

    fn begin(&mut self, id: WorkloadId, slots: &[Slot]) {
        self.waiting.remove(&id);
        let Some(open) = self.open.get_mut(&id) else { return };
        self.fleet.give(open.request, slots);
        open.run = Some((self.at, slots.to_vec()));
    }

    /// A run is over: what it held since its start was decided goes to how it ended.
    fn end(&mut self, id: WorkloadId, how: Option<Spent>) {
        self.waiting.insert(id);
        let Some(open) = self.open.get_mut(&id) else { return };
        let Some((since, slots)) = open.run.take() else { return };
        self.fleet.take_back(open.request, &slots);
        let tasks: u64 = slots.iter().map(|slot| u64::from(slot.tasks)).sum();
        let held = open.request.map(|part| part.saturating_mul(tasks));
        for (hour, ms) in pieces(since.max(self.at - HOURS_KEPT * HOUR_MS), self.at, HOUR_MS) {
            self.hours.entry(hour).or_default().spend(how.unwrap_or(Spent::Failed), held, ms);
        }
    }
}

fn spent(cause: EndCause) -> Spent {
    match cause {
        EndCause::Completed => Spent::Completed,
        EndCause::Cancelled => Spent::Cancelled,
        EndCause::Requeued => Spent::GaveWay,
        EndCause::Failed | EndCause::TimedOut | EndCause::OutOfMemory | EndCause::NodeFailed | EndCause::Unknown => {
            Spent::Failed
        }
    }
}

/// An interval cut at multiples of `length`: the number of each piece, and how long it is.
fn pieces(from: i64, to: i64, length: i64) -> impl Iterator<Item = (i64, u64)> {
    let numbers = from.div_euclid(length)..=(to - 1).div_euclid(length);
    numbers.filter_map(move |number| {
        let ms = to.min((number + 1) * length) - from.max(number * length);
        (ms > 0).then(|| (number, ms.unsigned_abs()))
    })
}

fn let_go<T>(kept: &mut BTreeMap<i64, T>, before: i64) {
    while kept.first_key_value().is_some_and(|(number, _)| *number < before) {
        kept.pop_first();
    }
}

#[cfg(test)]
mod tests;
