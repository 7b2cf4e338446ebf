//! Seconds of cores that samples take, whoever else has the cores meanwhile: a thread that waits for one takes none.

use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

/// Of so many samples that a thread makes, one is measured: to ask for a thread's time takes about a quarter of a microsecond.
const EVERY: u32 = 8;

/// What the samples that were measured took.
#[derive(Debug, Default)]
pub struct Cores {
    nanoseconds: AtomicU64,
    samples: AtomicU64,
}

/// Which sample of a thread is measured next.
#[derive(Debug, Default)]
pub struct Turns(u32);

impl Cores {
    /// Does something for a sample, and measures it if it is its turn.
    pub fn measure<T>(&self, turns: &mut Turns, what: impl FnOnce() -> T) -> T {
        turns.0 = turns.0.wrapping_add(1);
        if !turns.0.is_multiple_of(EVERY) {
            return what();
        }
        let start = of_thread();
        let outcome = what();
        if let (Some(start), Some(end)) = (start, of_thread()) {
            self.nanoseconds.fetch_add(end.saturating_sub(start), Ordering::Relaxed);
            self.samples.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// Seconds, and the samples that took them.
    pub fn totals(&self) -> (f64, f64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        (of(&self.nanoseconds) / 1e9, of(&self.samples))
    }
}

/// Nanoseconds that this thread had a core for, where the system tells that.
fn of_thread() -> Option<u64> {
    #[cfg(unix)]
    {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Some(u64::try_from(time.tv_sec).ok()? * 1_000_000_000 + u64::try_from(time.tv_nsec).ok()?)
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_waits_takes_nothing() {
        let (cores, mut turns) = (Cores::default(), Turns::default());
        let wait = || thread::sleep(Duration::from_millis(3));
        (0..2 * EVERY).for_each(|_| cores.measure(&mut turns, wait));
        let (waited, samples) = cores.totals();
        assert!((samples - 2.0).abs() < 1e-9);
        assert!(waited < 0.003, "{waited} s of a core");
        let work = || {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(3) {}
        };
        (0..EVERY).for_each(|_| cores.measure(&mut turns, work));
        assert!(cores.totals().0 > waited);
    }
}
