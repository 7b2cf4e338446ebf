//! Asking the replay: what comes of this scenario? Who answers many questions at once is up to the caller, since this crate has
//! no threads.

use replay::history::History;
use replay::outcome::Outcome;
use replay::scenario::Scenario;
use replay::setup::{Setup, Unfit};
use replay::{run, run_observed};

use crate::late::{Late, Verdict, WaitCap};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is different.
    pub scenario: Scenario,
    /// If given, only whether this is kept is asked.
    pub cap: Option<WaitCap>,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It was lived through.
    Done(Outcome),
    /// It was lived as far as was needed to tell whether the cap is kept.
    Judged(Verdict),
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
    let Some(cap) = &question.cap else { return Ok(Answer::Done(run(&setup, seed))) };
    let mut late = Late::new(cap, &setup);
    run_observed(&setup, seed, &mut late);
    Ok(Answer::Judged(late.verdict()))
}

/// One replay after the other, with seed 1.
#[cfg(test)]
pub(crate) struct Serial<'a>(pub(crate) &'a History);

#[cfg(test)]
impl Replayer for Serial<'_> {
    fn answer(&self, questions: &[Question]) -> Result<Vec<Answer>, Unfit> {
        questions.iter().map(|question| answer(self.0, question, 1)).collect()
    }
}
