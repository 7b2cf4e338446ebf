//! A batch of entries on its way into the file: appended to the log, and added up.
//!
//! Each workload that a batch touches is read once and written once, whatever the batch says of it. Whoever began the transaction ends it:
//! after an error nothing of the batch may stay.

use std::collections::btree_map::{BTreeMap, Entry as Place};

use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Entry, Live, Logged};
use rusqlite::{Connection, params};

use crate::error::Fault;
use crate::state::State;
use crate::{entries, nodes, rules, workloads};

/// What a batch changes, until [`Batch::finish`] writes it.
pub(crate) struct Batch<'c> {
    connection: &'c Connection,
    last_action: Option<ActionId>,
    log: Log,
    touched: BTreeMap<WorkloadId, Touched>,
    nodes: BTreeMap<NodeId, bool>,
}

/// What becomes of the entries themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// They are appended to the log.
    Append,
    /// They are only added up: the log is in another file.
    IsElsewhere,
}

/// A workload that the batch speaks of.
struct Touched {
    live: Live,
    queue: String,
    before: Before,
    finished: Option<u64>,
}

/// What the file says of it.
enum Before {
    /// Nothing: it was handed in by this entry.
    New(u64),
    /// It is kept, in this state.
    Kept(State),
}

impl<'c> Batch<'c> {
    /// An empty batch that follows an action.
    pub(crate) fn new(connection: &'c Connection, last_action: Option<ActionId>, log: Log) -> Self {
        Self { connection, last_action, log, touched: BTreeMap::new(), nodes: BTreeMap::new() }
    }

    /// Takes an entry in. `index` is its place in the batch, for errors.
    pub(crate) fn take(&mut self, index: usize, logged: &Logged) -> Result<(), Fault> {
        if self.log == Log::Append {
            entries::append(self.connection, logged)?;
        }
        self.add_up(logged)?.map_err(|why| Fault::OutOfPlace { index, why })
    }

    /// Writes what the batch adds up to. Returns the last action.
    pub(crate) fn finish(mut self) -> Result<Option<ActionId>, Fault> {
        let mut counts = BTreeMap::new();
        for touched in self.touched.values_mut() {
            let state = State::of(touched.live.phase);
            match touched.before {
                Before::New(seq) => workloads::insert(self.connection, &mut touched.live, seq, touched.finished)?,
                Before::Kept(before) => {
                    workloads::update(self.connection, &mut touched.live, touched.finished)?;
                    *counts.entry((touched.queue.as_str(), before)).or_insert(0) -= 1;
                }
            }
            *counts.entry((touched.queue.as_str(), state)).or_insert(0) += 1;
        }
        for ((queue, state), change) in counts {
            count(self.connection, queue, state, change)?;
        }
        let mut statement = self.connection.prepare_cached("UPDATE head SET last_action = ?1")?;
        statement.execute([self.last_action.map(|action| action.0.cast_signed())])?;
        Ok(self.last_action)
    }

    /// The inner error says why the entry cannot follow.
    fn add_up(&mut self, logged: &Logged) -> Result<Result<(), String>, Fault> {
        let Logged { seq, at, entry } = logged;
        match entry {
            Entry::NodeFound { node, facts } => return nodes::find(self.connection, *node, facts, *at),
            Entry::NodeChanged { node, change, by } => {
                let known = nodes::change(self.connection, *node, *change, by.as_deref(), *at)?;
                return Ok(if known { Ok(()) } else { Err(format!("there is no node {}", node.0)) });
            }
            Entry::QueueSet { rules, .. } => rules::set_queue(self.connection, rules)?,
            Entry::PolicySet { policy, .. } => rules::set_policy(self.connection, policy)?,
            Entry::Submitted { workload, submission, by } => {
                if self.touch(*workload)?.is_some() {
                    return Ok(Err(format!("workload {} was handed in before", workload.0)));
                }
                let queue = submission.queue.clone();
                let live = Live::new(*workload, (**submission).clone(), by.clone(), *at);
                self.touched.insert(*workload, Touched { live, queue, before: Before::New(*seq), finished: None });
            }
            Entry::Decided { action, slots, .. } => {
                if let Err(why) = self.decided(*action) {
                    return Ok(Err(why));
                }
                for slot in slots {
                    if !self.knows(slot.node)? {
                        return Ok(Err(format!(
                            "action {} starts on node {}, which is not known",
                            action.0, slot.node.0
                        )));
                    }
                }
                return self.apply(logged);
            }
            Entry::Eligible { .. }
            | Entry::Started { .. }
            | Entry::StartFailed { .. }
            | Entry::NotBegun { .. }
            | Entry::StopAsked { .. }
            | Entry::RunEnded { .. }
            | Entry::Retrying { .. }
            | Entry::Finished { .. } => return self.apply(logged),
        }
        Ok(Ok(()))
    }

    fn apply(&mut self, logged: &Logged) -> Result<Result<(), String>, Fault> {
        let Some(id) = logged.entry.workload() else { return Ok(Err("it speaks of no workload".into())) };
        let Some(touched) = self.touch(id)? else {
            return Ok(Err(format!("there is no workload {}", id.0)));
        };
        let before = State::of(touched.live.phase);
        if touched.live.apply(&logged.entry, logged.at).is_err() {
            let (kind, before) = (entries::kind(&logged.entry), before.name());
            return Ok(Err(format!("`{kind}` of workload {}, which is {before}", id.0)));
        }
        if touched.live.is_finished() {
            touched.finished = Some(logged.seq);
        }
        Ok(Ok(()))
    }

    /// An action's id is used once, and ids rise.
    fn decided(&mut self, action: ActionId) -> Result<(), String> {
        if self.last_action.is_some_and(|last| action <= last) || i64::try_from(action.0).is_err() {
            return Err(format!("action {} is not above those before it", action.0));
        }
        self.last_action = Some(action);
        Ok(())
    }

    fn knows(&mut self, node: NodeId) -> Result<bool, Fault> {
        if self.nodes.get(&node) != Some(&true) {
            self.nodes.insert(node, nodes::is_known(self.connection, node)?);
        }
        Ok(self.nodes[&node])
    }

    fn touch(&mut self, id: WorkloadId) -> Result<Option<&mut Touched>, Fault> {
        match self.touched.entry(id) {
            Place::Occupied(place) => Ok(Some(place.into_mut())),
            Place::Vacant(place) => {
                let Some(kept) = workloads::find(self.connection, id)? else { return Ok(None) };
                let before = Before::Kept(State::of(kept.live.phase));
                Ok(Some(place.insert(Touched { live: kept.live, queue: kept.queue, before, finished: None })))
            }
        }
    }
}

/// Two statements, since an upsert checks the row that it would insert first, and a change may be negative.
fn count(connection: &Connection, queue: &str, state: State, change: i64) -> Result<(), Fault> {
    if change == 0 {
        return Ok(());
    }
    let row = params![queue, state.name(), change];
    let mut update =
        connection.prepare_cached("UPDATE counts SET workloads = workloads + ?3 WHERE queue = ?1 AND state = ?2")?;
    if update.execute(row)? == 0 {
        connection.prepare_cached("INSERT INTO counts (queue, state, workloads) VALUES (?1, ?2, ?3)")?.execute(row)?;
    }
    Ok(())
}
