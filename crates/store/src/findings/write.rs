//! Findings written: noted, muted, let go.

use fleet::finding::Confidence;
use fleet::ids::FindingId;
use fleet::kept_finding::{KeptFinding, Mute};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use rusqlite::{Connection, params};

use super::{VERSION, read};
use crate::error::{Fault, StoreError};
use crate::json;
use crate::series::{Scrapes, append_all, hold};
use crate::writer::Store;

/// How many findings are let go at once at most.
const LET_GO_MAX: i64 = 1_000;

/// A finding as it is now, and which sources show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Noted {
    /// The finding.
    pub finding: KeptFinding,
    /// The sources of series that show it; those that are not known are passed over.
    pub sources: Vec<String>,
}

/// How long findings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingRetention {
    /// Not those that have been over for longer.
    pub keep: Millis,
    /// Of those that are over no more than these, the latest.
    pub max: u32,
}

impl Default for FindingRetention {
    /// 90 days, and 10,000.
    fn default() -> Self {
        Self { keep: Millis::hours(90 * 24), max: 10_000 }
    }
}

impl Store {
    /// Appends scrapes as [`Store::append_scrapes`] does, and notes findings as they are now: one with an id that is known takes the place of
    /// what was noted before, its mute too. What shows it is pinned, from [`KeptFinding::shown_from`] until it is closed. All or none.
    ///
    /// # Errors
    /// As [`Store::append_scrapes`].
    pub fn note(&mut self, scrapes: &[Scrapes], findings: &[Noted]) -> Result<(), StoreError> {
        if scrapes.is_empty() && findings.is_empty() {
            return Ok(());
        }
        self.write(|transaction| {
            append_all(transaction, scrapes)?;
            findings.iter().try_for_each(|noted| note(transaction, noted))
        })
    }

    /// Mutes a finding, or takes that back. Gives it as it is then; nothing if there is no such finding.
    ///
    /// # Errors
    /// If the file cannot be written, or is damaged.
    pub fn mute(&mut self, id: FindingId, mute: Option<&Mute>) -> Result<Option<KeptFinding>, StoreError> {
        self.write(|transaction| {
            let Some(found) = read::one(transaction, id)? else { return Ok(None) };
            transaction
                .prepare_cached(
                    "UPDATE findings SET mute_reason = ?2, mute_until = ?3, mute_by = ?4, mute_at = ?5 WHERE id = ?1",
                )?
                .execute(params![
                    id.0.cast_signed(),
                    mute.map(|mute| &mute.reason),
                    mute.map(|mute| mute.until.0),
                    mute.map(|mute| &mute.by),
                    mute.map(|mute| mute.at.0),
                ])?;
            Ok(Some(KeptFinding { mute: mute.cloned(), ..found }))
        })
    }

    /// Lets go of findings that have been over for too long, or are too many, and of what they pinned; how many. The newest stays, so that no
    /// id is given out twice.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep_findings(&mut self, now: Timestamp, retention: FindingRetention) -> Result<usize, StoreError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT id FROM findings WHERE closed IS NOT NULL AND id < (SELECT max(id) FROM findings) AND (closed < ?1 \
                 OR id NOT IN (SELECT id FROM findings WHERE closed IS NOT NULL ORDER BY closed DESC, id DESC LIMIT ?2)) LIMIT ?3",
            )?;
            let before = now - retention.keep;
            let old = statement.query_map(params![before.0, retention.max, LET_GO_MAX], |row| row.get::<_, i64>(0))?;
            let old = old.collect::<Result<Vec<_>, _>>()?;
            for id in &old {
                transaction.prepare_cached("DELETE FROM findings WHERE id = ?1")?.execute([id])?;
                transaction.prepare_cached("DELETE FROM pins WHERE finding = ?1")?.execute([id.to_string()])?;
            }
            Ok(old.len())
        })
    }
}

pub(crate) fn note(connection: &Connection, Noted { finding: kept, sources }: &Noted) -> Result<(), Fault> {
    let KeptFinding { id, finding, workload, opened, seen, closed, returns, mute } = kept;
    let id = id.0.cast_signed();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO findings (id, rule, places, workload, opened, seen, closed, returns, confidence, version, body, \
             mute_reason, mute_until, mute_by, mute_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            id,
            finding.rule,
            json::write(&finding.places)?,
            workload.map(|workload| workload.0),
            opened.0,
            seen.0,
            closed.map(|closed| closed.0),
            returns,
            name(finding.confidence),
            VERSION,
            json::write(finding)?,
            mute.as_ref().map(|mute| &mute.reason),
            mute.as_ref().map(|mute| mute.until.0),
            mute.as_ref().map(|mute| &mute.by),
            mute.as_ref().map(|mute| mute.at.0),
        ])?;
    let (from, until) = (kept.shown_from(), closed.unwrap_or(Timestamp::MAX));
    sources.iter().try_for_each(|source| hold(connection, &id.to_string(), source, from, until))
}

/// As it is in bodies.
fn name(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Possible => "possible",
        Confidence::Likely => "likely",
        Confidence::Certain => "certain",
    }
}
