//! Those who read.
//!
//! A reader and its clones share a few connections. Each call takes one, sees the file as it was at one moment, and gives it back; nobody
//! who reads ever holds up the writer, nor the writer a reader.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fleet::history::QueueRecord;
use fleet::ids::WorkloadId;
use fleet::live::{Live, Logged};
use fleet::policy::Policy;
use fleet::time::Timestamp;
use rusqlite::{Connection, Transaction};

use crate::error::{Fault, StoreError};
use crate::nodes::{self, StoredNode};
use crate::page::{self, Counts, Page, Query};
use crate::{connection, entries, rules, workloads};

/// How many connections are kept while nobody uses them. Whoever finds none opens one of its own.
const IDLE_MAX: usize = 8;

/// A file open for reading. Clones are cheap, and may be used from any thread.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

struct Shared {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Reader {
    /// The most entries that one answer holds.
    pub const ENTRIES_MAX: usize = 10_000;

    /// Opens a file that is there.
    ///
    /// # Errors
    /// If it is absent, foreign, newer, older or damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let connection = connection::reading(path).map_err(StoreError::at(path))?;
        let shared = Shared { file: path.to_owned(), idle: Mutex::new(vec![connection]) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.shared.file
    }

    /// Workloads, newest first, and how many there are of each state.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn page(&self, query: &Query) -> Result<Page, StoreError> {
        self.read(|snapshot| page::page(snapshot, query))
    }

    /// How many workloads there are of each state; of one queue, where one is named.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn counts(&self, queue: Option<&str>) -> Result<Counts, StoreError> {
        self.read(|snapshot| page::counts(snapshot, queue))
    }

    /// A workload and all that became of it.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn workload(&self, id: WorkloadId) -> Result<Option<Live>, StoreError> {
        self.read(|snapshot| workloads::whole(snapshot, id))
    }

    /// When each of these was over, in their order; none where one is not, or there is no such workload.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn finished_of(&self, ids: &[WorkloadId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.read(|snapshot| ids.iter().map(|id| workloads::finished(snapshot, *id)).collect())
    }

    /// The entries about a workload, in order; the first [`Reader::ENTRIES_MAX`], should there be more.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn entries_of(&self, id: WorkloadId) -> Result<Vec<Logged>, StoreError> {
        self.read(|snapshot| entries::of_workload(snapshot, id, Self::ENTRIES_MAX))
    }

    /// The entries after a place, in order, at most `limit` and at most [`Reader::ENTRIES_MAX`].
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn entries_since(&self, seq: u64, limit: usize) -> Result<Vec<Logged>, StoreError> {
        self.read(|snapshot| entries::since(snapshot, seq, limit.min(Self::ENTRIES_MAX)))
    }

    /// The place of the last entry; 0 before the first.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn last_seq(&self) -> Result<u64, StoreError> {
        self.read(|snapshot| Ok(entries::last(snapshot)?.0))
    }

    /// Nodes, in order of id.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn nodes(&self) -> Result<Vec<StoredNode>, StoreError> {
        self.read(|snapshot| nodes::all(snapshot))
    }

    /// Queues, in order of name.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn queues(&self) -> Result<Vec<QueueRecord>, StoreError> {
        self.read(|snapshot| rules::queues(snapshot))
    }

    /// The policy, once one was set.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn policy(&self) -> Result<Option<Policy>, StoreError> {
        self.read(|snapshot| rules::policy(snapshot))
    }

    /// Reads the file as it is at one moment.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.try_read(work).map_err(StoreError::at(&self.shared.file))
    }

    fn try_read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let idle = || self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let connection = taken.map_or_else(|| connection::reading(&self.shared.file), Ok)?;
        let snapshot = connection.unchecked_transaction()?;
        // A connection with which something went wrong is not used again.
        let result = work(&snapshot)?;
        snapshot.finish()?;
        let mut idle = idle();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        Ok(result)
    }
}
