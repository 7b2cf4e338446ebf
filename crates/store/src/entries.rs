//! The log: entries appended and read back.

use fleet::ids::WorkloadId;
use fleet::live::{Entry, Logged};
use fleet::time::Timestamp;
use rusqlite::{Connection, Row, Rows, params};

use crate::error::Fault;
use crate::json;

const COLUMNS: &str = "seq, at, body, crc";

/// Appends an entry at its place.
pub(crate) fn append(connection: &Connection, logged: &Logged) -> Result<(), Fault> {
    let body = json::write(&logged.entry)?;
    let workload = logged.entry.workload().map(|workload| workload.0);
    let mut statement = connection
        .prepare_cached("INSERT INTO log (seq, at, kind, workload, body, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let crc = checksum(logged.seq, logged.at, &body);
    statement.execute(params![logged.seq.cast_signed(), logged.at.0, kind(&logged.entry), workload, body, crc])?;
    Ok(())
}

/// The place and moment of the last entry; 0 before the first.
pub(crate) fn last(connection: &Connection) -> Result<(u64, Option<Timestamp>), Fault> {
    let mut statement = connection.prepare_cached("SELECT seq, at FROM log ORDER BY seq DESC LIMIT 1")?;
    let mut rows = statement.query([])?;
    Ok(match rows.next()? {
        Some(row) => (seq_of(row)?, Some(Timestamp(row.get(1)?))),
        None => (0, None),
    })
}

/// The entries about a workload, in order; the first `limit` of them.
pub(crate) fn of_workload(connection: &Connection, workload: WorkloadId, limit: usize) -> Result<Vec<Logged>, Fault> {
    let text = format!("SELECT {COLUMNS} FROM log WHERE workload = ?1 ORDER BY seq LIMIT ?2");
    let mut statement = connection.prepare_cached(&text)?;
    collect(statement.query([i64::from(workload.0), i64::try_from(limit).unwrap_or(i64::MAX)])?)
}

/// The entries after a place, at most `limit` of them.
pub(crate) fn since(connection: &Connection, seq: u64, limit: usize) -> Result<Vec<Logged>, Fault> {
    let text = format!("SELECT {COLUMNS} FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2");
    let mut statement = connection.prepare_cached(&text)?;
    let (seq, limit) = (i64::try_from(seq).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
    collect(statement.query([seq, limit])?)
}

fn collect(mut rows: Rows<'_>) -> Result<Vec<Logged>, Fault> {
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(logged(row)?);
    }
    Ok(entries)
}

/// Every entry about the fleet and its rules, rather than about a workload; in order.
pub(crate) fn of_the_fleet(
    connection: &Connection,
    mut take: impl FnMut(Logged) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM log WHERE workload IS NULL ORDER BY seq"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(logged(row)?)?;
    }
    Ok(())
}

/// An entry of [`COLUMNS`].
fn logged(row: &Row<'_>) -> Result<Logged, Fault> {
    let (seq, at) = (seq_of(row)?, Timestamp(row.get(1)?));
    Ok(Logged {
        seq,
        at,
        entry: decode(seq, at, row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?, row.get(3)?)?,
    })
}

/// The entry of a body, if it is the one that was written.
pub(crate) fn decode(seq: u64, at: Timestamp, body: &str, crc: u32) -> Result<Entry, Fault> {
    if checksum(seq, at, body) != crc {
        return Err(Fault::Corrupt { what: format!("entry {seq} of the log is not as it was written") });
    }
    json::read(body, || format!("entry {seq} of the log"))
}

fn checksum(seq: u64, at: Timestamp, body: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seq.to_le_bytes());
    hasher.update(&at.0.to_le_bytes());
    hasher.update(body.as_bytes());
    hasher.finalize()
}

fn seq_of(row: &Row<'_>) -> Result<u64, Fault> {
    let seq: i64 = row.get(0)?;
    u64::try_from(seq).map_err(|_| Fault::Corrupt { what: format!("the log has a place {seq}") })
}

/// The name of a kind of entry, as its body has it.
pub(crate) fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::NodeFound { .. } => "node_found",
        Entry::NodeChanged { .. } => "node_changed",
        Entry::QueueSet { .. } => "queue_set",
        Entry::PolicySet { .. } => "policy_set",
        Entry::Submitted { .. } => "submitted",
        Entry::Eligible { .. } => "eligible",
        Entry::Decided { .. } => "decided",
        Entry::Started { .. } => "started",
        Entry::StartFailed { .. } => "start_failed",
        Entry::NotBegun { .. } => "not_begun",
        Entry::StopAsked { .. } => "stop_asked",
        Entry::RunEnded { .. } => "run_ended",
        Entry::Retrying { .. } => "retrying",
        Entry::Finished { .. } => "finished",
    }
}
