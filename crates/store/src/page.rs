//! Lists of workloads: newest first, a page at a time.
//!
//! A page costs what it shows, not what the file holds: each state is read along an index from the newest down and the lists are merged, and
//! totals are counted as entries come in. Only a text in names is looked for row by row.

use std::collections::BTreeMap;

use fleet::action::Slot;
use fleet::ids::WorkloadId;
use fleet::node::Resources;
use fleet::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::error::Fault;
use crate::json;
use crate::state::State;

/// What is asked for. Nothing set: everything, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// In one of these states; none: in any.
    pub states: Vec<State>,
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this user.
    pub user: Option<String>,
    /// With this text in its name, or in its command where it has no name; case does not count (of ASCII).
    pub text: Option<String>,
    /// Submitted before this one: the last row of the page before.
    pub before: Option<WorkloadId>,
    /// How many rows; from 1 to [`Query::LIMIT_MAX`].
    pub limit: usize,
}

impl Query {
    /// The most rows of a page.
    pub const LIMIT_MAX: usize = 500;
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its rows, newest first.
    pub rows: Vec<Row>,
    /// What the next page comes before; absent: this is the last.
    pub next: Option<WorkloadId>,
    /// How many workloads there are of each state: of the queue that was asked for, else of all; other filters do not count.
    pub counts: Counts,
    /// The place of the last entry that this page knows of.
    pub seq: u64,
}

/// How many workloads there are of each state. States of which there are none are absent.
pub type Counts = BTreeMap<State, u64>;

/// A workload in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: WorkloadId,
    /// Where it stands.
    pub state: State,
    /// Its queue.
    pub queue: String,
    /// Whose it is.
    pub user: String,
    /// What its owner calls it.
    pub name: Option<String>,
    /// Its command, in one line and cut to 200 characters.
    pub command: String,
    /// Its priority.
    pub priority: i32,
    /// What it asks for.
    pub request: Resources,
    /// When it was handed in.
    pub submitted: Timestamp,
    /// When it could first have started.
    pub eligible: Option<Timestamp>,
    /// When its last run began.
    pub started: Option<Timestamp>,
    /// When it was over for good.
    pub finished: Option<Timestamp>,
    /// How many runs it had, and starts that failed.
    pub runs: u64,
    /// Where its last run is or was.
    pub slots: Vec<Slot>,
}

/// Reads a page.
pub(crate) fn page(connection: &Connection, query: &Query) -> Result<Page, Fault> {
    let limit = query.limit.clamp(1, Query::LIMIT_MAX);
    let counts = counts(connection, query.queue.as_deref())?;
    let along_ids = query.states.is_empty() && query.queue.is_none() && query.user.is_none();
    let mut rows = Vec::new();
    if along_ids {
        list(connection, query, None, limit + 1, &mut rows)?;
    } else {
        for state in counts.keys().filter(|state| query.states.is_empty() || query.states.contains(state)) {
            list(connection, query, Some(*state), limit + 1, &mut rows)?;
        }
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let (seq, _) = crate::entries::last(connection)?;
    Ok(Page { rows, next, counts, seq })
}

/// Counts by state, of one queue or all.
pub(crate) fn counts(connection: &Connection, queue: Option<&str>) -> Result<Counts, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT state, sum(workloads) FROM counts WHERE ?1 IS NULL OR queue = ?1 GROUP BY state HAVING sum(workloads) > 0",
    )?;
    let mut rows = statement.query([queue])?;
    let mut counts = Counts::new();
    while let Some(row) = rows.next()? {
        let (name, count): (String, i64) = (row.get(0)?, row.get(1)?);
        counts.insert(state(&name)?, count.unsigned_abs());
    }
    Ok(counts)
}

/// Appends at most `limit` rows of one state, or of any.
fn list(
    connection: &Connection,
    query: &Query,
    of: Option<State>,
    limit: usize,
    found: &mut Vec<Row>,
) -> Result<(), Fault> {
    let mut conditions = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut condition = |text: &'static str, value: Value| {
        conditions.push(text);
        values.push(value);
    };
    let index = match (of, &query.user, &query.queue) {
        (None, ..) => "",
        (_, Some(_), _) => "INDEXED BY workloads_of_user",
        (_, None, Some(_)) => "INDEXED BY workloads_of_queue",
        (_, None, None) => "INDEXED BY workloads_of_state",
    };
    if let Some(state) = of {
        condition("state = ?", Value::Text(state.name().into()));
    }
    if let Some(user) = &query.user {
        condition("user = ?", Value::Text(user.clone()));
    }
    if let Some(queue) = &query.queue {
        condition("queue = ?", Value::Text(queue.clone()));
    }
    if let Some(text) = &query.text {
        condition("instr(lower(coalesce(name, command)), lower(?)) > 0", Value::Text(text.clone()));
    }
    condition("id < ?", Value::Integer(query.before.map_or(i64::MAX, |id| id.0.into())));
    values.push(Value::Integer(limit as i64));
    let text = format!(
        "SELECT id, state, queue, user, name, command, priority, request, submitted, eligible, started, finished, runs, slots \
         FROM workloads {index} WHERE {} ORDER BY id DESC LIMIT ?",
        conditions.join(" AND ")
    );
    let mut statement = connection.prepare_cached(&text)?;
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        found.push(row_of(row)?);
    }
    Ok(())
}

fn row_of(row: &rusqlite::Row<'_>) -> Result<Row, Fault> {
    let id = WorkloadId(row.get(0)?);
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let moment = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp));
    let what = || format!("workload {}", id.0);
    Ok(Row {
        id,
        state: state(text(1)?)?,
        queue: row.get(2)?,
        user: row.get(3)?,
        name: row.get(4)?,
        command: row.get(5)?,
        priority: row.get(6)?,
        request: json::read(text(7)?, what)?,
        submitted: Timestamp(row.get(8)?),
        eligible: moment(9)?,
        started: moment(10)?,
        finished: moment(11)?,
        runs: row.get::<_, i64>(12)?.unsigned_abs(),
        slots: json::read(text(13)?, what)?,
    })
}

fn state(name: &str) -> Result<State, Fault> {
    State::parse(name).ok_or_else(|| Fault::Corrupt { what: format!("there is a workload that is {name:?}") })
}
