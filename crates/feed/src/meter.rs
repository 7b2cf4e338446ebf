//! What the threads and the consumer spend their time on, added up while they work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Time and how often it was taken.
#[derive(Debug, Default)]
pub struct Clock {
    nanoseconds: AtomicU64,
    times: AtomicU64,
}

impl Clock {
    /// Adds what has passed since `start`; now, so that the next stage can start there.
    pub fn stop(&self, start: Instant) -> Instant {
        let now = Instant::now();
        self.add(now - start);
        now
    }

    /// Adds a time.
    pub fn add(&self, time: Duration) {
        self.nanoseconds.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
        self.times.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it.
    pub fn seconds(&self) -> f64 {
        self.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9
    }
}

/// Where time goes in a loader.
#[derive(Debug, Default)]
pub struct Meter {
    /// Threads: getting bytes from files.
    pub read: Clock,
    /// Threads: making of them what comes out.
    pub make: Clock,
    /// Threads: waiting until the consumer takes a batch.
    pub ahead: Clock,
    /// The consumer: waiting for a batch.
    pub starved: Clock,
    /// Bytes that were read.
    pub bytes: AtomicU64,
    /// Samples that were delivered.
    pub samples: AtomicU64,
    /// Samples that could not be.
    pub failed: AtomicU64,
    /// Batches that were delivered.
    pub batches: AtomicU64,
}

/// What holds a loader back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bottleneck {
    /// Nothing was delivered yet.
    Unknown,
    /// The consumer: batches wait for it.
    Consumer,
    /// Getting bytes from files.
    Read,
    /// Making of them what comes out.
    Make,
}

/// What a meter says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Since the first batch was asked for.
    pub seconds: f64,
    /// Threads that make batches.
    pub threads: usize,
    /// Cores that this process may use.
    pub cores: usize,
    /// Batches that were delivered.
    pub batches: u64,
    /// Samples in them.
    pub samples: u64,
    /// Samples that could not be read.
    pub failed: u64,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Samples delivered in a second.
    pub samples_per_second: f64,
    /// Seconds of threads, getting bytes.
    pub read_seconds: f64,
    /// Seconds of threads, making what comes out.
    pub make_seconds: f64,
    /// Seconds of threads, waiting until the consumer takes a batch.
    pub ahead_seconds: f64,
    /// Seconds of the consumer, waiting for a batch.
    pub starved_seconds: f64,
    /// What holds the loader back.
    pub bottleneck: Bottleneck,
}

/// A consumer that waits for less than this of its time is not held back.
const STARVED_MIN: f64 = 0.02;

impl Meter {
    /// What it says, of a loader that began `seconds` ago.
    pub fn report(&self, seconds: f64, threads: usize, cores: usize) -> Report {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let samples = of(&self.samples);
        let mut report = Report {
            seconds,
            threads,
            cores,
            batches: of(&self.batches),
            samples,
            failed: of(&self.failed),
            bytes_read: of(&self.bytes),
            samples_per_second: if seconds > 0.0 { samples as f64 / seconds } else { 0.0 },
            read_seconds: self.read.seconds(),
            make_seconds: self.make.seconds(),
            ahead_seconds: self.ahead.seconds(),
            starved_seconds: self.starved.seconds(),
            bottleneck: Bottleneck::Unknown,
        };
        report.bottleneck = report.name();
        report
    }
}

impl Report {
    /// Whether threads wait for the consumer for more of their time than it waits for them, as it does for the first batch.
    fn is_ahead(&self) -> bool {
        self.ahead_seconds > self.starved_seconds * self.threads as f64
    }

    fn name(&self) -> Bottleneck {
        if self.batches == 0 {
            Bottleneck::Unknown
        } else if self.starved_seconds < STARVED_MIN * self.seconds || self.is_ahead() {
            Bottleneck::Consumer
        } else if self.read_seconds > self.make_seconds {
            Bottleneck::Read
        } else {
            Bottleneck::Make
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longest_is_named_unless_batches_wait() {
        let meter = |read: f64, make: f64, ahead: f64, starved: f64| {
            let meter = Meter::default();
            meter.read.add(Duration::from_secs_f64(read));
            meter.make.add(Duration::from_secs_f64(make));
            meter.ahead.add(Duration::from_secs_f64(ahead));
            meter.starved.add(Duration::from_secs_f64(starved));
            meter.batches.store(10, Ordering::Relaxed);
            meter.report(10.0, 2, 4).bottleneck
        };
        assert_eq!(Meter::default().report(10.0, 2, 4).bottleneck, Bottleneck::Unknown);
        assert_eq!(meter(15.0, 5.0, 0.0, 8.0), Bottleneck::Read);
        assert_eq!(meter(2.0, 17.0, 1.0, 8.0), Bottleneck::Make);
        assert_eq!(meter(1.0, 2.0, 17.0, 0.1), Bottleneck::Consumer);
        // The first batch was waited for, and none after it.
        assert_eq!(meter(1.0, 9.0, 10.0, 0.5), Bottleneck::Consumer);
    }
}
