//! Names and the ids the engine knows them by. Ids live as long as this process: what is stored are names.

use fleet::history::{NodeRecord, QueueRecord};
use fleet::ids::{ModelId, NameId, PoolId, QueueId, UserId, WorkloadId};
use fleet::live::Submission;
use fleet::names::Names;
use fleet::node::Node;
use fleet::quantity::{Bytes, MilliCpu};
use fleet::queue::Queue;
use fleet::workload::{Constraint, Spread, Workload};

/// What a part counts as that is not known: enough of it for anything, and still far from what an integer holds.
const UNKNOWN: u64 = 1 << 50;

/// The tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    queues: Names<QueueId>,
    users: Names<UserId>,
    names: Names<NameId>,
    models: Names<ModelId>,
    pools: Names<PoolId>,
}

impl Vocabulary {
    /// A node as the engine sees it.
    pub(crate) fn node(&mut self, facts: &NodeRecord) -> Node {
        let mut pools: Vec<PoolId> = facts.pools.iter().map(|pool| self.pools.intern(pool)).collect();
        pools.sort_unstable();
        Node {
            pools,
            cpu: MilliCpu(facts.cpu_milli.unwrap_or(UNKNOWN)),
            memory: Bytes(facts.memory_bytes.unwrap_or(UNKNOWN)),
            devices: facts.devices,
            model: facts.model.as_deref().map(|model| self.models.intern(model)),
        }
    }

    /// A queue as the engine sees it.
    pub(crate) fn queue(&mut self, rules: &QueueRecord) -> Queue {
        Queue::of(self.queues.intern(&rules.name), rules)
    }

    /// A workload as the engine sees it.
    pub(crate) fn workload(&mut self, id: WorkloadId, asked: &Submission, rules: Option<&QueueRecord>) -> Workload {
        let mut models: Vec<ModelId> = asked.models.iter().map(|model| self.models.intern(model)).collect();
        models.sort_unstable();
        let pools = rules.map_or(&[][..], |rules| &rules.pools);
        let mut pools: Vec<PoolId> = pools.iter().map(|pool| self.pools.intern(pool)).collect();
        pools.sort_unstable();
        Workload {
            id,
            queue: self.queues.intern(&asked.queue),
            user: asked.user.as_deref().map(|user| self.users.intern(user)),
            name: asked.name.as_deref().map(|name| self.names.intern(name)),
            priority: asked.priority,
            tasks: 1,
            request: asked.request,
            spread: Spread::Packed,
            constraint: Constraint { pools, models },
            time_limit: asked.time_limit_ms,
        }
    }
}
