//! What a person could change about a loader that holds training back, and what that would bring. Pure functions of a report.

use serde::Serialize;

use super::{Bottleneck, Report};

/// Something to change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Remedy {
    /// What.
    #[serde(flatten)]
    pub change: Change,
    /// The loader's option that does it; none where it is done elsewhere.
    pub option: Option<&'static str>,
    /// Samples a second then, where that can be told.
    pub samples_per_second: Option<f64>,
    /// How many times as fast that is.
    pub times: Option<f64>,
}

/// What to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// More threads: fewer than there are cores work.
    MoreThreads {
        /// Cores that the process may use.
        cores: usize,
    },
    /// Another core for the process.
    AnotherCore,
    /// Keep images decoded; from the second epoch on.
    DecodedCache {
        /// Bytes that all images of an epoch take.
        bytes: u64,
    },
    /// More memory for batches: threads wait for it.
    MoreMemory,
    /// Keep what comes from a store on a disk of this machine; from the second epoch on.
    CacheOnDisk,
    /// More room on that disk: blocks were left out for lack of it.
    MoreCache,
    /// A store that is nearer, or answers faster.
    NearerStore,
    /// A store that may be asked more often: it says that it is asked too often.
    StoreLimits,
    /// A faster disk.
    FasterDisk,
    /// Functions of Python in processes of their own.
    Processes,
}

/// What would bring less than this is not worth a line.
const TIMES_MIN: f64 = 1.05;
/// A cache on disk brings nothing where most of what is read comes from there already.
const CACHED_MOST: f64 = 0.9;

/// What would help, the surest first. Empty where nothing here holds training back.
pub fn remedies(report: &Report) -> Vec<Remedy> {
    let prediction = report.recent.prediction;
    let rate = report.recent.samples_per_second;
    let remedy = |change: Change, option: Option<&'static str>, then: Option<f64>| {
        let samples_per_second = then.filter(|then| rate > 0.0 && *then > TIMES_MIN * rate);
        Remedy { change, option, samples_per_second, times: samples_per_second.map(|then| then / rate) }
    };
    let mut found = Vec::new();
    match report.recent.bottleneck {
        Bottleneck::Unknown | Bottleneck::Consumer => return found,
        Bottleneck::Transform => {
            found.push(remedy(Change::Processes, Some("transform"), prediction.without_bottleneck));
        }
        Bottleneck::Network => network(report, &mut |change, option, then| found.push(remedy(change, option, then))),
        Bottleneck::Disk => found.push(remedy(Change::FasterDisk, None, prediction.without_bottleneck)),
        Bottleneck::Decode => {
            if report.threads < report.cores {
                let more = report.cores as f64 / report.threads.max(1) as f64;
                let bound = prediction.without_bottleneck.unwrap_or(f64::INFINITY);
                let change = Change::MoreThreads { cores: report.cores };
                found.push(remedy(change, Some("threads"), Some((rate * more).min(bound))));
            } else {
                found.push(remedy(Change::AnotherCore, None, prediction.another_core));
            }
        }
    }
    if let (Some(then), Some(bytes)) = (prediction.decoded_cache, prediction.decoded_bytes) {
        found.push(remedy(Change::DecodedCache { bytes: bytes.ceil() as u64 }, Some("decoded_cache"), Some(then)));
    }
    if let Some(then) = prediction.more_memory {
        found.push(remedy(Change::MoreMemory, Some("memory_limit"), Some(then)));
    }
    // Of these it is known what they bring; of the rest, that they are what to look at.
    let is_measured =
        |change: &Change| matches!(change, Change::AnotherCore | Change::DecodedCache { .. } | Change::MoreMemory);
    found.retain(|remedy| remedy.times.is_some() || !is_measured(&remedy.change));
    found
}

fn network(report: &Report, add: &mut dyn FnMut(Change, Option<&'static str>, Option<f64>)) {
    let then = report.recent.prediction.without_bottleneck;
    match report.cache {
        None => add(Change::CacheOnDisk, Some("cache_dir"), then),
        Some(cache) if cache.unwritten > 0 => add(Change::MoreCache, Some("cache_limit"), then),
        Some(_) => {}
    }
    if report.store.is_some_and(|store| store.throttled > 0) {
        add(Change::StoreLimits, None, None);
    }
    let from_cache = report.cache.map_or(0.0, |cache| cache.read_bytes as f64);
    let from_store = report.store.map_or(0.0, |store| store.bytes as f64);
    if from_cache < CACHED_MOST * (from_cache + from_store) || from_cache + from_store < 1.0 {
        add(Change::NearerStore, None, then);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Cache, Given, Memory, Prediction, Recent, Spent, Store};

    fn report(bottleneck: Bottleneck, prediction: Prediction) -> Report {
        let recent = Recent {
            seconds: 10.0,
            samples_per_second: 100.0,
            bytes_per_second: 1e6,
            starved: 0.5,
            spent: Spent::default(),
            bottleneck,
            prediction,
        };
        Report {
            version: 1,
            given: Given::default(),
            seconds: 100.0,
            threads: 4,
            prefetch: 4,
            ready: 0,
            cores: 4,
            batches: 100,
            samples: 10_000,
            failed: 0,
            bytes_read: 1 << 30,
            spent: Spent::default(),
            starved_seconds: 50.0,
            recent,
            memory: Memory::default(),
            store: None,
            cache: None,
            sources: Vec::new(),
            sequences: None,
            transform: None,
            stall_cost_per_hour: None,
        }
    }

    /// The options and how many times as fast it would be, in the order in which they are told.
    fn told(report: &Report) -> Vec<(Option<&'static str>, Option<f64>)> {
        remedies(report).iter().map(|remedy| (remedy.option, remedy.times)).collect()
    }

    #[test]
    fn what_is_told_hangs_on_what_holds_back() {
        let prediction = Prediction {
            without_bottleneck: Some(200.0),
            another_core: Some(125.0),
            more_memory: Some(101.0),
            decoded_cache: Some(300.0),
            decoded_bytes: Some(1e9),
        };
        assert!(told(&report(Bottleneck::Unknown, Prediction::default())).is_empty());
        assert!(told(&report(Bottleneck::Consumer, prediction)).is_empty());
        let decode = report(Bottleneck::Decode, prediction);
        assert_eq!(told(&decode), [(None, Some(1.25)), (Some("decoded_cache"), Some(3.0))]);
        let few = Report { threads: 1, ..decode };
        assert_eq!(told(&few), [(Some("threads"), Some(2.0)), (Some("decoded_cache"), Some(3.0))]);
        let held = Prediction { more_memory: Some(150.0), decoded_cache: None, ..prediction };
        let held = report(Bottleneck::Disk, held);
        assert_eq!(told(&held), [(None, Some(2.0)), (Some("memory_limit"), Some(1.5))]);
        let staged = Prediction { decoded_cache: Some(100.0), ..prediction };
        assert_eq!(told(&report(Bottleneck::Transform, staged)), [(Some("transform"), Some(2.0))]);
    }

    #[test]
    fn of_a_store_it_is_told_what_it_said() {
        let prediction = Prediction { without_bottleneck: Some(400.0), ..Prediction::default() };
        let mut network = report(Bottleneck::Network, prediction);
        network.store = Some(Store { throttled: 3, bytes: 1 << 20, ..Store::default() });
        assert_eq!(told(&network), [(Some("cache_dir"), Some(4.0)), (None, None), (None, Some(4.0))]);
        network.cache = Some(Cache { unwritten: 7, read_bytes: 1 << 30, ..Cache::default() });
        let changes: Vec<Change> = remedies(&network).iter().map(|remedy| remedy.change).collect();
        assert_eq!(changes, [Change::MoreCache, Change::StoreLimits]);
    }
}
