//! Reports that leave the process: the socket in the file system, what it answers, and to whom.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

mod clients;
mod exposition;
mod files;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use feed::loader::Loader;
use feed::pipeline::Next;
use feed::serve::{Endpoint, Place};
use feed::spec::Spec;
use tempfile::TempDir;

/// A folder of a short name: a socket's path has at most 107 bytes.
fn folder() -> TempDir {
    tempfile::Builder::new().prefix("t").tempdir().unwrap()
}

/// A loader of some lines that has delivered a batch.
fn loader(folder: &Path) -> Arc<Loader> {
    let path = folder.join("lines \"1\".txt");
    fs::write(&path, "a line\n".repeat(100)).unwrap();
    let spec = serde_json::json!({
        "data": [path],
        "columns": [{"name": "line", "fields": [], "kind": "text"}],
        "batch": 10,
        "rank": 1,
        "world": 2,
        "threads": 1,
        "price_per_hour": {"micros": 2_500_000, "currency": "EUR"},
    });
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let loader = Arc::new(Loader::open(&spec).unwrap());
    loop {
        match loader.next(Duration::from_secs(10)) {
            Next::Batch(batch) => break drop(batch),
            Next::NotYet => {}
            Next::EndOfEpoch(_) | Next::NoRoom { .. } => panic!("there is a batch"),
        }
    }
    loader
}

/// What answers for it.
fn endpoint(place: &Path, loader: &Arc<Loader>) -> Endpoint {
    let held = Arc::downgrade(loader);
    Endpoint::open(&Place::of(place), move || held.upgrade().map(|loader| loader.report())).unwrap()
}
