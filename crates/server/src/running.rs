//! What holds something at the moment.

use std::collections::BTreeMap;

use fleet::ids::{NodeId, WorkloadId};
use fleet::node::Resources;
use store::{Query, Reader, Row, State};

use crate::failure::Failure;

/// Everything that starts or runs. No more of it than the fleet has room for.
pub(crate) fn rows(reader: &Reader) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let states = vec![State::Starting, State::Running];
        let page = reader.page(&Query { states, before, limit: Query::LIMIT_MAX, ..Query::default() })?;
        rows.extend(page.rows);
        before = page.next;
        if before.is_none() {
            return Ok(rows);
        }
    }
}

/// What is given out on a node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) amount: Resources,
    /// The devices of which something is given.
    pub(crate) devices: u64,
    pub(crate) workloads: Vec<WorkloadId>,
}

/// What is given out, node by node.
pub(crate) fn by_node(rows: &[Row]) -> BTreeMap<NodeId, Given> {
    let mut nodes: BTreeMap<NodeId, Given> = BTreeMap::new();
    for row in rows {
        for slot in &row.slots {
            let given = nodes.entry(slot.node).or_default();
            given.amount = given.amount.plus(row.request.times(slot.tasks));
            given.devices |= slot.devices;
            given.workloads.push(row.id);
        }
    }
    nodes
}

/// What a workload was given on all its nodes.
pub(crate) fn whole(row: &Row) -> Resources {
    row.request.times(row.slots.iter().map(|slot| slot.tasks).sum())
}
