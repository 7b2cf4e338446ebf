//! Time that threads spend waiting. What they wait for at this moment counts as well: a store that has not answered for a minute is
//! to be seen before it does.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Time of threads that wait.
#[derive(Debug)]
pub struct Waits {
    origin: Instant,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Threads that wait now.
    threads: u32,
    /// When they began, after the origin, added up.
    began: Duration,
    /// What is over.
    over: Duration,
}

/// A wait that has begun, until it is told that it is over.
#[derive(Debug)]
#[must_use]
pub struct Begun(Duration);

impl Default for Waits {
    fn default() -> Waits {
        Waits { origin: Instant::now(), waiting: Mutex::default() }
    }
}

impl Waits {
    /// A thread begins to wait.
    pub fn begin(&self) -> Begun {
        let began = self.origin.elapsed();
        let mut waiting = self.lock();
        waiting.threads += 1;
        waiting.began += began;
        Begun(began)
    }

    /// It does not wait any more.
    pub fn end(&self, Begun(began): Begun) {
        let now = self.origin.elapsed();
        let mut waiting = self.lock();
        waiting.threads -= 1;
        waiting.began -= began;
        waiting.over += now - began;
    }

    /// All of it until now.
    pub fn seconds(&self) -> f64 {
        let waiting = self.lock();
        // Taken while no thread can begin, so that none has begun later.
        let now = self.origin.elapsed();
        (waiting.over + now * waiting.threads).saturating_sub(waiting.began).as_secs_f64()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("nobody panics while adding up")
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn a_wait_counts_while_it_lasts_and_once_when_it_is_over() {
        let waits = Waits::default();
        let (first, second) = (waits.begin(), waits.begin());
        sleep(Duration::from_millis(20));
        let during = waits.seconds();
        assert!(during >= 0.04, "{during}");
        waits.end(first);
        waits.end(second);
        let after = waits.seconds();
        assert!(after >= during);
        sleep(Duration::from_millis(5));
        assert!((waits.seconds() - after).abs() < 1e-9, "nobody waits any more");
    }
}
