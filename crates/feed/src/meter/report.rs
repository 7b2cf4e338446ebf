//! What people get: all since the beginning, what holds the loader back now, and what would be if it did not.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::diagnosis::Measured;
use super::{Bottleneck, Prediction, Stage, Totals};
use crate::pipeline::Numbers;
use crate::sequence;
use crate::source::cache;
use crate::source::remote;

/// What a report is, as it is written: raised where a reader of an older one would be misled.
const VERSION: u32 = 1;

/// Where the time goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// 1: what is written here.
    pub version: u32,
    /// What the loader is called by, and what is paid for whoever waits for it.
    #[serde(flatten)]
    pub given: Given,
    /// Since the first batch was asked for.
    pub seconds: f64,
    /// Threads that make batches now.
    pub threads: usize,
    /// Batches that are made ahead, at most, now.
    pub prefetch: usize,
    /// Batches that are made, and not taken.
    pub ready: usize,
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
    /// What threads spent their time on.
    #[serde(flatten)]
    pub spent: Spent,
    /// Seconds of the consumer, waiting for a batch; where there is a stage behind the loader, that is the stage.
    pub starved_seconds: f64,
    /// What is said of the last seconds alone.
    pub recent: Recent,
    /// Memory, in bytes.
    pub memory: Memory,
    /// What stores were asked, where data are in one.
    pub store: Option<Store>,
    /// What was kept on this machine, where anything is.
    pub cache: Option<Cache>,
    /// What came of each source, where several are mixed.
    #[serde(default)]
    pub sources: Vec<SourceCount>,
    /// The stage behind the loader, where there is one.
    pub transform: Option<Transform>,
    /// What the waiting costs in an hour, as in the last seconds; where a price was told.
    pub stall_cost_per_hour: Option<Price>,
    /// What became of documents, where columns are made of them.
    #[serde(default)]
    pub sequences: Option<sequence::Made>,
}

/// What came of a source that is mixed with others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceCount {
    /// What it is called.
    pub name: String,
    /// The part of all samples that it has in the long run.
    pub share: f64,
    /// Samples of it that were delivered here.
    pub samples: u64,
    /// How often all of it came, over all ranks and since the first epoch: 1.5 is once, and half of it once more.
    pub passes: f64,
}

/// What a loader is called by, and what is paid for whoever waits for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// What is read: a name, and how many more there are.
    pub data: String,
    /// This rank.
    pub rank: u64,
    /// Ranks that share each epoch.
    pub world_size: u64,
    /// What an hour costs of all that waits while the consumer does.
    pub price_per_hour: Option<Price>,
}

/// Money, in millionths of its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Millionths of the currency's unit.
    pub micros: i64,
    /// An ISO 4217 code, such as `USD`.
    pub currency: String,
}

impl Price {
    /// That share of it, from 0 to 1, rounded.
    pub fn share(&self, share: f64) -> Price {
        // Exact in integers but for the share, which is measured.
        let millionths = (share.clamp(0.0, 1.0) * 1e6).round() as i128;
        let micros = (i128::from(self.micros) * millionths + 500_000) / 1_000_000;
        Price { micros: i64::try_from(micros).unwrap_or(i64::MAX), currency: self.currency.clone() }
    }
}

/// Seconds of threads, added up over all of them: with two, there are two in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Getting bytes.
    pub read_seconds: f64,
    /// Making what comes out.
    pub make_seconds: f64,
    /// Of that, decoding images.
    pub decode_seconds: f64,
    /// Waiting for what was asked of a store.
    pub fetch_seconds: f64,
    /// Waiting for memory, which batches have that the consumer refers to.
    pub memory_seconds: f64,
    /// Waiting until the consumer takes a batch.
    pub ahead_seconds: f64,
}

impl From<Totals> for Spent {
    fn from(totals: Totals) -> Spent {
        let Totals { read, make, decode, fetch, memory, ahead, .. } = totals;
        Spent {
            read_seconds: read,
            make_seconds: make,
            decode_seconds: decode,
            fetch_seconds: fetch,
            memory_seconds: memory,
            ahead_seconds: ahead,
        }
    }
}

/// What is said of the last seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    /// How many.
    pub seconds: f64,
    /// Samples delivered in a second.
    pub samples_per_second: f64,
    /// Bytes that were read in a second.
    pub bytes_per_second: f64,
    /// The part of its time that whoever takes batches in the end waited for one.
    pub starved: f64,
    /// What threads spent their time on.
    #[serde(flatten)]
    pub spent: Spent,
    /// What holds the loader back.
    pub bottleneck: Bottleneck,
    /// What would be delivered in a second if something were different.
    pub prediction: Prediction,
}

/// Memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// The stage behind the loader: functions of Python.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transform {
    /// Workers that may work at once, now.
    pub workers: usize,
    /// Samples that it delivered.
    pub samples: u64,
    /// Seconds of its workers.
    pub busy_seconds: f64,
    /// Seconds of whoever takes its batches, waiting for one.
    pub starved_seconds: f64,
}

/// What a report is made from.
#[derive(Debug)]
pub struct Parts {
    /// What the loader is called by.
    pub given: Given,
    /// Since the first batch was asked for.
    pub seconds: f64,
    /// All since then.
    pub totals: Totals,
    /// The last seconds, and what happened in them.
    pub recent: (f64, Totals),
    /// Threads and batches.
    pub numbers: Numbers,
    /// Cores that this process may use.
    pub cores: usize,
    /// Samples of an epoch, of this rank.
    pub epoch: u64,
    /// Memory.
    pub memory: Memory,
    /// The stage behind the loader, where there is one.
    pub stage: Option<Stage>,
}

impl Report {
    /// What the parts say together.
    pub fn of(parts: Parts) -> Report {
        let Parts { given, seconds, totals, recent: (recent_seconds, recent), numbers, cores, epoch, memory, stage } =
            parts;
        let has_stage = stage.is_some();
        let measured =
            Measured { seconds: recent_seconds, totals: recent, cores, threads: numbers.threads, epoch, has_stage };
        let per_second = |amount: f64| if recent_seconds > 0.0 { amount / recent_seconds } else { 0.0 };
        // A wait that a stage tells of when it is over may have begun before.
        let starved = per_second(measured.starved()).min(1.0);
        Report {
            version: VERSION,
            stall_cost_per_hour: given.price_per_hour.as_ref().map(|price| price.share(starved)),
            given,
            seconds,
            threads: numbers.threads,
            prefetch: numbers.ahead,
            ready: numbers.ready,
            cores,
            batches: totals.batches as u64,
            samples: totals.samples as u64,
            failed: totals.failed as u64,
            bytes_read: totals.bytes as u64,
            spent: totals.into(),
            starved_seconds: totals.starved,
            recent: Recent {
                seconds: recent_seconds,
                samples_per_second: measured.rate(),
                bytes_per_second: per_second(recent.bytes),
                starved,
                spent: recent.into(),
                bottleneck: measured.bottleneck(),
                prediction: measured.prediction(),
            },
            memory,
            store: None,
            cache: None,
            sources: Vec::new(),
            transform: stage.map(|Stage { workers, samples, busy_seconds, starved_seconds }| Transform {
                workers,
                samples,
                busy_seconds,
                starved_seconds,
            }),
            sequences: None,
        }
    }

    /// Seconds that whoever takes batches in the end waited for one.
    pub fn waited_seconds(&self) -> f64 {
        self.transform.map_or(self.starved_seconds, |stage| stage.starved_seconds)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_a_price_is_rounded_to_the_millionth() {
        let price = Price { micros: 20_000_000, currency: "EUR".to_owned() };
        for (share, micros) in [(0.0, 0), (0.38, 7_600_000), (1.0, 20_000_000), (7.0, 20_000_000), (1e-6, 20)] {
            assert_eq!(price.share(share), Price { micros, currency: "EUR".to_owned() }, "{share}");
        }
        let all = Price { micros: i64::MAX, currency: "USD".to_owned() };
        assert_eq!(all.share(1.0).micros, i64::MAX);
    }
}
