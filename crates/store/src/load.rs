//! What a restart needs.

use std::collections::BTreeMap;

use fleet::history::QueueRecord;
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::Live;
use fleet::policy::Policy;
use fleet::time::Timestamp;
use rusqlite::Connection;

use crate::error::Fault;
use crate::nodes::{self, StoredNode};
use crate::state::State;
use crate::{entries, rules, workloads};

/// All that goes on from where it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The place of the last entry; 0 before the first.
    pub seq: u64,
    /// Its moment. Whatever the clock says now, nothing may be written that is earlier.
    pub at: Option<Timestamp>,
    /// The lowest id that no workload has had.
    pub next_workload: WorkloadId,
    /// The lowest id that no action has had.
    pub next_action: ActionId,
    /// Nodes, in order of id.
    pub nodes: Vec<StoredNode>,
    /// Queues, in order of name.
    pub queues: Vec<QueueRecord>,
    /// The policy, once one was set.
    pub policy: Option<Policy>,
    /// Workloads that are not over, in order of id.
    pub unfinished: Vec<Live>,
    /// The latest that are over, in the order in which they finished.
    pub finished: Vec<Live>,
}

/// Reads it, with at most `finished_max` of the workloads that are over.
pub(crate) fn load(connection: &Connection, finished_max: usize) -> Result<Loaded, Fault> {
    let (seq, at) = entries::last(connection)?;
    let mut unfinished = BTreeMap::new();
    for state in State::ALL.into_iter().filter(|state| !state.is_finished()) {
        workloads::of_state(connection, state, |live| {
            unfinished.insert(live.id, live);
        })?;
    }
    let mut finished = workloads::latest_finished(connection, finished_max)?;
    finished.reverse();
    Ok(Loaded {
        seq,
        at,
        next_workload: WorkloadId(workloads::last_id(connection)?.map_or(0, |id| id.0.saturating_add(1))),
        next_action: ActionId(last_action(connection)?.map_or(0, |action| action.0 + 1)),
        nodes: nodes::all(connection)?,
        queues: rules::queues(connection)?,
        policy: rules::policy(connection)?,
        unfinished: unfinished.into_values().collect(),
        finished,
    })
}

/// The highest id of an action.
pub(crate) fn last_action(connection: &Connection) -> Result<Option<ActionId>, Fault> {
    let action: Option<i64> = connection.query_row("SELECT last_action FROM head", [], |row| row.get(0))?;
    Ok(action.map(|action| ActionId(action.cast_unsigned())))
}
