//! What the threads and the consumer spend their time on, added up while they work.
//!
//! A [`Meter`] is written by all of them; [`Totals`] is what it says at one moment, and the difference of two says what happened
//! between them. What follows from that is in `diagnosis`, [`Report`] is what people get, and [`remedies`] what they could change.

mod cores;
mod diagnosis;
mod history;
mod keep;
mod remedy;
mod report;
mod stage;
mod waits;

use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use cores::{Cores, Since, Turns};
pub use diagnosis::{Bottleneck, Prediction};
pub use history::History;
pub use keep::Passed;
pub use remedy::{Change, Remedy, remedies};
pub use report::{Cache, Given, Memory, Parts, Price, Recent, Report, SourceCount, Spent, Store, Transform};
pub use stage::{Stage, StageMeter};
pub use waits::{Begun, Waits};

/// Time that was taken.
#[derive(Debug, Default)]
pub struct Clock {
    nanoseconds: AtomicU64,
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
    /// Threads: of that, decoding images, and what else is done once for an image that is kept decoded.
    pub decode: Clock,
    /// Threads: cores, for reading and making.
    pub cores: Cores,
    /// Threads: waiting until the consumer takes a batch.
    pub ahead: Waits,
    /// Threads: waiting for memory, which batches have that the consumer refers to.
    pub memory: Waits,
    /// Threads: waiting for what was asked of a store.
    pub fetch: Waits,
    /// The consumer: waiting for a batch.
    pub starved: Clock,
    /// Bytes that were read.
    pub bytes: AtomicU64,
    /// Bytes of images that were decoded, as they are kept.
    pub decoded_bytes: AtomicU64,
    /// Of these, bytes of the rows that are looked at.
    pub seen_bytes: AtomicU64,
    /// Images that were decoded.
    pub decoded: AtomicU64,
    /// Samples that were delivered.
    pub samples: AtomicU64,
    /// Samples that could not be.
    pub failed: AtomicU64,
    /// Batches that were delivered.
    pub batches: AtomicU64,
    /// What stands between the loader and whoever trains, where anything does.
    pub stage: StageMeter,
}

/// What a meter says at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Seconds: [`Meter::read`], and the others as they are there.
    pub read: f64,
    /// Seconds.
    pub make: f64,
    /// Seconds.
    pub decode: f64,
    /// Seconds of cores, of some samples.
    pub cores: f64,
    /// Of these, seconds for reading.
    pub cores_reading: f64,
    /// Those samples.
    pub cores_samples: f64,
    /// Seconds.
    pub ahead: f64,
    /// Seconds.
    pub memory: f64,
    /// Seconds.
    pub fetch: f64,
    /// Seconds.
    pub starved: f64,
    /// Bytes.
    pub bytes: f64,
    /// Bytes.
    pub decoded_bytes: f64,
    /// Bytes.
    pub seen_bytes: f64,
    /// Images.
    pub decoded: f64,
    /// Samples.
    pub samples: f64,
    /// Samples.
    pub failed: f64,
    /// Batches.
    pub batches: f64,
    /// Of the stage behind the loader, where there is one: samples.
    pub stage_samples: f64,
    /// Of that stage: seconds of whoever takes batches, waiting for one.
    pub stage_starved: f64,
}

impl Meter {
    /// What it says now.
    pub fn totals(&self) -> Totals {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        let (cores, cores_reading, cores_samples) = self.cores.totals();
        Totals {
            cores,
            cores_reading,
            cores_samples,
            read: self.read.seconds(),
            make: self.make.seconds(),
            decode: self.decode.seconds(),
            ahead: self.ahead.seconds(),
            memory: self.memory.seconds(),
            fetch: self.fetch.seconds(),
            starved: self.starved.seconds(),
            bytes: of(&self.bytes),
            decoded_bytes: of(&self.decoded_bytes),
            seen_bytes: of(&self.seen_bytes),
            decoded: of(&self.decoded),
            samples: of(&self.samples),
            failed: of(&self.failed),
            batches: of(&self.batches),
            stage_samples: self.stage.now().map_or(0.0, |stage| stage.samples as f64),
            stage_starved: self.stage.now().map_or(0.0, |stage| stage.starved_seconds),
        }
    }
}

impl Sub for Totals {
    type Output = Totals;

    fn sub(self, before: Totals) -> Totals {
        Totals {
            read: self.read - before.read,
            make: self.make - before.make,
            decode: self.decode - before.decode,
            cores: self.cores - before.cores,
            cores_reading: self.cores_reading - before.cores_reading,
            cores_samples: self.cores_samples - before.cores_samples,
            ahead: self.ahead - before.ahead,
            memory: self.memory - before.memory,
            fetch: self.fetch - before.fetch,
            starved: self.starved - before.starved,
            bytes: self.bytes - before.bytes,
            decoded_bytes: self.decoded_bytes - before.decoded_bytes,
            seen_bytes: self.seen_bytes - before.seen_bytes,
            decoded: self.decoded - before.decoded,
            samples: self.samples - before.samples,
            failed: self.failed - before.failed,
            batches: self.batches - before.batches,
            stage_samples: self.stage_samples - before.stage_samples,
            stage_starved: self.stage_starved - before.stage_starved,
        }
    }
}
