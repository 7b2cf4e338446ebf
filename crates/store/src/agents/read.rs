//! What is known of agents, read back.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::AGENTS_MAX;
use crate::error::StoreError;
use crate::reader::Reader;
use crate::writer::Store;

/// An agent that reports here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAgent {
    /// Its node.
    pub node: String,
    /// Of which version it is.
    pub version: String,
    /// When it was first heard.
    pub first: Timestamp,
    /// When it was last heard.
    pub heard: Timestamp,
    /// What it told the time was then.
    pub told: Timestamp,
    /// When the last report that was taken was made, by its own clock; nothing before the first.
    pub reported: Option<Timestamp>,
    /// So many reports were taken.
    pub taken: u64,
    /// So many it lost before it could hand them in.
    pub lost: u64,
    /// And so many could not be taken here.
    pub refused: u64,
}

impl StoredAgent {
    /// How far its clock is ahead of the one here; how long a report travels is in it.
    #[must_use]
    pub fn ahead(&self) -> Millis {
        self.told.since(self.heard)
    }

    /// How old the last report that was taken was when the agent was heard last: what waits in its spool is younger.
    #[must_use]
    pub fn behind(&self) -> Option<Millis> {
        self.reported.map(|reported| self.told.since(reported).max(Millis(0)))
    }
}

impl Reader {
    /// The agents that report here, by node.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn agents(&self) -> Result<Vec<StoredAgent>, StoreError> {
        self.read(|snapshot| {
            let mut statement = snapshot.prepare_cached(
                "SELECT node, version, first, heard, told, reported, taken, lost, refused FROM agents ORDER BY node",
            )?;
            let mut rows = statement.query([])?;
            let mut agents = Vec::new();
            while let Some(row) = rows.next()? {
                agents.push(StoredAgent {
                    node: row.get(0)?,
                    version: row.get(1)?,
                    first: Timestamp(row.get(2)?),
                    heard: Timestamp(row.get(3)?),
                    told: Timestamp(row.get(4)?),
                    reported: row.get::<_, Option<i64>>(5)?.map(Timestamp),
                    taken: count(row, 6)?,
                    lost: count(row, 7)?,
                    refused: count(row, 8)?,
                });
            }
            Ok(agents)
        })
    }
}

impl Store {
    /// The number of the last report that was taken of a spool of an agent.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn last_report(&self, node: &str, spool: &str) -> Result<Option<u64>, StoreError> {
        self.look(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT number FROM spools WHERE node = ?1 AND spool = ?2")?;
            Ok(statement.query_row(params![node, spool], |row| count(row, 0)).optional()?)
        })
    }

    /// Whether an agent of this node may report: one that did, or one more than those that do.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn has_room_for(&self, node: &str) -> Result<bool, StoreError> {
        self.look(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT count(*) < ?2 OR coalesce(sum(node = ?1), 0) > 0 FROM agents")?;
            Ok(statement.query_row(params![node, AGENTS_MAX as i64], |row| row.get(0))?)
        })
    }
}

/// None is below zero.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}
