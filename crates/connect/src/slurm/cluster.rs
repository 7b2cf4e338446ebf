//! What Slurm tells of the cluster itself, as records of a history: nodes, queues, policy, what became of nodes. Pure.

use std::collections::{BTreeMap, BTreeSet};

use fleet::history::{NodeChange, NodeEvent, NodeRecord, PolicyRecord, QueueRecord, Record};
use fleet::policy::{Order, Placement, Plan, Policy};
use fleet::quantity::Millis;

use super::QueuesAre;
use super::hosts;
use super::sacctmgr::{Association, Event, Limits, Qos};
use super::scontrol::{Node, Partition};

/// The most of anything here; a larger cluster is taken for a slip.
pub(super) const MOST: usize = 1_000_000;

/// How long Slurm needs after a job's end until its nodes take another: messages, and what kills what is left. It tells nobody. 22.05
/// without an epilogue took up to 0.35 s in nine of ten ends (from the controller's log, on one machine); with epilogues it is
/// longer. A quarter of a second also makes up for looks that take time themselves. Chosen on one recorded run, kept for all.
const COMPLETING: Millis = Millis(250);

/// What the files about the cluster told.
#[derive(Clone, Debug, Default)]
pub(super) struct Cluster {
    pub(super) nodes: BTreeMap<String, Node>,
    pub(super) partitions: BTreeMap<String, Partition>,
    pub(super) qos: BTreeMap<String, Qos>,
    pub(super) associations: Vec<Association>,
    pub(super) events: Vec<Event>,
    pub(super) config: BTreeMap<String, String>,
    pub(super) reservations: u64,
    /// How long these were not used, in sum.
    pub(super) reservations_unused_s: u64,
}

/// What it comes to.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) nodes: Vec<NodeRecord>,
    pub(super) queues: Vec<QueueRecord>,
    pub(super) policy: Option<PolicyRecord>,
    pub(super) events: Vec<Record>,
    /// For whoever reads the history.
    pub(super) notes: Vec<String>,
    /// What was odd, and how often.
    pub(super) remarks: Vec<(&'static str, u64)>,
}

impl Cluster {
    /// The most GPUs of one node.
    pub(super) fn devices_per_node(&self) -> Option<u64> {
        self.nodes.values().map(|node| u64::from(node.record.devices)).max()
    }

    /// Turns everything into records.
    pub(super) fn tell(&self, queues_are: QueuesAre) -> Told {
        let mut told = Told::default();
        self.tell_nodes(&mut told);
        self.tell_events(&mut told);
        match queues_are {
            QueuesAre::Partitions => self.tell_partitions(&mut told),
            QueuesAre::Qos => self.tell_qos(&mut told),
            QueuesAre::Accounts => self.tell_accounts(&mut told),
        }
        self.tell_policy(&mut told);
        self.tell_reservations(&mut told);
        told.remarks.retain(|(_, times)| *times > 0);
        told
    }

    fn tell_nodes(&self, told: &mut Told) {
        let members = self.members();
        let (mut future, mut mixed, mut down) = (0, 0, 0);
        // Slurm prints nodes in its own order, in which it also looks for room: which are neighbours matters to `select/cons_tres`.
        let mut nodes: Vec<_> = self.nodes.iter().collect();
        nodes.sort_by_key(|(_, node)| node.place);
        for (name, node) in nodes {
            let state = node.state.to_ascii_uppercase();
            if state.contains("FUTURE") {
                future += 1;
                continue;
            }
            mixed += u64::from(node.mixed);
            down += u64::from(change(&state).is_some() && !self.events.iter().any(|event| event.node == *name));
            let mut record = node.record.clone();
            if record.pools.is_empty() {
                record.pools = members.get(name).cloned().unwrap_or_default();
            }
            told.nodes.push(record);
        }
        told.remarks.push(("nodes in state FUTURE, which nobody has yet, were left out", future));
        told.remarks.push(("nodes have GPUs of several models; all are told as of the first", mixed));
        told.remarks.push((
            "nodes are down or drained now, but no event says since when: they are told as usable throughout; give \
             `sacctmgr -P show event` too",
            down,
        ));
    }

    /// Which partitions each node is in, from the partitions' side.
    fn members(&self) -> BTreeMap<String, Vec<String>> {
        let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for partition in self.partitions.values() {
            for node in hosts::expand(&partition.nodes).unwrap_or_default() {
                members.entry(node).or_default().push(partition.name.clone());
            }
        }
        members
    }

    fn tell_events(&self, told: &mut Told) {
        let mut events: Vec<&Event> = self.events.iter().collect();
        events.sort_by(|a, b| (&a.node, a.from).cmp(&(&b.node, b.from)));
        let mut unknown = 0;
        let mut changes = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let Some(what) = change(&event.state) else {
                unknown += 1;
                continue;
            };
            let reason = (!event.reason.is_empty()).then(|| event.reason.clone());
            changes.push(NodeEvent { at: event.from, node: event.node.clone(), change: what, reason });
            // A drained node that then fails ends one event and begins the next: it was not back in between.
            let goes_on = events[index + 1..]
                .iter()
                .take_while(|next| next.node == event.node)
                .any(|next| event.until == Some(next.from) && change(&next.state).is_some());
            if let Some(until) = event.until.filter(|_| !goes_on) {
                let node = event.node.clone();
                changes.push(NodeEvent { at: until, node, change: NodeChange::Returned, reason: None });
            }
        }
        changes.sort_by_key(|change| change.at);
        told.events = changes.into_iter().map(Record::NodeEvent).collect();
        told.remarks.push(("events of nodes are neither down nor drained and were left out", unknown));
    }

    fn tell_partitions(&self, told: &mut Told) {
        let mut by_job_only = 0;
        let several_tiers = self.partitions.values().map(|partition| partition.tier).collect::<BTreeSet<_>>().len() > 1;
        for partition in self.partitions.values() {
            let qos = self.qos.get(&partition.qos);
            let limits = qos.map(|qos| qos.limits.clone()).unwrap_or_default();
            let mut queue = queue(&partition.name, &limits);
            queue.pools = vec![partition.name.clone()];
            queue.time_limit_max_ms = least(partition.time_max.length(), limits.time_max);
            queue.time_limit_default_ms = partition.time_default.length();
            if several_tiers {
                queue.priority = i32::try_from(partition.tier).unwrap_or(i32::MAX);
            }
            queue.preemptible = self.preempts() && matches!(partition.preempt_mode.as_str(), "REQUEUE" | "CANCEL");
            told.queues.push(queue);
        }
        for qos in self.qos.values() {
            let of_a_partition = self.partitions.values().any(|partition| partition.qos == qos.name);
            by_job_only += u64::from(!qos.limits.is_empty() && !of_a_partition);
        }
        told.remarks.push((
            "qualities of service limit jobs across partitions; the history does not tell these limits, since its queues \
             are partitions: import with queues by QOS to tell them",
            by_job_only,
        ));
        self.remark_on_accounts(told);
    }

    fn tell_qos(&self, told: &mut Told) {
        for qos in self.qos.values() {
            let mut queue = queue(&qos.name, &qos.limits);
            queue.time_limit_max_ms = qos.limits.time_max;
            queue.priority = i32::try_from(qos.priority).unwrap_or(i32::MAX);
            queue.preemptible = self.preempts() && self.qos.values().any(|other| other.preempts.contains(&qos.name));
            told.queues.push(queue);
        }
        self.remark_on_accounts(told);
    }

    fn tell_accounts(&self, told: &mut Told) {
        for account in self.associations.iter().filter(|association| association.user.is_empty()) {
            if told.queues.iter().any(|queue| queue.name == account.account) {
                continue;
            }
            let mut limits = self.inherited(account);
            let mut users = self
                .associations
                .iter()
                .filter(|association| association.account == account.account && !association.user.is_empty())
                .map(|association| (association.limits.devices, association.limits.running));
            if let Some(first) = users.next()
                && users.all(|user| user == first)
            {
                limits.devices_per_user = first.0;
                limits.running_per_user = limits.running_per_user.or(first.1);
            }
            let mut queue = queue(&account.account, &limits);
            queue.time_limit_max_ms = limits.time_max;
            told.queues.push(queue);
        }
        self.note_on_parents(told);
    }

    /// An account's limits with those of all accounts above it. What an account limits for all below it together limits each of
    /// them; what it limits for a user counts where the account has nothing of its own (Slurm's "Resource Limits").
    fn inherited(&self, account: &Association) -> Limits {
        /// Deeper trees are taken for a loop.
        const DEEPEST: usize = 64;
        let mut limits = account.limits.clone();
        let mut above = &account.parent;
        for _ in 0..DEEPEST {
            let parent = self.associations.iter().find(|other| other.user.is_empty() && other.account == *above);
            let Some(parent) = parent.filter(|_| !above.is_empty()) else { break };
            limits.devices = least(limits.devices, parent.limits.devices);
            limits.running = least(limits.running, parent.limits.running);
            limits.running_per_user = limits.running_per_user.or(parent.limits.running_per_user);
            limits.time_max = limits.time_max.or(parent.limits.time_max);
            above = &parent.parent;
        }
        limits
    }

    /// What the history cannot tell of accounts above accounts.
    fn note_on_parents(&self, told: &mut Told) {
        let accounts = || self.associations.iter().filter(|association| association.user.is_empty());
        let shared = accounts().filter(|parent| {
            let limited = parent.limits.devices.is_some() || parent.limits.running.is_some();
            limited && accounts().filter(|child| child.parent == parent.account).count() > 1
        });
        let names: Vec<&str> = shared.map(|parent| parent.account.as_str()).collect();
        if !names.is_empty() {
            told.notes.push(format!(
                "Several accounts share a limit of the account above them ({}): each is held to it in a replay, but not their sum.",
                names.join(", ")
            ));
        }
        let untold = accounts().count() > 2 && accounts().all(|account| account.parent.is_empty());
        told.remarks.push((
            "which account is above which is not told, so that limits of parents are not known: give `sacctmgr -P show assoc \
             format=Account,User,ParentName,Share,GrpJobs,GrpTRES,MaxJobs,MaxWall`",
            u64::from(untold),
        ));
    }

    fn tell_reservations(&self, told: &mut Told) {
        if self.reservations > 0 {
            told.notes.push(format!(
                "{} reservations kept nodes for some jobs, for {} of which nothing ran in them; a replay does not know them and gives \
                 these nodes to all.",
                self.reservations,
                Millis::seconds(i64::try_from(self.reservations_unused_s).unwrap_or(i64::MAX / 1_000))
            ));
        }
        told.remarks.push(("reservations kept nodes for some jobs, which a replay does not know", self.reservations));
    }

    fn remark_on_accounts(&self, told: &mut Told) {
        let limited = self.associations.iter().filter(|association| !association.limits.is_empty()).count();
        told.remarks.push((
            "accounts or users have limits of their own, which the history does not tell: import with queues by account \
             to tell them",
            limited as u64,
        ));
    }

    fn preempts(&self) -> bool {
        self.setting("PreemptType").is_some_and(|kind| kind != "preempt/none")
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.config.get(name).map(String::as_str).filter(|value| !matches!(*value, "" | "(null)"))
    }

    fn tell_policy(&self, told: &mut Told) {
        let Some(scheduler) = self.setting("SchedulerType") else { return };
        let parameters = self.setting("SchedulerParameters").unwrap_or_default();
        let order = match scheduler {
            "sched/backfill" => Order::Backfill,
            "sched/builtin" => Order::Fifo,
            other => {
                told.notes.push(format!("Slurm scheduled by {other}, which Trimtab does not know."));
                return;
            }
        };
        let mut policy = Policy::new(order);
        policy.placement = Placement::Neighbours;
        if order == Order::Backfill {
            policy.backfill_interval = Millis::seconds(parameter(parameters, "bf_interval").unwrap_or(30));
            policy.backfill_plan = Some(plan(parameters));
        }
        told.policy = Some(PolicyRecord { at: None, policy, completing: Some(COMPLETING) });
        told.notes.push(match parameters {
            "" => format!("Slurm scheduled by {scheduler} with its default parameters."),
            parameters => format!("Slurm scheduled by {scheduler} with {parameters}."),
        });
        told.notes.push(format!(
            "Slurm does not tell how long a node takes from one job to the next: {} s is assumed.",
            COMPLETING.as_seconds()
        ));
        if self.setting("PriorityType").is_some_and(|kind| kind != "priority/basic") {
            told.notes.push(
                "Slurm ordered jobs by a priority that changes while they wait (priority/multifactor); a replay orders \
                 them by arrival within a queue."
                    .to_owned(),
            );
        }
        if self.setting("SelectTypeParameters").is_some_and(|kind| !kind.to_ascii_uppercase().contains("MEMORY")) {
            told.notes.push("Slurm did not hand out memory as a resource (SelectTypeParameters).".to_owned());
        }
    }
}

/// How far ahead `sched/backfill` plans.
fn plan(parameters: &str) -> Plan {
    let default = Plan::default();
    let number = |name| parameter(parameters, name).filter(|&number| number > 0);
    Plan {
        depth: number("bf_max_job_test").and_then(|depth| u32::try_from(depth).ok()).unwrap_or(default.depth),
        resolution: number("bf_resolution").map_or(default.resolution, Millis::seconds),
        window: number("bf_window").map_or(default.window, Millis::minutes),
    }
}

/// The number of `name=number` in a list of parameters.
fn parameter(parameters: &str, name: &str) -> Option<i64> {
    parameters.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

/// What an event of that state is, where it keeps jobs away.
fn change(state: &str) -> Option<NodeChange> {
    let has = |word: &str| state.contains(word);
    if has("DOWN") || has("FAIL") || has("NOT_RESPONDING") || has("POWERED_DOWN") {
        Some(NodeChange::Lost)
    } else if has("DRAIN") || has("MAINT") || has("REBOOT") {
        Some(NodeChange::Drained)
    } else {
        None
    }
}

fn queue(name: &str, limits: &Limits) -> QueueRecord {
    QueueRecord {
        name: name.to_owned(),
        limit_milli: limits.devices,
        limit_per_user_milli: limits.devices_per_user,
        limit_running: limits.running,
        limit_running_per_user: limits.running_per_user,
        ..QueueRecord::default()
    }
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use fleet::quantity::MilliDevice;
    use fleet::time::Timestamp;

    use super::super::word::Limit;
    use super::*;

    fn event(node: &str, from: i64, until: Option<i64>, state: &str) -> Event {
        Event {
            node: node.into(),
            from: Timestamp(from),
            until: until.map(Timestamp),
            state: state.into(),
            reason: String::new(),
        }
    }

    #[test]
    fn a_drained_node_that_fails_comes_back_once() {
        let cluster = Cluster {
            events: vec![
                event("n1", 5, Some(9), "DOWN*"),
                event("n1", 1, Some(5), "DRAIN"),
                event("n2", 2, None, "DRAIN"),
                event("n2", 1, Some(2), "IDLE"),
            ],
            ..Cluster::default()
        };
        let told = cluster.tell(QueuesAre::Partitions);
        let changes: Vec<_> = told
            .events
            .iter()
            .map(|record| match record {
                Record::NodeEvent(event) => (event.at.0, event.node.as_str(), event.change),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            (1, "n1", NodeChange::Drained),
            (2, "n2", NodeChange::Drained),
            (5, "n1", NodeChange::Lost),
            (9, "n1", NodeChange::Returned),
        ];
        assert_eq!(changes, expected);
        assert_eq!(told.remarks.len(), 1, "{:?}", told.remarks);
    }

    #[test]
    fn limits_go_where_the_queues_are() {
        let limits = Limits { devices: Some(MilliDevice::whole(12)), ..Limits::default() };
        let qos = Qos { name: "short".into(), priority: 5, limits, ..Qos::default() };
        let partition = Partition {
            name: "main".into(),
            nodes: "n[1-2]".into(),
            time_max: Limit::After(Millis::hours(1)),
            ..Partition::default()
        };
        let mut cluster = Cluster {
            qos: [("short".to_owned(), qos)].into(),
            partitions: [("main".to_owned(), partition)].into(),
            ..Cluster::default()
        };
        let told = cluster.tell(QueuesAre::Partitions);
        assert_eq!((told.queues[0].name.as_str(), told.queues[0].limit_milli), ("main", None));
        assert_eq!(told.queues[0].time_limit_max_ms, Some(Millis::hours(1)));
        assert!(told.remarks[0].0.contains("queues by QOS"), "{:?}", told.remarks);

        let told = cluster.tell(QueuesAre::Qos);
        assert_eq!((told.queues[0].name.as_str(), told.queues[0].priority), ("short", 5));
        assert_eq!(told.queues[0].limit_milli, Some(MilliDevice::whole(12)));

        cluster.partitions.get_mut("main").expect("it was put there").qos = "short".into();
        let told = cluster.tell(QueuesAre::Partitions);
        assert_eq!(told.queues[0].limit_milli, Some(MilliDevice::whole(12)));
        assert_eq!(told.remarks, []);
    }

    #[test]
    fn limits_of_the_accounts_above_hold_below() {
        let account = |name: &str, parent: &str, devices: Option<u64>, running_per_user: Option<u32>| Association {
            account: name.into(),
            parent: parent.into(),
            limits: Limits { devices: devices.map(MilliDevice::whole), running_per_user, ..Limits::default() },
            ..Association::default()
        };
        let cluster = Cluster {
            associations: vec![
                account("root", "", None, Some(9)),
                account("lab", "root", Some(16), None),
                account("vision", "lab", None, Some(3)),
                account("speech", "lab", Some(4), None),
            ],
            reservations: 2,
            reservations_unused_s: 7_200,
            ..Cluster::default()
        };
        let told = cluster.tell(QueuesAre::Accounts);
        let limits: Vec<_> = told
            .queues
            .iter()
            .map(|queue| {
                (queue.name.as_str(), queue.limit_milli.map(|limit| limit.0 / 1_000), queue.limit_running_per_user)
            })
            .collect();
        let expected = [
            ("root", None, Some(9)),
            ("lab", Some(16), Some(9)),
            ("vision", Some(16), Some(3)),
            ("speech", Some(4), Some(9)),
        ];
        assert_eq!(limits, expected);
        assert!(told.notes[0].contains("(lab): each is held to it"), "{:?}", told.notes);
        assert!(
            told.notes[1].starts_with("2 reservations kept nodes for some jobs, for 2h of which"),
            "{:?}",
            told.notes
        );
    }

    #[test]
    fn the_policy_and_its_settings() {
        let mut cluster = Cluster::default();
        cluster.config.insert("SchedulerType".into(), "sched/backfill".into());
        let policy = |cluster: &Cluster| cluster.tell(QueuesAre::Partitions).policy.expect("it is told").policy;
        let told = policy(&cluster);
        assert_eq!((told.order, told.placement), (Order::Backfill, Placement::Neighbours));
        assert_eq!((told.backfill_interval, told.backfill_plan), (Millis::seconds(30), Some(Plan::default())));
        let parameters = "bf_continue,bf_interval=2,bf_max_job_test=50,bf_resolution=600,bf_window=2880";
        cluster.config.insert("SchedulerParameters".into(), parameters.into());
        let plan = Plan { depth: 50, resolution: Millis::minutes(10), window: Millis::hours(48) };
        let told = policy(&cluster);
        assert_eq!((told.backfill_interval, told.backfill_plan), (Millis::seconds(2), Some(plan)));
        cluster.config.insert("SchedulerType".into(), "sched/builtin".into());
        assert_eq!((policy(&cluster).order, policy(&cluster).backfill_plan), (Order::Fifo, None));
    }

    #[test]
    fn nodes_stay_in_the_order_in_which_slurm_prints_them() {
        let mut cluster = Cluster::default();
        for (place, name) in ["n1", "n2", "n10", "gpu1"].into_iter().enumerate() {
            let record = NodeRecord { name: name.into(), ..NodeRecord::default() };
            let node = Node { record, state: "IDLE".into(), place, mixed: false };
            cluster.nodes.insert(name.into(), node);
        }
        let told = cluster.tell(QueuesAre::Partitions);
        let names: Vec<&str> = told.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["n1", "n2", "n10", "gpu1"]);
    }
}
