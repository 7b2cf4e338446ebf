//! Reports taken: what they hold, and up to which number, in one transaction.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use rusqlite::{Connection, params};

use crate::error::{Fault, StoreError};
use crate::findings::{Noted, note};
use crate::series::{Scrapes, append_all};
use crate::writer::Store;

/// So many agents report to one installation.
pub const AGENTS_MAX: usize = 1_024;
/// So many spools of one agent are remembered, those that were heard last: an agent has one, and another when its folder was lost.
pub const SPOOLS_MAX: usize = 8;
/// An agent that was not heard for so long is forgotten.
const FORGOTTEN_AFTER: Millis = Millis::hours(90 * 24);

/// Reports of one agent that are taken together, and how it stands then.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Its node.
    pub node: String,
    /// Of which version it is.
    pub version: String,
    /// Its spool.
    pub spool: String,
    /// The number of the last report; nothing where it has handed in none.
    pub number: Option<u64>,
    /// When it was heard, by the clock here.
    pub heard: Timestamp,
    /// What it told the time was.
    pub told: Timestamp,
    /// When the last report was made, by its clock.
    pub reported: Option<Timestamp>,
    /// How many there are.
    pub taken: u64,
    /// How many the agent lost before.
    pub lost: u64,
    /// How many could not be taken.
    pub refused: u64,
    /// What was measured.
    pub scrapes: Vec<Scrapes>,
    /// Findings as they are now.
    pub findings: Vec<Noted>,
}

impl Store {
    /// Takes reports of agents: all or none. When it returns they are on the disk.
    ///
    /// # Errors
    /// As [`Store::append_scrapes`].
    pub fn take_reports(&mut self, all: &[Taken]) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        self.write(|transaction| all.iter().try_for_each(|taken| take(transaction, taken)))
    }

    /// Forgets agents that were not heard for 90 days; how many.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn forget_agents(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(|transaction| {
            let before = (now - FORGOTTEN_AFTER).0;
            let old = "SELECT node FROM agents WHERE heard < ?1";
            transaction.execute(&format!("DELETE FROM spools WHERE node IN ({old})"), [before])?;
            Ok(transaction.execute("DELETE FROM agents WHERE heard < ?1", [before])?)
        })
    }
}

fn take(connection: &Connection, taken: &Taken) -> Result<(), Fault> {
    append_all(connection, &taken.scrapes)?;
    taken.findings.iter().try_for_each(|noted| note(connection, noted))?;
    let Taken { node, version, spool, number, heard, told, reported, .. } = taken;
    connection
        .prepare_cached(
            "INSERT INTO agents (node, version, first, heard, told, reported, taken, lost, refused) \
             VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (node) DO UPDATE SET version = ?2, heard = ?3, told = ?4, \
             reported = coalesce(?5, reported), taken = taken + ?6, lost = lost + ?7, refused = refused + ?8",
        )?
        .execute(params![
            node,
            version,
            heard.0,
            told.0,
            reported.map(|at| at.0),
            stored(taken.taken),
            stored(taken.lost),
            stored(taken.refused),
        ])?;
    let Some(number) = number.map(stored) else { return Ok(()) };
    connection
        .prepare_cached(
            "INSERT INTO spools (node, spool, number, heard) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (node, spool) DO UPDATE SET number = max(number, ?3), heard = ?4",
        )?
        .execute(params![node, spool, number, heard.0])?;
    connection
        .prepare_cached(
            "DELETE FROM spools WHERE node = ?1 AND spool NOT IN \
             (SELECT spool FROM spools WHERE node = ?1 ORDER BY heard DESC, number DESC LIMIT ?2)",
        )?
        .execute(params![node, SPOOLS_MAX as i64])?;
    Ok(())
}

/// Numbers and counts are far below what this cannot hold; whoever reads reports sees to that.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
