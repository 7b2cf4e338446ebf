//! What a report comes to. Figures only; `words` says them.

use ::feed::meter::{Bottleneck, Prediction, Remedy, Spent, remedies};
use ::feed::serve::Told;
use serde::Serialize;

use super::cost::{Priced, Stall, stall};

/// What a report comes to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) pid: Option<u32>,
    pub(super) loader: Option<u32>,
    pub(super) data: String,
    pub(super) rank: u64,
    pub(super) world_size: u64,
    /// Seconds that are spoken of.
    pub(super) seconds: f64,
    pub(super) samples_per_second: f64,
    pub(super) bytes_per_second: f64,
    pub(super) failed: u64,
    /// The share of its time that whoever takes batches waits for one.
    pub(super) waits: f64,
    pub(super) bottleneck: Bottleneck,
    pub(super) threads: usize,
    pub(super) cores: usize,
    /// What threads spend their time on.
    pub(super) activities: Vec<Activity>,
    pub(super) prediction: Prediction,
    /// Whether there is a store, and whether anything of it is kept here.
    pub(super) store: Option<StoreSeen>,
    /// What to change, the surest first.
    pub(super) remedies: Vec<Remedy>,
    /// What the waiting costs, where a price is known.
    pub(super) stall: Option<Stall>,
}

/// A part of the threads' time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Activity {
    pub(super) activity: &'static str,
    /// Its share of their time in the last seconds.
    pub(super) recent: f64,
    /// And since the beginning.
    pub(super) all: f64,
}

/// What is known of a store.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct StoreSeen {
    /// The share of bytes that came from a disk of this machine; none where nothing is kept there.
    pub(super) from_cache: Option<f64>,
    pub(super) retries: u64,
    pub(super) throttled: u64,
}

impl Explanation {
    /// What a report comes to, at a price.
    pub(super) fn of(told: &Told, priced: Option<Priced>) -> Explanation {
        let report = &told.report;
        Explanation {
            pid: told.pid,
            loader: told.loader,
            data: report.given.data.clone(),
            rank: report.given.rank,
            world_size: report.given.world_size,
            seconds: report.recent.seconds,
            samples_per_second: report.recent.samples_per_second,
            bytes_per_second: report.recent.bytes_per_second,
            failed: report.failed,
            waits: report.recent.starved,
            bottleneck: report.recent.bottleneck,
            threads: report.threads,
            cores: report.cores,
            activities: activities(&report.recent.spent, &report.spent),
            prediction: report.recent.prediction,
            store: report.store.map(|store| StoreSeen {
                from_cache: report.cache.map(|cache| {
                    let (cached, fetched) = (cache.read_bytes as f64, store.bytes as f64);
                    if cached + fetched > 0.0 { cached / (cached + fetched) } else { 0.0 }
                }),
                retries: store.retries,
                throttled: store.throttled,
            }),
            remedies: remedies(report),
            stall: stall(report, priced),
        }
    }

    /// The share of the threads' time, in the last seconds, that goes into one activity.
    pub(super) fn share(&self, activity: &str) -> f64 {
        self.activities.iter().find(|found| found.activity == activity).map_or(0.0, |found| found.recent)
    }
}

/// What threads spend their time on, in shares that add up to one.
fn activities(recent: &Spent, all: &Spent) -> Vec<Activity> {
    let (recent, all) = (shares(recent), shares(all));
    let both = recent.into_iter().zip(all);
    both.map(|((activity, recent), (_, all))| Activity { activity, recent, all }).collect()
}

/// The same of one span.
pub(in crate::command::feed) fn shares(spent: &Spent) -> [(&'static str, f64); 6] {
    let parts = [
        ("read", spent.read_seconds),
        ("decode", spent.decode_seconds),
        ("make", (spent.make_seconds - spent.decode_seconds).max(0.0)),
        ("wait for the store", spent.fetch_seconds),
        ("wait for memory", spent.memory_seconds),
        ("wait for the consumer", spent.ahead_seconds),
    ];
    let sum: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
    parts.map(|(name, seconds)| (name, if sum > 0.0 { seconds / sum } else { 0.0 }))
}
