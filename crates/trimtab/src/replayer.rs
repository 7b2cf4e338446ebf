//! Answers questions of `advise` on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use advise::question::{Answer, Question, Replayer, answer};
use replay::history::History;
use replay::setup::Unfit;

/// Replays on all cores. The answers do not depend on how many there are.
pub(crate) struct Threads<'a> {
    history: &'a History,
    seed: u64,
    done: std::sync::Arc<AtomicUsize>,
}

impl<'a> Threads<'a> {
    /// `done` is raised with every replay, for whoever shows progress.
    pub(crate) fn new(history: &'a History, seed: u64, done: std::sync::Arc<AtomicUsize>) -> Self {
        Self { history, seed, done }
    }
}

impl Replayer for Threads<'_> {
    fn answer(&self, questions: &[Question]) -> Result<Vec<Answer>, Unfit> {
        let next = AtomicUsize::new(0);
        let answers: Vec<Mutex<Option<Result<Answer, Unfit>>>> = questions.iter().map(|_| Mutex::new(None)).collect();
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(questions.len());
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(question) = questions.get(index) else { break };
                        let found = answer(self.history, question, self.seed);
                        self.done.fetch_add(1, Ordering::Relaxed);
                        *answers[index].lock().expect("no thread panics while it holds an answer") = Some(found);
                    }
                });
            }
        });
        let answers = answers.into_iter().map(|answer| {
            let answer = answer.into_inner().expect("no thread panics while it holds an answer");
            answer.expect("every question was taken by a thread")
        });
        answers.collect()
    }
}
