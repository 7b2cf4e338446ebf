//! How many threads work. They are started when they are first needed, and those that are too many wait.

use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::cores::{self, taken_by_process};
use crate::tune::{Pace, Tuned};

pub(super) struct Crew {
    began: Instant,
    size: AtomicUsize,
    /// Threads that work and find nothing to do.
    idle: AtomicUsize,
    /// None where the number is pinned.
    tuning: Option<Mutex<Tuning>>,
}

struct Tuning {
    pace: Pace,
    /// When it was last asked how busy cores are, and the seconds of them that the process had taken then.
    asked: Instant,
    taken: Option<Duration>,
}

impl Crew {
    pub(super) fn new(threads: Tuned) -> Crew {
        Crew {
            began: Instant::now(),
            size: AtomicUsize::new(threads.start),
            idle: AtomicUsize::new(0),
            tuning: (!threads.is_pinned()).then(|| {
                Mutex::new(Tuning { pace: Pace::new(threads), asked: Instant::now(), taken: taken_by_process() })
            }),
        }
    }

    /// How many work.
    pub(super) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// Whether the thread of that number works.
    pub(super) fn has(&self, thread: usize) -> bool {
        thread < self.size()
    }

    /// A thread waits as long as `wait` runs.
    pub(super) fn idle<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.idle.fetch_add(1, Ordering::Relaxed);
        let outcome = wait();
        self.idle.fetch_sub(1, Ordering::Relaxed);
        outcome
    }

    /// A sample is made that took so long. Whether more threads work from now on.
    pub(super) fn made(&self, took: Duration) -> bool {
        let Some(tuning) = &self.tuning else { return false };
        let size = self.size();
        let working = size.saturating_sub(self.idle.load(Ordering::Relaxed));
        let mut tuning = tuning.lock().expect("nobody panics while holding it");
        let Tuning { pace, asked, taken } = &mut *tuning;
        let now = Instant::now();
        pace.done_where(now - self.began, took, 1, working, || {
            let (since, before) = (mem::replace(asked, now), mem::replace(taken, taken_by_process()));
            !are_busy(now - since, before, *taken)
        });
        self.size.store(pace.window(), Ordering::Relaxed);
        pace.window() > size
    }
}

/// Whether a process that had taken so much of the cores takes all of them: then more threads bring nothing but chance, which would raise
/// their number again and again.
fn are_busy(passed: Duration, before: Option<Duration>, now: Option<Duration>) -> bool {
    let taken = now.zip(before).map_or(0.0, |(now, before)| now.saturating_sub(before).as_secs_f64());
    taken > cores::BUSY * cores::usable() as f64 * passed.as_secs_f64()
}
