//! Seconds of cores that samples take, whoever else has the cores meanwhile: a thread that waits for one takes none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::cores::taken_by_thread;

/// Of so many samples that a thread makes, one is measured: to ask for a thread's time takes about a quarter of a microsecond.
const EVERY: u32 = 8;

/// What the samples that were measured took.
#[derive(Debug, Default)]
pub struct Cores {
    all: AtomicU64,
    reading: AtomicU64,
    samples: AtomicU64,
}

/// Which samples of a thread are measured, and whether the present one is.
#[derive(Debug, Default)]
pub struct Turns {
    number: u32,
    is_measured: bool,
}

/// What is being measured, and since when.
#[derive(Debug)]
#[must_use]
pub struct Since(Option<Duration>);

impl Cores {
    /// A sample begins.
    pub fn begin(&self, turns: &mut Turns) -> Since {
        turns.number = turns.number.wrapping_add(1);
        turns.is_measured = turns.number.is_multiple_of(EVERY);
        Since(turns.is_measured.then(taken_by_thread).flatten())
    }

    /// It ends.
    pub fn end(&self, since: Since) {
        if let Some(nanoseconds) = since.passed() {
            self.all.fetch_add(nanoseconds, Ordering::Relaxed);
            self.samples.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Something of it is read.
    pub fn begin_reading(&self, turns: &Turns) -> Since {
        Since(turns.is_measured.then(taken_by_thread).flatten())
    }

    /// That is here.
    pub fn end_reading(&self, since: Since) {
        if let Some(nanoseconds) = since.passed() {
            self.reading.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    /// Seconds, those of them that were for reading, and the samples that took them.
    pub fn totals(&self) -> (f64, f64, f64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        (of(&self.all) / 1e9, of(&self.reading) / 1e9, of(&self.samples))
    }
}

impl Since {
    fn passed(self) -> Option<u64> {
        Some(taken_by_thread()?.saturating_sub(self.0?).as_nanos() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Instant;

    use super::*;

    fn work() {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(3) {}
    }

    #[test]
    fn what_waits_takes_nothing_and_reading_is_a_part() {
        let (cores, mut turns) = (Cores::default(), Turns::default());
        let mut sample = |read: fn(), make: fn()| {
            for _ in 0..EVERY {
                let begun = cores.begin(&mut turns);
                let reading = cores.begin_reading(&turns);
                read();
                cores.end_reading(reading);
                make();
                cores.end(begun);
            }
            cores.totals()
        };
        let wait = || thread::sleep(Duration::from_millis(3));
        let (waited, reading, samples) = sample(wait, wait);
        assert!((samples - 1.0).abs() < 1e-9);
        assert!(waited < 0.003 && reading <= waited, "{waited} s of a core");
        let (read, reading, _) = sample(work, wait);
        assert!(reading > 0.5 * read, "{reading} s of {read} s");
        let (all, still, samples) = sample(wait, work);
        assert!(all > read && still - reading < 0.5 * (all - read), "{still} s for reading, of {all} s");
        assert!((samples - 3.0).abs() < 1e-9);
    }
}
