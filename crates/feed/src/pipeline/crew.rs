//! How many threads work. They are started when they are first needed, and those that are too many wait.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::tune::{Pace, Tuned};

pub(super) struct Crew {
    began: Instant,
    size: AtomicUsize,
    /// Threads that work and find nothing to do.
    idle: AtomicUsize,
    /// None where the number is pinned.
    pace: Option<Mutex<Pace>>,
}

impl Crew {
    pub(super) fn new(threads: Tuned) -> Crew {
        Crew {
            began: Instant::now(),
            size: AtomicUsize::new(threads.start),
            idle: AtomicUsize::new(0),
            pace: (!threads.is_pinned()).then(|| Mutex::new(Pace::new(threads))),
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
        let Some(pace) = &self.pace else { return false };
        let size = self.size();
        let working = size.saturating_sub(self.idle.load(Ordering::Relaxed));
        let mut pace = pace.lock().expect("nobody panics while holding it");
        pace.done(self.began.elapsed(), took, 1, working);
        self.size.store(pace.window(), Ordering::Relaxed);
        pace.window() > size
    }
}
