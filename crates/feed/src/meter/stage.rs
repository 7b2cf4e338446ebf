//! What stands between a loader and whoever trains, and is no part of it: functions of Python. It tells how it fares, and whoever
//! takes its batches is the consumer then.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// How a stage fares, since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stage {
    /// Workers that may work at once, now.
    pub workers: usize,
    /// Samples that it delivered.
    pub samples: u64,
    /// Seconds of its workers.
    pub busy_seconds: f64,
    /// Seconds of whoever takes its batches, waiting for one.
    pub starved_seconds: f64,
}

/// What a stage told last.
#[derive(Debug, Default)]
pub struct StageMeter {
    /// None where there is no stage.
    workers: AtomicUsize,
    samples: AtomicU64,
    busy_ns: AtomicU64,
    starved_ns: AtomicU64,
}

impl StageMeter {
    /// Notes what a stage tells; it has at least one worker, and its times are no less than what it told before.
    pub fn note(&self, stage: Stage) {
        let nanoseconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default().as_nanos() as u64;
        self.samples.store(stage.samples, Ordering::Relaxed);
        self.busy_ns.store(nanoseconds(stage.busy_seconds), Ordering::Relaxed);
        self.starved_ns.store(nanoseconds(stage.starved_seconds), Ordering::Relaxed);
        self.workers.store(stage.workers, Ordering::Relaxed);
    }

    /// What it told last; none where there is no stage.
    pub fn now(&self) -> Option<Stage> {
        let seconds = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64 / 1e9;
        let workers = self.workers.load(Ordering::Relaxed);
        (workers > 0).then(|| Stage {
            workers,
            samples: self.samples.load(Ordering::Relaxed),
            busy_seconds: seconds(&self.busy_ns),
            starved_seconds: seconds(&self.starved_ns),
        })
    }
}
