//! A scenario applied to a history: what is replayed, with every change resolved.

use std::collections::BTreeMap;

use fleet::history::{NodeChange, NodeRecord, QueueRecord};
use fleet::ids::{NodeId, QueueId};
use fleet::node::Node;
use fleet::policy::Policy;
use fleet::quantity::{MilliDevice, Millis};
use fleet::queue::Metered;
use fleet::time::Timestamp;

use crate::history::{History, Recorded};
use crate::scenario::{Change, Limit, Scenario, Who};

/// What is replayed.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// The history behind it.
    pub history: &'a History,
    /// The nodes, by id.
    pub nodes: Vec<NodeRecord>,
    /// What they offer, by id; `None`: not there.
    pub specs: Vec<Option<Node>>,
    /// What becomes of nodes, in order of time.
    pub node_events: Vec<(Timestamp, NodeId, NodeChange)>,
    /// The queues' rules, by id.
    pub queues: Vec<QueueRecord>,
    /// The policy.
    pub policy: Policy,
    /// What quotas count.
    pub metered: Metered,
    /// Starts that take time or fail.
    pub faults: Faults,
    /// How long after the end of a run its room is free again.
    pub completing: Millis,
    /// Recorded gaps between submits are multiplied by so many thousandths.
    pub gap_permille: u32,
    /// By workload: the queue, the limit asked, the work's thousandths, the priority.
    asked: Vec<Asked>,
}

/// What a scenario makes of one workload.
#[derive(Clone, Copy, Debug)]
struct Asked {
    queue: QueueId,
    limit: Option<Millis>,
    work_permille: u32,
    priority: i32,
}

/// How starts go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// How long a start takes at most.
    pub delay_max: Millis,
    /// How many of a thousand starts fail.
    pub start_fails_permille: u32,
}

/// Why a scenario cannot be applied to a history; completes "failed to apply the scenario: …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl<'a> Setup<'a> {
    /// Applies a scenario. Without a policy in either, the fleet is taken to have run by `backfill`, as most do.
    ///
    /// # Errors
    /// If a change names a queue, user or kind of node that the history does not have, or there are no nodes.
    pub fn new(history: &'a History, scenario: &Scenario) -> Result<Self, Unfit> {
        let mut setup = Self {
            history,
            nodes: history.nodes.clone(),
            specs: history.specs.clone(),
            node_events: history.node_events.clone(),
            queues: history.queues.clone(),
            policy: history.policy.clone().unwrap_or_else(|| Policy::new(fleet::policy::Order::Backfill)),
            metered: history.metered(),
            faults: Faults::default(),
            completing: history.completing,
            gap_permille: 1_000,
            asked: history.workloads.iter().map(|recorded| setup_asked(history, recorded)).collect(),
        };
        for change in &scenario.changes {
            setup.apply(change)?;
        }
        if setup.specs.iter().all(Option::is_none) && history.specs.iter().any(Option::is_some) {
            return Err(Unfit("it leaves no node".into()));
        }
        if setup.specs.iter().all(Option::is_none) {
            return Err(Unfit("the history does not say what nodes there were; give a fleet file with --fleet".into()));
        }
        Ok(setup)
    }

    /// The queue a workload is handed in to.
    #[must_use]
    pub fn queue_of(&self, index: usize) -> QueueId {
        self.asked[index].queue
    }

    /// The limit a workload asks for.
    #[must_use]
    pub fn limit(&self, index: usize) -> Option<Millis> {
        self.asked[index].limit
    }

    /// The priority a workload has.
    #[must_use]
    pub fn priority(&self, index: usize) -> i32 {
        self.asked[index].priority
    }

    /// How long recorded work takes here.
    #[must_use]
    pub fn work(&self, index: usize, recorded: Millis) -> Millis {
        match self.asked[index].work_permille {
            1_000 => recorded,
            permille => Millis((i128::from(recorded.0) * i128::from(permille) / 1_000) as i64),
        }
    }

    /// A recorded moment of arrival, at this scenario's pace.
    #[must_use]
    pub fn moment(&self, recorded: Timestamp) -> Timestamp {
        if self.gap_permille == 1_000 {
            return recorded;
        }
        let from = self.history.from;
        let gap = i128::from(recorded.since(from).0) * i128::from(self.gap_permille) / 1_000;
        from + Millis(gap as i64)
    }

    /// All that the nodes have together, in the metered resource.
    #[must_use]
    pub fn capacity(&self) -> MilliDevice {
        let each = self.specs.iter().flatten().map(|node| match self.metered {
            Metered::Devices => MilliDevice::whole(u64::from(node.devices)),
            Metered::Cores => MilliDevice(node.cpu.0),
        });
        each.sum()
    }

    /// Kinds of nodes by name, in order of first appearance, each with its nodes: the recorded kind, or what nodes that are
    /// alike have in common.
    #[must_use]
    pub fn groups(&self) -> Vec<(String, Vec<usize>)> {
        let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
        let mut index: BTreeMap<String, usize> = BTreeMap::new();
        for (position, node) in self.nodes.iter().enumerate() {
            if self.specs[position].is_none() {
                continue;
            }
            let name = node.group.clone().unwrap_or_else(|| kind(node));
            let at = *index.entry(name.clone()).or_insert_with(|| {
                groups.push((name, Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(position);
        }
        groups
    }

    fn apply(&mut self, change: &Change) -> Result<(), Unfit> {
        match change {
            Change::Policy { policy } => self.policy = policy.clone(),
            Change::Nodes { group, count } => self.set_count(group, *count)?,
            Change::Queue { rules } => {
                let queue = self.queue(&rules.name)?;
                self.queues[queue.index()] = rules.clone();
            }
            Change::NewQueue { rules } => {
                if self.queue(&rules.name).is_ok() {
                    return Err(Unfit(format!("there is a queue `{}` already", rules.name)));
                }
                self.queues.push(rules.clone());
            }
            Change::Move { who, to } => {
                let to = self.queue(to)?;
                self.each(who, |asked, _| asked.queue = to)?;
            }
            Change::QuotaByUse => self.quota_by_use(),
            Change::TimeLimit { who, limit } => {
                self.each(who, |asked, recorded| asked.limit = limited(*limit, asked.limit, recorded))?;
            }
            Change::Priority { who, add } => {
                self.each(who, |asked, _| asked.priority = asked.priority.saturating_add(*add))?;
            }
            Change::Arrivals { gap_permille } => self.gap_permille = *gap_permille,
            Change::ScaleWork { who, factor_permille } => {
                self.each(who, |asked, _| asked.work_permille = *factor_permille)?;
            }
            Change::Faults { delay_max_ms, start_fails_permille } => {
                self.faults = Faults { delay_max: *delay_max_ms, start_fails_permille: *start_fails_permille };
            }
        }
        Ok(())
    }

    fn each(&mut self, who: &Who, mut change: impl FnMut(&mut Asked, &Recorded)) -> Result<(), Unfit> {
        let queue = who.queue.as_deref().map(|name| self.queue(name)).transpose()?;
        let user = match who.user.as_deref() {
            None => None,
            Some(name) => {
                let found = self.history.names.users.get(name);
                Some(found.ok_or_else(|| Unfit(format!("the history has no user `{name}`")))?)
            }
        };
        for (asked, recorded) in self.asked.iter_mut().zip(&self.history.workloads) {
            let workload = &recorded.workload;
            let meant = who.workload.as_ref().is_none_or(|id| *id == recorded.id);
            if meant
                && (!who.checkpointed || recorded.checkpoint_every.is_some())
                && queue.is_none_or(|queue| workload.queue == queue)
                && user.is_none_or(|user| workload.user == Some(user))
            {
                change(asked, recorded);
            }
        }
        Ok(())
    }

    fn queue(&self, name: &str) -> Result<QueueId, Unfit> {
        let found = self.queues.iter().position(|queue| queue.name == name);
        found.map(|index| QueueId(index as u32)).ok_or_else(|| Unfit(format!("the history has no queue `{name}`")))
    }

    /// Keeps the first `count` nodes of a kind, or adds copies of its first one.
    fn set_count(&mut self, group: &str, count: u32) -> Result<(), Unfit> {
        let groups = self.groups();
        let members = groups.iter().find(|(name, _)| name == group).map(|(_, members)| members.clone());
        let Some(members) = members else {
            let known: Vec<&str> = groups.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Unfit(format!("the fleet has no nodes of kind `{group}`; it has {}", known.join(", "))));
        };
        let gone: std::collections::BTreeSet<usize> = members.iter().skip(count as usize).copied().collect();
        let first = members[0];
        let (record, spec) = (self.nodes[first].clone(), self.specs[first].clone());
        // Ids stay what they were.
        for &index in &gone {
            self.specs[index] = None;
        }
        self.node_events.retain(|(_, node, _)| !gone.contains(&node.index()));
        for number in members.len()..count as usize {
            let name = format!("{group}-added-{}", number + 1 - members.len());
            self.nodes.push(NodeRecord { name, ..record.clone() });
            self.specs.push(spec.clone());
        }
        Ok(())
    }

    fn quota_by_use(&mut self) {
        let mut used: BTreeMap<QueueId, i128> = BTreeMap::new();
        for recorded in &self.history.workloads {
            let amount = i128::from(self.history.meter(&recorded.workload).0);
            *used.entry(recorded.workload.queue).or_default() += amount * i128::from(recorded.run().0);
        }
        let total: i128 = used.values().sum();
        if total == 0 {
            return;
        }
        let capacity = i128::from(self.capacity().0);
        for (queue, used) in used {
            self.queues[queue.index()].quota_milli = Some(MilliDevice((used * capacity / total) as u64));
        }
    }
}

/// What a workload asked for, as recorded. Who asked for no limit gets the queue's default.
fn setup_asked(history: &History, recorded: &Recorded) -> Asked {
    let queue = &history.queues[recorded.workload.queue.index()];
    Asked {
        queue: recorded.workload.queue,
        limit: recorded.workload.time_limit.or(queue.time_limit_default_ms),
        work_permille: 1_000,
        priority: recorded.workload.priority,
    }
}

fn limited(limit: Limit, asked: Option<Millis>, recorded: &Recorded) -> Option<Millis> {
    let run = recorded.attempts.iter().map(|run| run.length).max().unwrap_or_default();
    match limit {
        Limit::TrueRun => Some(run),
        Limit::AtMost { limit_ms } => Some(asked.map_or(limit_ms, |asked| asked.min(limit_ms))),
        Limit::Scaled { permille } => {
            asked.map(|asked| Millis((i128::from(asked.0) * i128::from(permille) / 1_000) as i64).max(run).min(asked))
        }
    }
}

/// A name for nodes like this one, such as `8xH100` or `16-core`.
fn kind(node: &NodeRecord) -> String {
    let pools = if node.pools.is_empty() { String::new() } else { format!("{}:", node.pools.join("+")) };
    match (node.devices, &node.model, node.cpu_milli) {
        (0, _, cpu) => format!("{pools}{}-core", cpu.unwrap_or(0) / 1_000),
        (count, Some(model), _) => format!("{pools}{count}x{model}"),
        (count, None, _) => format!("{pools}{count}-device"),
    }
}
