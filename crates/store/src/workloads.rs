//! Workloads as the log adds them up: a narrow row for lists, and the whole of it.
//!
//! What was handed in can be large (an environment) and never changes: it is kept once, in its entry of the log, and a stored workload has an
//! empty submission in its place.

use std::mem;

use fleet::ids::WorkloadId;
use fleet::live::{Entry, Live, Run, Submission};
use fleet::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::error::Fault;
use crate::state::State;
use crate::{entries, json};

/// The most characters of a command that lists show.
const COMMAND_MAX: usize = 200;

/// A workload that is kept already, as far as entries about it need it.
pub(crate) struct Kept {
    /// It, with an empty submission.
    pub(crate) live: Live,
    /// Its queue.
    pub(crate) queue: String,
}

/// Looks a workload up, without what was handed in.
pub(crate) fn find(connection: &Connection, id: WorkloadId) -> Result<Option<Kept>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT lives.body, workloads.queue FROM workloads JOIN lives USING (id) WHERE workloads.id = ?1",
    )?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Kept { live: body_of(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?, id)?, queue: row.get(1)? }))
}

const WHOLE: &str = "SELECT workloads.id, lives.body, log.seq, log.at, log.body, log.crc \
    FROM workloads JOIN lives USING (id) JOIN log ON log.seq = workloads.submitted_seq";

/// A workload and all that became of it.
pub(crate) fn whole(connection: &Connection, id: WorkloadId) -> Result<Option<Live>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{WHOLE} WHERE workloads.id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(live_of).transpose()
}

/// All workloads of a state, in any order.
pub(crate) fn of_state(connection: &Connection, state: State, mut take: impl FnMut(Live)) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(&format!("{WHOLE} WHERE workloads.state = ?1"))?;
    let mut rows = statement.query([state.name()])?;
    while let Some(row) = rows.next()? {
        take(live_of(row)?);
    }
    Ok(())
}

/// The workloads that finished last, latest first.
pub(crate) fn latest_finished(connection: &Connection, limit: usize) -> Result<Vec<Live>, Fault> {
    let text = format!("{WHOLE} WHERE finished_seq IS NOT NULL ORDER BY finished_seq DESC LIMIT ?1");
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut lives = Vec::new();
    while let Some(row) = rows.next()? {
        lives.push(live_of(row)?);
    }
    Ok(lives)
}

/// Every workload, in order of id.
pub(crate) fn each(connection: &Connection, mut take: impl FnMut(Live) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(&format!("{WHOLE} ORDER BY workloads.id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(live_of(row)?)?;
    }
    Ok(())
}

/// When a workload was over; none where it is not, or there is none.
pub(crate) fn finished(connection: &Connection, id: WorkloadId) -> Result<Option<Timestamp>, Fault> {
    let mut statement = connection.prepare_cached("SELECT finished FROM workloads WHERE id = ?1")?;
    let mut rows = statement.query([id.0])?;
    let at = rows.next()?.map(|row| row.get::<_, Option<i64>>(0)).transpose()?;
    Ok(at.flatten().map(Timestamp))
}

/// The highest id that was given.
pub(crate) fn last_id(connection: &Connection) -> Result<Option<WorkloadId>, Fault> {
    let id: Option<u32> = connection.query_row("SELECT max(id) FROM workloads", [], |row| row.get(0))?;
    Ok(id.map(WorkloadId))
}

/// Writes a workload that was handed in with the entry at `submitted`, and of which the one at `finished` was the last.
pub(crate) fn insert(
    connection: &Connection,
    live: &mut Live,
    submitted: u64,
    finished: Option<u64>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO workloads (id, state, queue, user, name, command, priority, request, submitted, eligible, started, finished, \
         runs, slots, submitted_seq, finished_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    let submission = &live.submission;
    statement.execute(params![
        live.id.0,
        State::of(live.phase).name(),
        submission.queue,
        user_of(live),
        submission.name,
        command_of(submission),
        submission.priority,
        json::write(&submission.request)?,
        live.submitted.0,
        live.eligible.map(|at| at.0),
        started_of(live).map(|at| at.0),
        live.finished.map(|at| at.0),
        live.runs.len().cast_signed(),
        slots_of(live)?,
        submitted.cast_signed(),
        finished.map(u64::cast_signed),
    ])?;
    let body = body(live)?;
    connection.prepare_cached("INSERT INTO lives (id, body) VALUES (?1, ?2)")?.execute(params![live.id.0, body])?;
    Ok(())
}

/// Writes a workload that is kept already.
pub(crate) fn update(connection: &Connection, live: &mut Live, finished: Option<u64>) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(
        "UPDATE workloads SET state = ?2, eligible = ?3, started = ?4, finished = ?5, runs = ?6, slots = ?7, finished_seq = ?8 \
         WHERE id = ?1",
    )?;
    statement.execute(params![
        live.id.0,
        State::of(live.phase).name(),
        live.eligible.map(|at| at.0),
        started_of(live).map(|at| at.0),
        live.finished.map(|at| at.0),
        live.runs.len().cast_signed(),
        slots_of(live)?,
        finished.map(u64::cast_signed),
    ])?;
    let body = body(live)?;
    connection.prepare_cached("UPDATE lives SET body = ?2 WHERE id = ?1")?.execute(params![live.id.0, body])?;
    Ok(())
}

/// Whose it is: whom its submission names, else who handed it in.
pub(crate) fn user_of(live: &Live) -> &str {
    live.submission.user.as_deref().unwrap_or(&live.by)
}

fn command_of(submission: &Submission) -> String {
    let mut shown: String = submission.command.join(" ").chars().take(COMMAND_MAX + 1).collect();
    if shown.chars().count() > COMMAND_MAX {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// When the last run began.
fn started_of(live: &Live) -> Option<Timestamp> {
    live.runs.last().and_then(|run| run.started)
}

fn slots_of(live: &Live) -> Result<String, Fault> {
    json::write(live.runs.last().map_or(&Vec::new(), |Run { slots, .. }| slots))
}

fn body(live: &mut Live) -> Result<String, Fault> {
    let submission = mem::take(&mut live.submission);
    let body = json::write(live);
    live.submission = submission;
    body
}

fn body_of(text: &str, id: WorkloadId) -> Result<Live, Fault> {
    let live: Live = json::read(text, || format!("workload {}", id.0))?;
    if live.id != id {
        return Err(Fault::Corrupt { what: format!("workload {} is kept as {}", live.id.0, id.0) });
    }
    Ok(live)
}

/// A workload of [`WHOLE`].
fn live_of(row: &Row<'_>) -> Result<Live, Fault> {
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let id = WorkloadId(row.get(0)?);
    let mut live = body_of(text(1)?, id)?;
    let seq: i64 = row.get(2)?;
    match entries::decode(seq.cast_unsigned(), Timestamp(row.get(3)?), text(4)?, row.get(5)?)? {
        Entry::Submitted { workload, submission, .. } if workload == id => live.submission = *submission,
        _ => return Err(Fault::Corrupt { what: format!("entry {seq} of the log does not hand in workload {}", id.0) }),
    }
    Ok(live)
}
