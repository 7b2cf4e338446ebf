//! Nodes as the log adds them up.

use fleet::history::{NodeChange, NodeRecord};
use fleet::ids::NodeId;
use fleet::time::Timestamp;
use rusqlite::{Connection, params};

use crate::error::Fault;
use crate::json;

/// A node, and what became of it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredNode {
    /// Its id.
    pub id: NodeId,
    /// Its facts.
    pub facts: NodeRecord,
    /// When it was found first.
    pub found: Timestamp,
    /// Whether it can be used.
    pub standing: NodeStanding,
    /// Since when.
    pub since: Timestamp,
    /// Who asked for that; absent: nobody, it was seen.
    pub by: Option<String>,
}

/// Whether a node can be used: what became of it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeStanding {
    /// It can.
    Usable,
    /// Nothing new starts there.
    Drained,
    /// It is gone.
    Lost,
}

impl NodeStanding {
    /// What a change makes of a node.
    #[must_use]
    pub fn after(change: NodeChange) -> Self {
        match change {
            NodeChange::Lost => Self::Lost,
            NodeChange::Drained => Self::Drained,
            NodeChange::Returned => Self::Usable,
        }
    }

    /// Its name in files and addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Drained => "drained",
            Self::Lost => "lost",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Usable, Self::Drained, Self::Lost].into_iter().find(|standing| standing.name() == name)
    }
}

/// All nodes, in order of id.
pub(crate) fn all(connection: &Connection) -> Result<Vec<StoredNode>, Fault> {
    let mut statement = connection
        .prepare_cached("SELECT id, facts, found, standing, standing_since, standing_by FROM nodes ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut nodes = Vec::new();
    while let Some(row) = rows.next()? {
        let id = NodeId(row.get(0)?);
        let (facts, standing): (String, String) = (row.get(1)?, row.get(3)?);
        nodes.push(StoredNode {
            id,
            facts: json::read(&facts, || format!("node {}", id.0))?,
            found: Timestamp(row.get(2)?),
            standing: NodeStanding::parse(&standing)
                .ok_or_else(|| Fault::Corrupt { what: format!("node {} is {standing:?}", id.0) })?,
            since: Timestamp(row.get(4)?),
            by: row.get(5)?,
        });
    }
    Ok(nodes)
}

/// Whether there is such a node.
pub(crate) fn is_known(connection: &Connection, id: NodeId) -> Result<bool, Fault> {
    Ok(connection.prepare_cached("SELECT 1 FROM nodes WHERE id = ?1")?.exists([id.0])?)
}

/// Takes a node in, or new facts of one that is known; its standing stays. Says why not, where its id or name is another's.
pub(crate) fn find(
    connection: &Connection,
    id: NodeId,
    facts: &NodeRecord,
    at: Timestamp,
) -> Result<Result<(), String>, Fault> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM nodes WHERE id = ?1 OR name = ?2")?;
    let mut rows = statement.query(params![id.0, facts.name])?;
    let mut known = false;
    while let Some(row) = rows.next()? {
        let (other, name): (u32, String) = (row.get(0)?, row.get(1)?);
        if (other, name.as_str()) != (id.0, facts.name.as_str()) {
            return Ok(Err(format!("node {other} is {name}, so node {} cannot be {}", id.0, facts.name)));
        }
        known = true;
    }
    let text = json::write(facts)?;
    if known {
        connection.prepare_cached("UPDATE nodes SET facts = ?2 WHERE id = ?1")?.execute(params![id.0, text])?;
    } else {
        connection
            .prepare_cached(
                "INSERT INTO nodes (id, name, facts, found, standing, standing_since) VALUES (?1, ?2, ?3, ?4, 'usable', ?4)",
            )?
            .execute(params![id.0, facts.name, text, at.0])?;
    }
    Ok(Ok(()))
}

/// Takes in what became of a node; false where there is none.
pub(crate) fn change(
    connection: &Connection,
    id: NodeId,
    change: NodeChange,
    by: Option<&str>,
    at: Timestamp,
) -> Result<bool, Fault> {
    let changed = connection
        .prepare_cached("UPDATE nodes SET standing = ?2, standing_since = ?3, standing_by = ?4 WHERE id = ?1")?
        .execute(params![id.0, NodeStanding::after(change).name(), at.0, by])?;
    Ok(changed == 1)
}
