//! Findings read back.

use fleet::ids::{FindingId, WorkloadId};
use fleet::kept_finding::{FindingState, KeptFinding, Mute};
use fleet::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::VERSION;
use crate::error::{Fault, StoreError};
use crate::json;
use crate::reader::Reader;
use crate::writer::Store;

/// Which findings are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingQuery {
    /// Those that stand so; absent: all.
    pub state: Option<FindingState>,
    /// About this workload.
    pub workload: Option<WorkloadId>,
    /// The moment at which they stand so: mutes end.
    pub now: Timestamp,
    /// At most so many, and at most [`Reader::FINDINGS_MAX`].
    pub limit: usize,
}

impl FindingQuery {
    /// Those that stand so, at a moment.
    #[must_use]
    pub fn of(state: FindingState, now: Timestamp) -> Self {
        Self { state: Some(state), workload: None, now, limit: Reader::FINDINGS_MAX }
    }
}

impl Reader {
    /// The most findings of one answer.
    pub const FINDINGS_MAX: usize = 1_000;

    /// Findings, the latest opened first.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn findings(&self, query: &FindingQuery) -> Result<Vec<KeptFinding>, StoreError> {
        self.read(|snapshot| {
            let state = query.state.map(FindingState::name);
            let mut statement = snapshot.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM findings WHERE (?2 IS NULL OR workload = ?2) AND (?1 IS NULL OR ?1 = CASE \
                 WHEN closed IS NOT NULL THEN 'closed' WHEN mute_until > ?3 THEN 'muted' ELSE 'open' END) \
                 ORDER BY opened DESC, id DESC LIMIT ?4"
            ))?;
            let limit = query.limit.min(Self::FINDINGS_MAX) as i64;
            let workload = query.workload.map(|workload| workload.0);
            let mut rows = statement.query(params![state, workload, query.now.0, limit])?;
            let mut findings = Vec::new();
            while let Some(row) = rows.next()? {
                findings.push(kept(row)?);
            }
            Ok(findings)
        })
    }

    /// One finding.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn finding(&self, id: FindingId) -> Result<Option<KeptFinding>, StoreError> {
        self.read(|snapshot| one(snapshot, id))
    }
}

impl Store {
    /// The findings that are open, were closed since a moment, or are muted beyond it; and the first id that was not given out.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn lately_found(&self, since: Timestamp) -> Result<(Vec<KeptFinding>, FindingId), StoreError> {
        self.look(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM findings WHERE closed IS NULL OR closed >= ?1 OR mute_until > ?1 ORDER BY id"
            ))?;
            let mut rows = statement.query([since.0])?;
            let mut findings = Vec::new();
            while let Some(row) = rows.next()? {
                findings.push(kept(row)?);
            }
            let last: i64 = connection.query_row("SELECT coalesce(max(id), 0) FROM findings", [], |row| row.get(0))?;
            Ok((findings, FindingId(last.cast_unsigned() + 1)))
        })
    }
}

const COLUMNS: &str =
    "id, workload, opened, seen, closed, returns, version, body, mute_reason, mute_until, mute_by, mute_at";

pub(super) fn one(connection: &Connection, id: FindingId) -> Result<Option<KeptFinding>, Fault> {
    let Ok(id) = i64::try_from(id.0) else { return Ok(None) };
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM findings WHERE id = ?1"))?;
    statement.query_row([id], |row| Ok(kept(row))).optional()?.transpose()
}

fn kept(row: &Row<'_>) -> Result<KeptFinding, Fault> {
    let id: i64 = row.get(0)?;
    let (version, body): (u32, String) = (row.get(6)?, row.get(7)?);
    if version != VERSION {
        return Err(Fault::Corrupt { what: format!("finding {id} is of version {version}, which is not known") });
    }
    let mute: (Option<String>, Option<i64>, Option<String>, Option<i64>) =
        (row.get(8)?, row.get(9)?, row.get(10)?, row.get(11)?);
    let mute = match mute {
        (Some(reason), Some(until), Some(by), Some(at)) => {
            Some(Mute { reason, until: Timestamp(until), by, at: Timestamp(at) })
        }
        (None, None, None, None) => None,
        _ => return Err(Fault::Corrupt { what: format!("finding {id} is muted in part") }),
    };
    Ok(KeptFinding {
        id: FindingId(id.cast_unsigned()),
        finding: json::read(&body, || format!("finding {id}"))?,
        workload: row.get::<_, Option<u32>>(1)?.map(WorkloadId),
        opened: Timestamp(row.get(2)?),
        seen: Timestamp(row.get(3)?),
        closed: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        returns: row.get(5)?,
        mute,
    })
}

/// Tells of findings that cannot be read.
pub(crate) fn check(connection: &Connection, tell: &mut dyn FnMut(String)) -> Result<(), Fault> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM findings ORDER BY id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match kept(row) {
            Ok(_) => {}
            Err(Fault::Corrupt { what }) => tell(what),
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
