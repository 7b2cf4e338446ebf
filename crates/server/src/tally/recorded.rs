//! The tally of a store, kept up with its log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use store::{Reader, StoreError};

use super::Tally;

/// How many entries are taken in before others may look.
const PIECE: usize = 1_000;

/// The tally, shared.
#[derive(Clone)]
pub(crate) struct Recorded {
    tally: Arc<Mutex<Tally>>,
}

/// How far the log was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Entries read.
    pub(crate) read: u64,
    /// Entries there are.
    pub(crate) there: u64,
}

impl Progress {
    pub(crate) fn is_whole(self) -> bool {
        self.read >= self.there
    }
}

impl Recorded {
    pub(crate) fn new() -> Self {
        Self { tally: Arc::default() }
    }

    /// Reads on, for at most about so long: a long log is read in several calls, so that no page waits for all of it.
    pub(crate) fn catch_up(&self, reader: &Reader, most: Duration) -> Result<Progress, StoreError> {
        let end = Instant::now() + most;
        loop {
            let there = reader.last_seq()?;
            let mut tally = self.tally();
            if tally.seq < there {
                for logged in reader.entries_since(tally.seq, PIECE)? {
                    tally.take(&logged);
                }
            }
            let progress = Progress { read: tally.seq, there };
            if progress.is_whole() || Instant::now() >= end {
                return Ok(progress);
            }
        }
    }

    /// The tally as it is.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
