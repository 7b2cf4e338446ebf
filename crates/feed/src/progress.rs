//! How far long work over a dataset is: counted by who does it, shown by who waits for it, and stopped by either.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Files are opened and their indexes read; they are what is counted.
    Opening,
    /// The names and sizes of fields are looked at; samples are counted.
    Surveying,
    /// Everything is read and checked; samples are counted.
    Checking,
    /// Samples are written, and counted.
    Writing,
}

const STAGES: [Stage; 4] = [Stage::Opening, Stage::Surveying, Stage::Checking, Stage::Writing];

/// Counts that several threads add to and read. They belong together only roughly: it is a display, not a result.
#[derive(Debug, Default)]
pub struct Progress {
    stage: AtomicU64,
    done: AtomicU64,
    total: AtomicU64,
    bytes: AtomicU64,
    stopped: AtomicBool,
}

/// How far the work was at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What was being done.
    pub stage: Stage,
    /// Of what is counted in that stage, so many were done.
    pub done: u64,
    /// Of so many.
    pub total: u64,
    /// Bytes that were read or written in that stage.
    pub bytes: u64,
}

impl Progress {
    /// Begins a stage in which `total` is to be done.
    pub fn begin(&self, stage: Stage, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.stage.store(stage as u64, Ordering::Relaxed);
    }

    /// So much more is done, which took so many bytes.
    pub fn add(&self, done: u64, bytes: u64) {
        self.done.fetch_add(done, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How far it is.
    pub fn now(&self) -> Moment {
        Moment {
            stage: STAGES[self.stage.load(Ordering::Relaxed) as usize],
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// Asks for an end: what is being done with one sample is still done.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether an end was asked for.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
