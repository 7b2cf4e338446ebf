//! The one who writes.

use std::path::{Path, PathBuf};

use fleet::ids::ActionId;
use fleet::live::{Entry, Logged};
use fleet::quantity::Bytes;
use fleet::time::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::commit::{Batch, Log};
use crate::error::{Fault, StoreError};
use crate::ledger::{ConsentId, Deed};
use crate::load::{self, Loaded};
use crate::lock::Lock;
use crate::reader::Reader;
use crate::{connection, entries, schema};

/// A file open for writing. There is one at a time; the lock falls when it is dropped, or its process ends.
pub struct Store {
    // Closed before the lock falls: fields are dropped in this order.
    connection: Connection,
    file: PathBuf,
    head: Head,
    _lock: Lock,
}

/// Where the log ends.
#[derive(Clone, Copy)]
struct Head {
    seq: u64,
    at: Option<Timestamp>,
    action: Option<ActionId>,
}

impl Store {
    /// Opens a file that is there, and brings it to this version.
    ///
    /// # Errors
    /// If it is absent, foreign, newer, damaged, read-only or in use. It is then as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        Self::begin(path, connection::writing).map_err(StoreError::at(path))
    }

    /// Opens a file, and makes it where there is none.
    ///
    /// # Errors
    /// As [`Store::open`], or if there is no folder for it.
    pub fn create_or_open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        Self::begin(path, connection::creating).map_err(StoreError::at(path))
    }

    fn begin(path: &Path, open: fn(&Path) -> Result<Connection, Fault>) -> Result<Self, Fault> {
        // What is not Trimtab's is told before anything, a lock beside it too, is written.
        if path.try_exists()? {
            let connection = connection::writing(path)?;
            schema::identify(&connection)?;
            if connection.is_readonly("main")? {
                return Err(Fault::ReadOnly);
            }
        }
        let lock = Lock::take(path)?;
        let mut connection = open(path)?;
        connection::set_up_for_writing(&connection)?;
        schema::migrate(&mut connection)?;
        let (seq, at) = entries::last(&connection)?;
        let head = Head { seq, at, action: load::last_action(&connection)? };
        Ok(Self { connection, file: path.to_owned(), head, _lock: lock })
    }

    /// Appends entries to the log, all of one moment, and adds them up: all or none. When it returns they are on the disk. Many entries in one
    /// batch cost little more than one: what takes its time is the disk.
    ///
    /// Ids of workloads and actions are used once, and those of actions rise.
    ///
    /// # Errors
    /// If an entry cannot follow those before it, if `at` is before the last entry, or if the file cannot be written. Nothing of the batch is
    /// there then, and the next batch may be tried.
    pub fn commit(&mut self, at: Timestamp, entries: &[Entry]) -> Result<Vec<Logged>, StoreError> {
        self.commit_with(at, entries, &[]).map(|(logged, _)| logged)
    }

    /// The same together with what the ledger is told of it: who agreed to what, or took it back. The ledger is told first, and all of it is
    /// written or none. Gives the consent of each deed, in order.
    ///
    /// # Errors
    /// As [`Store::commit`], or if a consent that is taken back is not there.
    pub fn commit_with(
        &mut self,
        at: Timestamp,
        entries: &[Entry],
        deeds: &[Deed],
    ) -> Result<(Vec<Logged>, Vec<ConsentId>), StoreError> {
        self.try_commit(at, entries, deeds).map_err(|fault| self.error(fault))
    }

    fn try_commit(
        &mut self,
        at: Timestamp,
        entries: &[Entry],
        deeds: &[Deed],
    ) -> Result<(Vec<Logged>, Vec<ConsentId>), Fault> {
        if entries.is_empty() && deeds.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        if let Some(last) = self.head.at.filter(|last| at < *last) {
            return Err(Fault::Backwards { at, last });
        }
        let first = self.head.seq + 1;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let consents = deeds.iter().map(|deed| deed.write(&transaction, at)).collect::<Result<Vec<_>, _>>()?;
        let mut batch = Batch::new(&transaction, self.head.action, Log::Append);
        let mut written = Vec::with_capacity(entries.len());
        for (index, (seq, entry)) in (first..).zip(entries).enumerate() {
            let logged = Logged { seq, at, entry: entry.clone() };
            batch.take(index, &logged)?;
            written.push(logged);
        }
        let action = batch.finish()?;
        transaction.commit()?;
        if !written.is_empty() {
            self.head = Head { seq: first + written.len() as u64 - 1, at: Some(at), action };
        }
        Ok((written, consents))
    }

    /// What a restart needs, with at most `finished_max` of the workloads that are over: the latest.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn load(&self, finished_max: usize) -> Result<Loaded, StoreError> {
        self.look(|connection| load::load(connection, finished_max))
    }

    /// A reader of the same file.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.file)
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Lets the file grow to so many bytes and no further; what does not fit fails as on a full disk.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn bound_size(&self, most: Bytes) -> Result<(), StoreError> {
        let bound = || -> Result<(), Fault> {
            let page: i64 = self.connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = i64::try_from(most.0).unwrap_or(i64::MAX) / page.max(1);
            self.connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
            Ok(())
        };
        bound().map_err(|fault| self.error(fault))
    }

    /// Reads the file as it is at one moment.
    pub(crate) fn look<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let snapshot = self.connection.unchecked_transaction().map_err(Fault::from);
        snapshot.and_then(|snapshot| work(&snapshot)).map_err(|fault| self.error(fault))
    }

    /// Does something that is written whole or not at all.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let result = self.try_write(work);
        result.map_err(|fault| self.error(fault))
    }

    fn try_write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    fn error(&self, fault: Fault) -> StoreError {
        StoreError { file: self.file.clone(), fault }
    }
}
