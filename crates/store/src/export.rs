//! What was recorded, as a history that everything replays.
//!
//! Commands and environments stay here: a history tells who asked for how much, when, and what became of it.

use std::collections::BTreeMap;

use fleet::event::EndCause;
use fleet::history::{Attempt, End, Header, NodeEvent, PolicyRecord, Record, Used, VERSION, WorkloadRecord};
use fleet::ids::NodeId;
use fleet::live::{Entry, Live, Logged, Run};
use fleet::quantity::{Bytes, Millis};
use fleet::time::Timestamp;
use rusqlite::Connection;

use crate::error::{Fault, StoreError};
use crate::reader::Reader;
use crate::{entries, nodes, rules, samples, workloads};

/// Hands out the whole of a history, from its header to its end, as the file is at one moment. Nothing is kept in memory but the nodes.
///
/// Queues and the facts of nodes are as they are now; policies and what became of nodes are as they were. A workload that never could have
/// started is eligible from the moment when that was over: when it was withdrawn, or when the history ends. It ends when something was last
/// written down or measured.
///
/// # Errors
/// If the file cannot be read; and whatever `take` answers.
pub fn export<E: From<StoreError>>(reader: &Reader, mut take: impl FnMut(Record) -> Result<(), E>) -> Result<(), E> {
    let mut refused = None;
    let written = reader.read(|snapshot| {
        records(snapshot, &mut |record| {
            take(record).map_err(|error| {
                refused = Some(error);
                // Stops the reading; never seen by anyone.
                Fault::Busy
            })
        })
    });
    match refused {
        Some(error) => Err(error),
        None => Ok(written?),
    }
}

fn records(connection: &Connection, take: &mut impl FnMut(Record) -> Result<(), Fault>) -> Result<(), Fault> {
    // What runs may have written nothing down for long: it ran as long as somebody looked.
    let until = entries::last(connection)?.1.max(samples::newest(connection)?);
    let from = entries::since(connection, 0, 1)?.first().map(|logged| logged.at);
    take(Record::Header(Header {
        version: VERSION,
        source: "trimtab".into(),
        written_by: Some(concat!("trimtab ", env!("CARGO_PKG_VERSION")).into()),
        ..Header::default()
    }))?;
    let mut names = BTreeMap::new();
    for node in nodes::all(connection)? {
        names.insert(node.id, node.facts.name.clone());
        let mut facts = node.facts;
        facts.at = facts.at.or(Some(node.found));
        take(Record::Node(facts))?;
    }
    for rules in rules::queues(connection)? {
        take(Record::Queue(rules))?;
    }
    changes(connection, &names, take)?;
    let mut count = 0;
    let end = until.unwrap_or_default();
    workloads::each(connection, |live| {
        count += 1;
        take(Record::Workload(Box::new(record(&live, &names, end)?)))
    })?;
    take(Record::End(End { workloads: count, rows_left_out: 0, from, until }))
}

/// Policies and what became of nodes, in order.
fn changes(
    connection: &Connection,
    names: &BTreeMap<NodeId, String>,
    take: &mut impl FnMut(Record) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut is_first = true;
    entries::of_the_fleet(connection, |Logged { at, entry, .. }| match entry {
        Entry::PolicySet { policy, .. } => {
            let at = (!is_first).then_some(at);
            is_first = false;
            take(Record::Policy(PolicyRecord { at, policy, completing: None }))
        }
        Entry::NodeChanged { node, change, by } => {
            let reason = by.map(|by| format!("by {by}"));
            take(Record::NodeEvent(NodeEvent { at, node: name_of(node, names)?, change, reason }))
        }
        _ => Ok(()),
    })
}

fn record(live: &Live, names: &BTreeMap<NodeId, String>, end: Timestamp) -> Result<WorkloadRecord, Fault> {
    let submission = &live.submission;
    let attempts: Vec<Attempt> =
        live.runs.iter().filter_map(|run| attempt(run, names).transpose()).collect::<Result<_, Fault>>()?;
    let withdrawn = live.finished.filter(|_| attempts.is_empty());
    Ok(WorkloadRecord {
        id: live.id.0.to_string(),
        queue: submission.queue.clone(),
        user: Some(workloads::user_of(live).to_owned()),
        name: submission.name.clone(),
        depends_on: submission.depends_on.iter().map(|id| id.0.to_string()).collect(),
        submit: live.submitted,
        eligible: Some(live.eligible.or(withdrawn).unwrap_or(end)),
        tasks: 1,
        request: submission.request,
        models: submission.models.clone(),
        priority: submission.priority,
        time_limit_ms: submission.time_limit_ms,
        withdrawn,
        used: used(live),
        attempts,
        ..WorkloadRecord::default()
    })
}

/// A run that began.
fn attempt(run: &Run, names: &BTreeMap<NodeId, String>) -> Result<Option<Attempt>, Fault> {
    let Some(start) = run.started else { return Ok(None) };
    // Whoever ran it has a clock of its own. What counts is when its room was given and when it was free again.
    let start = run.end.map_or(start, |end| start.min(end.at - end.ran)).max(run.decided);
    let nodes = run.slots.iter().map(|slot| name_of(slot.node, names)).collect::<Result<_, Fault>>()?;
    Ok(Some(Attempt {
        start: Some(start),
        run: run.end.map(|end| end.ran),
        cause: run.end.map_or(EndCause::Unknown, |end| end.cause),
        nodes,
        starting: Some(start.since(run.decided)).filter(|starting| starting.0 > 0),
        // Its room is given to others once its end was heard of.
        completing: run.end.map(|end| end.at.since(start + end.ran).max(Millis::ZERO)),
    }))
}

/// What all its runs used; unknown where that of one of them is.
fn used(live: &Live) -> Used {
    let mut cpu = Some(Millis::ZERO);
    let mut memory = Some(Bytes::ZERO);
    let mut any = false;
    for end in live.runs.iter().filter_map(|run| run.end) {
        any = true;
        cpu = cpu.zip(end.used.cpu).map(|(sum, used)| sum + used);
        memory = memory.zip(end.used.memory_peak).map(|(peak, used)| peak.max(used));
    }
    if any { Used { cpu_ms: cpu, memory_peak_bytes: memory, device_busy_ms: None } } else { Used::default() }
}

fn name_of(node: NodeId, names: &BTreeMap<NodeId, String>) -> Result<String, Fault> {
    let name = names.get(&node).cloned();
    name.ok_or_else(|| Fault::Corrupt { what: format!("a workload ran on node {}, which is not known", node.0) })
}
