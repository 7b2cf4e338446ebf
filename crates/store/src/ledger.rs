//! Who agreed to what, and what came of it.
//!
//! A consent is written before anything is changed because of it. Beside it stands a line of the ledger: what was promised, and, once it
//! could be measured, what came of it. Neither is ever taken out; an undone one says when.

use fleet::recommendation::{Effect, Recommendation};
use fleet::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::{Fault, StoreError};
use crate::json;
use crate::reader::Reader;
use crate::writer::Store;

/// A consent. Ids rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentId(pub i64);

/// Someone agreed to a recommendation.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// What was agreed to, as it was shown.
    pub recommendation: Recommendation,
    /// Who agreed.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// When it was taken back, and by whom.
    pub undone: Option<(Timestamp, String)>,
}

/// What was promised beside what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerLine {
    /// By which consent.
    pub consent: Consent,
    /// What was promised.
    pub promised: Effect,
    /// What was measured, and when; absent: not yet known.
    pub measured: Option<(Timestamp, Effect)>,
}

/// Something that the ledger is told beside the entries that it led to: see [`Store::commit_with`].
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Someone agreed to a recommendation.
    Agreed {
        /// To what, as it was shown.
        to: Box<Recommendation>,
        /// Who.
        by: String,
    },
    /// Someone took a consent back. One that was taken back before stays as it was.
    TakenBack {
        /// Which.
        consent: ConsentId,
        /// Who.
        by: String,
    },
}

impl Deed {
    /// Writes it; which consent it is about.
    pub(crate) fn write(&self, connection: &Connection, at: Timestamp) -> Result<ConsentId, Fault> {
        match self {
            Self::Agreed { to, by } => {
                connection.execute(
                    "INSERT INTO consents (recommendation, who, at) VALUES (?1, ?2, ?3)",
                    params![json::write(&**to)?, by, at.0],
                )?;
                let id = connection.last_insert_rowid();
                let promised = json::write(&to.effect)?;
                connection.execute("INSERT INTO ledger (consent, promised) VALUES (?1, ?2)", params![id, promised])?;
                Ok(ConsentId(id))
            }
            Self::TakenBack { consent, by } => {
                expect(connection, *consent)?;
                connection.execute(
                    "UPDATE consents SET undone_at = ?2, undone_by = ?3 WHERE id = ?1 AND undone_at IS NULL",
                    params![consent.0, at.0, by],
                )?;
                Ok(*consent)
            }
        }
    }
}

impl Store {
    /// The consents, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn consents(&self) -> Result<Vec<Consent>, StoreError> {
        self.look(|connection| Ok(lines(connection)?.into_iter().map(|line| line.consent).collect()))
    }

    /// Records what came of a consent, as far as it is known by now; a later measurement takes the place of an earlier one.
    ///
    /// # Errors
    /// If there is no such consent, or the file cannot be written.
    pub fn measured(&mut self, at: Timestamp, consent: ConsentId, effect: &Effect) -> Result<(), StoreError> {
        self.write(|transaction| {
            expect(transaction, consent)?;
            transaction.execute(
                "UPDATE ledger SET measured = ?2, measured_at = ?3 WHERE consent = ?1",
                params![consent.0, json::write(effect)?, at.0],
            )?;
            Ok(())
        })
    }
}

impl Reader {
    /// The ledger, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn ledger(&self) -> Result<Vec<LedgerLine>, StoreError> {
        self.read(|snapshot| lines(snapshot))
    }

    /// The consents, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn consents(&self) -> Result<Vec<Consent>, StoreError> {
        Ok(self.ledger()?.into_iter().map(|line| line.consent).collect())
    }
}

fn expect(connection: &Connection, consent: ConsentId) -> Result<(), Fault> {
    let there = connection.query_row("SELECT 1 FROM consents WHERE id = ?1", [consent.0], |_| Ok(())).optional()?;
    there.ok_or_else(|| Fault::Unknown { what: format!("consent {}", consent.0) })
}

fn lines(connection: &Connection) -> Result<Vec<LedgerLine>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT id, recommendation, who, at, undone_at, undone_by, promised, measured, measured_at \
         FROM consents JOIN ledger ON consent = id ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let id = ConsentId(row.get(0)?);
        let what = || format!("consent {}", id.0);
        let (recommendation, promised): (String, String) = (row.get(1)?, row.get(6)?);
        let undone: (Option<i64>, Option<String>) = (row.get(4)?, row.get(5)?);
        let measured: (Option<i64>, Option<String>) = (row.get(8)?, row.get(7)?);
        let measured = match measured {
            (Some(at), Some(text)) => Some((Timestamp(at), json::read(&text, what)?)),
            _ => None,
        };
        let consent = Consent {
            id,
            recommendation: json::read(&recommendation, what)?,
            who: row.get(2)?,
            at: Timestamp(row.get(3)?),
            undone: undone.0.zip(undone.1).map(|(at, who)| (Timestamp(at), who)),
        };
        lines.push(LedgerLine { consent, promised: json::read(&promised, what)?, measured });
    }
    Ok(lines)
}
