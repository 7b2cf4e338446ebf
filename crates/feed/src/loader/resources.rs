//! What a loader may use: threads, memory, and a folder on a disk.

use std::path::Path;
use std::sync::Arc;

use super::LoaderError;
use crate::cores;
use crate::memory::{Budget, Demand, Fetching, available};
use crate::pipeline::Settings;
use crate::source::cache::Cache;
use crate::spec::{CacheSpec, Spec, TuneFrom};
use crate::tune::Tuned;
use crate::work::{Column, Kind};

/// Batches that are made ahead at first, and at most, where that is tuned.
pub(super) const AHEAD: usize = 4;
pub(super) const AHEAD_MAX: usize = 64;
/// Threads, where their number is tuned: so many where each has so much to work in.
const THREADS_MAX: usize = 64;
const THREAD_BYTES: usize = 64 << 20;

/// Threads: as many as there are cores at first, and more where that brings more, since they wait for disks.
pub(super) fn threads(spec: &Spec, limit: usize) -> Tuned {
    let tuned = || Tuned {
        start: cores::usable(),
        max: (limit / THREAD_BYTES).clamp(cores::usable(), THREADS_MAX.max(cores::usable())),
    };
    spec.threads.map_or_else(tuned, Tuned::pinned)
}

/// The same settings, with numbers that are tuned beginning elsewhere where that is asked for.
pub(super) fn begun_from(settings: Settings, spec: &Spec) -> Settings {
    let TuneFrom { threads, prefetch, .. } = spec.tune_from.unwrap_or_default();
    Settings { threads: begun(settings.threads, threads), ahead: begun(settings.ahead, prefetch), ..settings }
}

fn begun(tuned: Tuned, start: Option<usize>) -> Tuned {
    match start {
        Some(start) if !tuned.is_pinned() => Tuned { start: start.clamp(1, tuned.max), ..tuned },
        _ => tuned,
    }
}

/// The part of the memory for what is fetched, and how many requests are under way: no more than it is enough for.
pub(super) fn fetching(spec: &Spec, limit: usize) -> Fetching {
    let part = Fetching::of(limit);
    let max = part.requests.max;
    let requests = spec.requests.map_or(part.requests, |requests| Tuned::pinned(requests.clamp(1, max)));
    Fetching { requests: begun(requests, spec.tune_from.and_then(|from| from.requests)), ..part }
}

/// Bytes that a loader may use where it is told none: this part of what is available, and what it is told to keep decoded.
const MEMORY_PART: u64 = 4;
/// No less than this, whatever is available.
const MEMORY_MIN: u64 = 256 << 20;

pub(super) fn memory_limit(spec: &Spec) -> usize {
    let own = || available().unwrap_or(0) / MEMORY_PART / spec.loaders_here.max(1);
    spec.memory.unwrap_or_else(|| own().max(MEMORY_MIN) + spec.decoded_cache.unwrap_or(0)) as usize
}

pub(super) fn open_cache(cache: &CacheSpec) -> Result<Arc<Cache>, LoaderError> {
    let opened = Cache::open(Path::new(&cache.folder), cache.bytes).map(Arc::new);
    opened.map_err(|error| LoaderError::Spec {
        what: "cache_dir".to_owned(),
        problem: format!("{}: {error}", cache.folder),
    })
}

/// Divides the memory for a dataset of which the index takes `index` bytes.
pub(super) fn divide(
    spec: &Spec,
    limit: usize,
    (threads, index, fetching): (usize, usize, Option<Fetching>),
    columns: &[Column],
) -> Result<Budget, LoaderError> {
    // What columns keep: all the time, and for each thread.
    let kept = columns.iter().map(|column| match &column.kind {
        Kind::Photograph(photograph) => (0, photograph.drawn_bytes()),
        Kind::Sequences(sequences) => sequences.held_bytes(),
        _ => (0, 0),
    });
    let (held, drawn) = kept.fold((0, 0), |(held, drawn), (own, each)| (held + own, each.max(drawn)));
    let decoded = spec.decoded_cache.unwrap_or(0) as usize;
    let demand = Demand { limit, threads, decoded, index: index + held, drawn, fetching };
    let wrong = |problem: String| LoaderError::Spec { what: "memory_limit".to_owned(), problem };
    Budget::divide(&demand).map_err(|error| wrong(error.to_string()))
}
