//! Asking the replay: what comes of this scenario? Who answers many questions at once is up to the caller, since this crate has
//! no threads.

use std::collections::{BTreeMap, VecDeque};

use allocate::Engine;
use fleet::event::{Event, EventKind};
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::History;
use replay::outcome::Outcome;
use replay::scenario::Scenario;
use replay::setup::{Setup, Unfit};
use replay::{Observer, run, run_observed};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is different.
    pub scenario: Scenario,
    /// Give up as soon as it is sure that more than this is waited.
    pub cap: Option<WaitCap>,
}

/// No more than `late_max` workloads may wait longer than `wait`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitCap {
    /// A wait above this is late.
    pub wait: Millis,
    /// So many may be late.
    pub late_max: u64,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was lived through.
    Done(Outcome),
    /// It was given up: too many waited too long.
    Exceeded,
}

/// Answers questions about one history, all with one seed.
pub trait Replayer {
    /// The answers, in the order of the questions.
    ///
    /// # Errors
    /// If a scenario does not fit the history.
    fn answer(&self, questions: &[Question]) -> Result<Vec<Answer>, Unfit>;
}

/// Answers one question.
///
/// # Errors
/// If the scenario does not fit the history.
pub fn answer(history: &History, question: &Question, seed: u64) -> Result<Answer, Unfit> {
    let setup = Setup::new(history, &question.scenario)?;
    let Some(cap) = question.cap else { return Ok(Answer::Done(run(&setup, seed))) };
    let mut late = Late { cap, waiting: BTreeMap::new(), recent: VecDeque::new(), started: 0, overdue: 0 };
    let outcome = run_observed(&setup, seed, &mut late);
    Ok(if late.count() > cap.late_max { Answer::Exceeded } else { Answer::Done(outcome) })
}

/// Counts who starts late, and who waits and is late already.
struct Late {
    cap: WaitCap,
    waiting: BTreeMap<WorkloadId, Timestamp>,
    /// When those arrived who came last, as far back as nobody of them can be late yet.
    recent: VecDeque<Timestamp>,
    started: u64,
    overdue: u64,
}

impl Late {
    fn count(&self) -> u64 {
        self.started + self.overdue
    }
}

impl Observer for Late {
    fn event(&mut self, _engine: &Engine, event: &Event) {
        match &event.kind {
            EventKind::Submitted { workload } => {
                self.waiting.insert(workload.id, event.at);
                self.recent.push_back(event.at);
            }
            EventKind::Started { workload, .. } => {
                let since = self.waiting.remove(workload);
                self.started += u64::from(since.is_some_and(|since| event.at.since(since) > self.cap.wait));
            }
            EventKind::Withdrawn { workload } => {
                self.waiting.remove(workload);
            }
            _ => {}
        }
        while self.recent.front().is_some_and(|&at| event.at.since(at) > self.cap.wait) {
            self.recent.pop_front();
        }
        self.overdue = (self.waiting.len() as u64).saturating_sub(self.recent.len() as u64);
    }

    fn go_on(&mut self) -> bool {
        self.count() <= self.cap.late_max
    }
}
