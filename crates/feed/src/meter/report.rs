//! What people get: all since the beginning, what holds the loader back now, and what would be if it did not.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::diagnosis::Measured;
use super::{Bottleneck, Prediction, Totals};
use crate::sequence;
use crate::source::cache;
use crate::source::remote;

/// Where the time goes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Since the first batch was asked for.
    pub seconds: f64,
    /// Threads that make batches now.
    pub threads: usize,
    /// Batches that are made ahead, at most, now.
    pub prefetch: usize,
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
    /// Seconds of threads, getting bytes.
    pub read_seconds: f64,
    /// Seconds of threads, making what comes out.
    pub make_seconds: f64,
    /// Seconds of threads, of those, decoding images.
    pub decode_seconds: f64,
    /// Seconds of threads, waiting for what was asked of a store.
    pub fetch_seconds: f64,
    /// Seconds of threads, waiting until the consumer takes a batch.
    pub ahead_seconds: f64,
    /// Seconds of the consumer, waiting for a batch.
    pub starved_seconds: f64,
    /// What is said of the last seconds alone.
    pub recent: Recent,
    /// Memory, in bytes.
    pub memory: Memory,
    /// What stores were asked, where data are in one.
    pub store: Option<Store>,
    /// What was kept on this machine, where anything is.
    pub cache: Option<Cache>,
    /// What became of documents, where columns are made of them.
    pub sequences: Option<sequence::Made>,
}

/// What is said of the last seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Recent {
    /// How many.
    pub seconds: f64,
    /// Samples delivered in a second.
    pub samples_per_second: f64,
    /// Bytes that were read in a second.
    pub bytes_per_second: f64,
    /// The part of its time that the consumer waited for a batch.
    pub starved: f64,
    /// What holds the loader back.
    pub bottleneck: Bottleneck,
    /// What would be delivered in a second if something were different.
    pub prediction: Prediction,
}

/// Memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All that may be used.
    pub limit: usize,
    /// Of batches: those that are made, and those that the consumer has.
    pub batches: usize,
    /// What there is for them.
    pub batches_limit: usize,
    /// Of what was fetched and not yet used.
    pub fetched: usize,
    /// Of images that are kept decoded.
    pub decoded: usize,
}

/// What stores were asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Store {
    /// Requests.
    pub requests: u64,
    /// Of those that failed, sent again.
    pub retries: u64,
    /// Times that a store said that it is asked too often.
    pub throttled: u64,
    /// Bytes that came.
    pub bytes: u64,
    /// Requests that may be under way at once, now.
    pub under_way_max: usize,
}

/// What was kept on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cache {
    /// Bytes that came from there.
    pub read_bytes: u64,
    /// Bytes that were written there.
    pub written_bytes: u64,
    /// Blocks for which there was no room.
    pub unwritten: u64,
    /// Blocks that were damaged, and removed.
    pub damaged: u64,
}

/// What a report is made from.
#[derive(Debug)]
pub struct Parts {
    /// Since the first batch was asked for.
    pub seconds: f64,
    /// All since then.
    pub totals: Totals,
    /// The last seconds, and what happened in them.
    pub recent: (f64, Totals),
    /// Threads, and batches that are made ahead.
    pub numbers: (usize, usize),
    /// Cores that this process may use.
    pub cores: usize,
    /// Samples of an epoch, of this rank.
    pub epoch: u64,
    /// Memory.
    pub memory: Memory,
}

impl Report {
    /// What the parts say together.
    pub fn of(parts: &Parts) -> Report {
        let Parts { seconds, totals, recent: (recent_seconds, recent), numbers, cores, epoch, memory } = *parts;
        let (threads, prefetch) = numbers;
        let measured = Measured { seconds: recent_seconds, totals: recent, cores, threads, epoch };
        let per_second = |amount: f64| if recent_seconds > 0.0 { amount / recent_seconds } else { 0.0 };
        Report {
            seconds,
            threads,
            prefetch,
            cores,
            batches: totals.batches as u64,
            samples: totals.samples as u64,
            failed: totals.failed as u64,
            bytes_read: totals.bytes as u64,
            read_seconds: totals.read,
            make_seconds: totals.make,
            decode_seconds: totals.decode,
            fetch_seconds: totals.fetch,
            ahead_seconds: totals.ahead,
            starved_seconds: totals.starved,
            recent: Recent {
                seconds: recent_seconds,
                samples_per_second: measured.rate(),
                bytes_per_second: per_second(recent.bytes),
                starved: per_second(recent.starved),
                bottleneck: measured.bottleneck(),
                prediction: measured.prediction(),
            },
            memory,
            store: None,
            cache: None,
            sequences: None,
        }
    }
}

fn of(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

impl From<&remote::Fetcher> for Store {
    fn from(fetcher: &remote::Fetcher) -> Store {
        let counts = fetcher.counts();
        Store {
            requests: of(&counts.requests),
            retries: of(&counts.retries),
            throttled: of(&counts.throttled),
            bytes: of(&counts.bytes),
            under_way_max: fetcher.under_way_max(),
        }
    }
}

impl From<&cache::Counts> for Cache {
    fn from(counts: &cache::Counts) -> Cache {
        Cache {
            read_bytes: of(&counts.read_bytes),
            written_bytes: of(&counts.written_bytes),
            unwritten: of(&counts.unwritten),
            damaged: of(&counts.damaged),
        }
    }
}
