//! A job that was put back and went on later has a line that sums it up, and behind it one for each of its runs (status 2
//! for each that was continued, 3 or 4 for the last). The sum is held until the next job begins, so that its runs can be
//! told apart; where a line of a run cannot be read, the sum stands as one run.

use fleet::event::EndCause;
use fleet::history::{Attempt, Record, WorkloadRecord};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use super::row::{FIELDS, Job, Part};
use crate::import::BadRow;

/// More runs than this of one job are not kept apart.
const RUNS_MAX: usize = 10_000;

/// A job whose runs may follow.
#[derive(Debug)]
pub(super) struct Pending {
    id: u64,
    record: WorkloadRecord,
    sums_up: bool,
    runs: Vec<Attempt>,
    end: Option<Timestamp>,
    broken: bool,
}

impl Pending {
    pub(super) fn new(job: Job) -> Self {
        let sums_up = job.part.is_none();
        let end = Some(job.record.submit);
        Self { id: job.id, record: job.record, sums_up, runs: Vec::new(), end, broken: false }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Takes one run. Its wait counts from the end of the run before, or from the submit.
    pub(super) fn add(&mut self, job: &Job, part: Part) -> Result<(), BadRow> {
        if !self.sums_up {
            self.begin_with_first_run();
        }
        if self.runs.len() == RUNS_MAX {
            self.broken = true;
            return Err(BadRow::field(FIELDS[0], format!("job {} has more than {RUNS_MAX} runs", self.id)));
        }
        let run = job.run.unwrap_or(Millis::ZERO);
        let start = self.end.and_then(|end| Some(end + job.wait?));
        self.end = start.map(|start| start + run);
        let cause = match part {
            Part::Continued => EndCause::Requeued,
            Part::Completed => EndCause::Completed,
            Part::Failed => EndCause::Failed,
        };
        self.runs.push(Attempt { start, run: Some(run), cause, nodes: Vec::new(), ..Attempt::default() });
        Ok(())
    }

    /// A line could not be read. It may have been one of the job's runs, and then the others are not all.
    pub(super) fn keep_sum(&mut self) {
        self.broken = self.sums_up;
    }

    /// The first line was a run itself: no line sums the job up.
    fn begin_with_first_run(&mut self) {
        if let (true, Some(first)) = (self.runs.is_empty(), self.record.attempts.first()) {
            self.end = first.start.zip(first.run).map(|(start, run)| start + run);
            self.runs.push(Attempt { cause: EndCause::Requeued, ..first.clone() });
        }
    }

    pub(super) fn into_record(mut self) -> Record {
        if !self.runs.is_empty() && !self.broken {
            self.record.attempts = self.runs;
        }
        Record::Workload(Box::new(self.record))
    }
}
