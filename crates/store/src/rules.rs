//! Queues and policy: the rules that hold now.

use fleet::history::QueueRecord;
use fleet::policy::Policy;
use rusqlite::{Connection, params};

use crate::error::Fault;
use crate::json;

/// All queues, in order of name.
pub(crate) fn queues(connection: &Connection) -> Result<Vec<QueueRecord>, Fault> {
    let mut statement = connection.prepare_cached("SELECT name, rules FROM queues ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut queues = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, rules): (String, String) = (row.get(0)?, row.get(1)?);
        queues.push(json::read(&rules, || format!("queue {name}"))?);
    }
    Ok(queues)
}

/// Sets the rules of a queue.
pub(crate) fn set_queue(connection: &Connection, rules: &QueueRecord) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO queues (name, rules) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET rules = excluded.rules",
        )?
        .execute(params![rules.name, json::write(rules)?])?;
    Ok(())
}

/// The policy, once one was set.
pub(crate) fn policy(connection: &Connection) -> Result<Option<Policy>, Fault> {
    let mut statement = connection.prepare_cached("SELECT body FROM policy")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let body: String = row.get(0)?;
    json::read(&body, || "the policy".into()).map(Some)
}

/// Sets the policy.
pub(crate) fn set_policy(connection: &Connection, policy: &Policy) -> Result<(), Fault> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO policy (one, body) VALUES (1, ?1)")?
        .execute([json::write(policy)?])?;
    Ok(())
}
