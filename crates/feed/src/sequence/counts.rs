//! What became of documents, counted for the report.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What became of documents so far.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) documents: AtomicU64,
    pub(super) cut: AtomicU64,
    pub(super) tokens: AtomicU64,
    pub(super) rows: AtomicU64,
    pub(super) places: AtomicU64,
}

/// What became of the documents of all batches that were made, those that wait for the consumer among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Documents in rows.
    pub documents: u64,
    /// Documents that were longer than a row, and lost what was behind it.
    pub truncated: u64,
    /// Their tokens in rows.
    pub tokens: u64,
    /// Rows.
    pub rows: u64,
    /// The share of the rows' places that is padding: 0 to 1.
    pub padding: f64,
}

impl Counts {
    pub(super) fn add(count: &AtomicU64, number: usize) {
        count.fetch_add(number as u64, Ordering::Relaxed);
    }

    /// What all of some columns count.
    pub fn sum<'c>(all: impl Iterator<Item = &'c Counts>) -> Option<Made> {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (mut made, mut places, mut any) = (Made::default(), 0, false);
        for counts in all {
            any = true;
            made.documents += of(&counts.documents);
            made.truncated += of(&counts.cut);
            made.tokens += of(&counts.tokens);
            made.rows += of(&counts.rows);
            places += of(&counts.places);
        }
        if places > 0 {
            made.padding = 1.0 - made.tokens as f64 / places as f64;
        }
        any.then_some(made)
    }
}
