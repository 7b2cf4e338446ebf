//! Joins the records of a job that was put back into one workload with several attempts.
//!
//! `sacct --duplicates` prints each run of such a job as a record of its own. In JSON all but the last stand at the very
//! beginning of the list (Slurm puts them in front of it), in tables they stand by time of submit: so an earlier run waits
//! here for what follows. Only runs that were put back wait; a job that had ended and was started again by hand comes as a
//! second workload.

use std::collections::{BTreeMap, BTreeSet};

use fleet::event::EndCause;
use fleet::history::WorkloadRecord;
use fleet::time::Timestamp;

use crate::bound;

/// Which job: the cluster's number, the job's own number.
pub(super) type Key = (u16, u64);

/// The most runs that wait for what follows; past that they are told as workloads of their own.
const WAITING_MAX: usize = 200_000;

/// The records seen, and the runs that wait.
#[derive(Default)]
pub(super) struct Attempts {
    waiting: BTreeMap<Key, WorkloadRecord>,
    seen: BTreeSet<(Key, Timestamp)>,
    ended: BTreeSet<Key>,
}

/// What to do about a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing yet: it waits for what follows.
    Wait,
    /// It is whole: hand it out.
    Done(Box<WorkloadRecord>),
    /// It is whole, and the job had been whole before.
    Again(Box<WorkloadRecord>),
    /// It stood there before.
    Double,
}

impl Attempts {
    /// Takes a record; `goes_on` where another of the same job follows.
    pub(super) fn take(&mut self, key: Key, submit: Timestamp, workload: WorkloadRecord, goes_on: bool) -> Next {
        if self.seen.len() < bound::IDS_KEPT && !self.seen.insert((key, submit)) {
            return Next::Double;
        }
        let whole = match self.waiting.remove(&key) {
            Some(earlier) => join(earlier, workload),
            None => workload,
        };
        if goes_on && self.waiting.len() < WAITING_MAX {
            self.waiting.insert(key, whole);
            return Next::Wait;
        }
        if self.ended.len() < bound::IDS_KEPT && !self.ended.insert(key) {
            return Next::Again(Box::new(whole));
        }
        Next::Done(Box::new(whole))
    }

    /// What still waits: nothing followed.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = (Key, WorkloadRecord)> {
        std::mem::take(&mut self.waiting).into_iter().map(|(key, mut workload)| {
            if let Some(last) = workload.attempts.last_mut()
                && last.cause == EndCause::Requeued
            {
                // Nobody put it back after all: whoever took its place, ended it.
                last.cause = EndCause::Cancelled;
            }
            (key, workload)
        })
    }
}

/// One workload of two records, whichever was first.
fn join(a: WorkloadRecord, b: WorkloadRecord) -> WorkloadRecord {
    let (mut first, mut last) = if a.submit <= b.submit { (a, b) } else { (b, a) };
    first.attempts.append(&mut last.attempts);
    first.attempts.sort_by_key(|attempt| attempt.start);
    first.withdrawn = last.withdrawn;
    first.used.cpu_ms = match (first.used.cpu_ms, last.used.cpu_ms) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    first.used.memory_peak_bytes = first.used.memory_peak_bytes.max(last.used.memory_peak_bytes);
    first
}

#[cfg(test)]
mod tests {
    use fleet::history::Attempt;
    use fleet::quantity::Millis;

    use super::*;

    const KEY: Key = (0, 7);

    fn run(submit: i64, start: i64, cause: EndCause) -> WorkloadRecord {
        WorkloadRecord {
            submit: Timestamp(submit),
            attempts: vec![Attempt {
                start: Some(Timestamp(start)),
                run: Some(Millis(5)),
                cause,
                nodes: Vec::new(),
                ..Attempt::default()
            }],
            ..WorkloadRecord::default()
        }
    }

    #[test]
    fn a_job_that_was_put_back_is_one_workload() {
        let mut attempts = Attempts::default();
        let first = run(1, 2, EndCause::Requeued);
        assert_eq!(attempts.take(KEY, first.submit, first, true), Next::Wait);
        let second = run(9, 10, EndCause::Completed);
        let Next::Done(whole) = attempts.take(KEY, second.submit, second, false) else { panic!("not whole") };
        assert_eq!(whole.submit, Timestamp(1));
        let causes: Vec<_> = whole.attempts.iter().map(|attempt| attempt.cause).collect();
        assert_eq!(causes, [EndCause::Requeued, EndCause::Completed]);
        assert_eq!(attempts.rest().count(), 0);
    }

    #[test]
    fn what_stands_twice_is_seen() {
        let mut attempts = Attempts::default();
        let done = run(1, 2, EndCause::Completed);
        assert!(matches!(attempts.take(KEY, done.submit, done.clone(), false), Next::Done(_)));
        assert_eq!(attempts.take(KEY, done.submit, done, false), Next::Double);
        let again = run(8, 9, EndCause::Completed);
        assert!(matches!(attempts.take(KEY, again.submit, again, false), Next::Again(_)));
    }

    #[test]
    fn a_run_that_nothing_follows_was_cancelled() {
        let mut attempts = Attempts::default();
        let only = run(1, 2, EndCause::Requeued);
        attempts.take(KEY, only.submit, only, true);
        let rest: Vec<_> = attempts.rest().collect();
        assert_eq!(rest[0].1.attempts[0].cause, EndCause::Cancelled);
    }
}
