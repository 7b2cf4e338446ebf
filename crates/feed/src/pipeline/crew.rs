//! How many threads work. They are started when they are first needed, and those that are too many wait.

use std::mem;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

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

/// Where so much of the cores is taken, more threads bring nothing but chance; and chance would raise their number again and again.
const CORES_BUSY: f64 = 0.9;

impl Crew {
    pub(super) fn new(threads: Tuned) -> Crew {
        Crew {
            began: Instant::now(),
            size: AtomicUsize::new(threads.start),
            idle: AtomicUsize::new(0),
            tuning: (!threads.is_pinned())
                .then(|| Mutex::new(Tuning { pace: Pace::new(threads), asked: Instant::now(), taken: cores_taken() })),
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
            let (since, before) = (mem::replace(asked, now), mem::replace(taken, cores_taken()));
            !are_busy(now - since, before, *taken)
        });
        self.size.store(pace.window(), Ordering::Relaxed);
        pace.window() > size
    }
}

/// Whether a process that had taken so many seconds of cores takes all that there are.
fn are_busy(passed: Duration, before: Option<Duration>, now: Option<Duration>) -> bool {
    let cores = thread::available_parallelism().map_or(1, NonZero::get) as f64;
    let taken = now.zip(before).map_or(0.0, |(now, before)| now.saturating_sub(before).as_secs_f64());
    taken > CORES_BUSY * cores * passed.as_secs_f64()
}

/// Seconds of cores that this process has taken, where the system tells that.
fn cores_taken() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
    }
    #[cfg(not(unix))]
    None
}
