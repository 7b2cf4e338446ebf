//! A small cluster and what happens to it, as text, lived by the production engine; what it does, as text.
//!
//! One line for each thing. First what is there:
//!
//! ```text
//! policy backfill interval=30
//! node a 8 cpu=64 memory=512 pool=fast model=h100
//! queue x quota=8 limit=16 limit_per_user=4 priority=1
//! ```
//!
//! then what happens, at seconds that never fall; after all of one second the engine decides:
//!
//! ```text
//! 0 submit j1 4            a task of four devices; also 4x2 (four tasks of two), 3x0.5; queue= user= name= limit= priority=
//!                          cpu= memory= spread=any|packed|one pool= model=
//! 9 end j1                 also requeue, fail (its start), evict, withdraw
//! 9 lose a                 also drain, return, and node lines
//! 9 queue x quota=4        other rules; also policy
//! 9                        nothing, but it decides
//! ```
//!
//! Told are starts (`0 j1 a:0-3`, node and devices, or `a*2` for two tasks without), at the end who waits and why, and for whom room
//! is kept.

use std::collections::BTreeMap;
use std::fmt::Write;

use allocate::{Budget, Engine, Observed};
use fleet::action::{ActionKind, Slot};
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, ModelId, NameId, NodeId, PoolId, QueueId, UserId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::policy::{Order, Placement, Policy};
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::queue::{Metered, Queue};
use fleet::time::Timestamp;
use fleet::workload::{Constraint, Spread, Workload};

/// Lives the input and compares what comes of it.
#[track_caller]
pub(crate) fn check(input: &str, expected: &str) {
    let told = Cluster::new().live(input);
    let lines = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(lines(&told), lines(expected), "\ntold:\n{told}");
}

struct Cluster {
    engine: Engine,
    seq: u64,
    now: i64,
    /// What names stand for, by kind of thing; a number each, in the order in which they were first used.
    names: BTreeMap<(&'static str, String), u32>,
    placed: BTreeMap<WorkloadId, (ActionId, Timestamp)>,
    told: String,
}

impl Cluster {
    fn new() -> Self {
        let engine = Engine::new(Policy::default(), Metered::Devices);
        Self { engine, seq: 0, now: 0, names: BTreeMap::new(), placed: BTreeMap::new(), told: String::new() }
    }

    fn live(mut self, input: &str) -> String {
        for line in
            input.lines().map(|line| line.split('#').next().unwrap_or("").trim()).filter(|line| !line.is_empty())
        {
            let mut words = line.split_whitespace().peekable();
            if let Some(second) = words.peek().and_then(|word| word.parse::<i64>().ok()) {
                if second != self.now {
                    self.decide();
                    self.now = second;
                }
                words.next();
            }
            if let Some(verb) = words.next() {
                self.happen(verb, &Words::of(words));
            }
        }
        self.decide();
        self.rest();
        self.told
    }

    fn happen(&mut self, verb: &str, words: &Words) {
        let kind = match verb {
            "policy" => EventKind::PolicySet { policy: policy(words) },
            "queue" => EventKind::QueueSet { queue: self.queue(words) },
            "node" => EventKind::NodeAdded { node: self.node(words.plain(0)), spec: self.spec(words) },
            "lose" => EventKind::NodeLost { node: self.node(words.plain(0)) },
            "drain" => EventKind::NodeDrained { node: self.node(words.plain(0)) },
            "return" => EventKind::NodeReturned { node: self.node(words.plain(0)) },
            "submit" => EventKind::Submitted { workload: Box::new(self.workload(words)) },
            _ => self.outcome(verb, words.plain(0)),
        };
        let lost = if let EventKind::NodeLost { .. } = kind { self.engine.placed() } else { 0 };
        self.tell(kind);
        if lost > self.engine.placed() {
            writeln!(self.told, "{} {} wait again", self.now, lost - self.engine.placed()).expect("a string");
        }
    }

    fn outcome(&mut self, verb: &str, name: &str) -> EventKind {
        let workload = WorkloadId(self.number("workload", name));
        let (action, since) = self.placed.get(&workload).copied().unwrap_or((ActionId(0), Timestamp(0)));
        let ended = |cause| EventKind::Ended { action, workload, ran: at(self.now).since(since), cause };
        match verb {
            "end" => ended(EndCause::Completed),
            "requeue" => ended(EndCause::Requeued),
            "evict" => EventKind::Evicted { action, workload },
            "fail" => EventKind::StartFailed { action, workload },
            "withdraw" => EventKind::Withdrawn { workload },
            _ => panic!("no such thing happens: {verb}"),
        }
    }

    fn tell(&mut self, kind: EventKind) {
        self.seq += 1;
        let event = Event { seq: self.seq, at: at(self.now), kind };
        if let Observed::Ignored(why) = self.engine.observe(&event) {
            writeln!(self.told, "{} ignored: {why:?}", self.now).expect("a string");
        }
    }

    fn decide(&mut self) {
        for action in self.engine.decide(at(self.now), Budget::default()).actions {
            let ActionKind::Start { workload, slots } = action.kind;
            let places: Vec<String> = slots.iter().map(|slot| self.place(slot)).collect();
            let name = self.name("workload", workload.0).to_owned();
            writeln!(self.told, "{} {name} {}", self.now, places.join(" ")).expect("a string");
            self.placed.insert(workload, (action.id, at(self.now)));
        }
    }

    /// Who waits at the end, and for whom room is kept.
    fn rest(&mut self) {
        let all: Vec<(String, u32)> = self
            .names
            .iter()
            .filter(|((kind, _), _)| *kind == "workload")
            .map(|((_, name), &id)| (name.clone(), id))
            .collect();
        for (name, id) in all {
            if let Some(reason) = self.engine.reason(WorkloadId(id)) {
                writeln!(self.told, "waits {name}: {reason:?}").expect("a string");
            }
        }
        for kept in self.engine.kept() {
            let nodes: Vec<&str> = kept.nodes.iter().map(|node| self.name("node", node.0)).collect();
            let name = self.name("workload", kept.workload.0).to_owned();
            let nodes = nodes.join(" ");
            writeln!(self.told, "keeps {nodes} for {name}").expect("a string");
        }
    }

    fn place(&self, slot: &Slot) -> String {
        let node = self.name("node", slot.node.0);
        let devices: Vec<u32> = (0..64).filter(|index| slot.devices >> index & 1 == 1).collect();
        match &devices[..] {
            [] => format!("{node}*{}", slot.tasks),
            [one] => format!("{node}:{one}"),
            [first, .., last] if (last - first) as usize + 1 == devices.len() => format!("{node}:{first}-{last}"),
            _ => format!("{node}:{}", devices.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
        }
    }

    fn number(&mut self, kind: &'static str, name: &str) -> u32 {
        let next = self.names.keys().filter(|(other, _)| *other == kind).count() as u32;
        *self.names.entry((kind, name.to_owned())).or_insert(next)
    }

    fn name(&self, kind: &'static str, number: u32) -> &str {
        let mut all = self.names.iter();
        all.find(|((other, _), id)| *other == kind && **id == number).map_or("?", |((_, name), _)| name)
    }

    fn node(&mut self, name: &str) -> NodeId {
        NodeId(self.number("node", name))
    }

    /// Ascending, as the engine wants them.
    fn pools(&mut self, words: &Words) -> Vec<PoolId> {
        let mut pools: Vec<PoolId> = words.all("pool").map(|pool| PoolId(self.number("pool", pool))).collect();
        pools.sort_unstable();
        pools
    }

    fn spec(&mut self, words: &Words) -> Node {
        Node {
            pools: self.pools(words),
            cpu: words.number("cpu").map_or(MilliCpu::ZERO, MilliCpu::whole),
            memory: words.number("memory").map_or(Bytes::ZERO, Bytes::gibi),
            devices: words.plain(1).parse().expect("a node has a number of devices"),
            model: words.one("model").map(|model| ModelId(self.number("model", model))),
        }
    }

    fn queue(&mut self, words: &Words) -> Queue {
        let amount = |key| words.number(key).map(MilliDevice::whole);
        let count = |key| words.number(key).map(|count| count as u32);
        Queue {
            id: QueueId(self.number("queue", words.plain(0))),
            quota: amount("quota"),
            limit: amount("limit"),
            limit_per_user: amount("limit_per_user"),
            limit_running: count("limit_running"),
            limit_running_per_user: count("limit_running_per_user"),
            priority: words.number("priority").unwrap_or(0) as i32,
        }
    }

    fn workload(&mut self, words: &Words) -> Workload {
        let (tasks, devices) = words.plain(1).split_once('x').unwrap_or(("1", words.plain(1)));
        let devices: f64 = devices.parse().expect("a task asks for a number of devices");
        Workload {
            id: WorkloadId(self.number("workload", words.plain(0))),
            queue: QueueId(self.number("queue", words.one("queue").unwrap_or("q"))),
            user: words.one("user").map(|user| UserId(self.number("user", user))),
            name: words.one("name").map(|name| NameId(self.number("name", name))),
            priority: words.number("priority").unwrap_or(0) as i32,
            tasks: tasks.parse().expect("a gang has a number of tasks"),
            request: Resources {
                cpu: words.number("cpu").map_or(MilliCpu::ZERO, MilliCpu::whole),
                memory: words.number("memory").map_or(Bytes::ZERO, Bytes::gibi),
                devices: MilliDevice((devices * 1_000.0).round() as u64),
            },
            spread: match words.one("spread") {
                None | Some("packed") => Spread::Packed,
                Some("any") => Spread::Any,
                Some("one") => Spread::OnePerNode,
                Some(other) => panic!("no such spread: {other}"),
            },
            constraint: Constraint {
                pools: self.pools(words),
                models: words.all("model").map(|model| ModelId(self.number("model", model))).collect(),
            },
            time_limit: words.number("limit").map(|seconds| Millis::seconds(seconds as i64)),
        }
    }
}

fn policy(words: &Words) -> Policy {
    let name = words.plain(0);
    let order = Order::ALL.into_iter().find(|order| order.name() == name).expect("a policy");
    let placement =
        if words.one("placement") == Some("least_stranded") { Placement::LeastStranded } else { Placement::BestFit };
    let backfill_interval = Millis::seconds(words.number("interval").unwrap_or(0) as i64);
    Policy { placement, backfill_interval, ..Policy::new(order) }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + second)
}

/// The words of a line behind its verb: some plain, some `key=value`.
struct Words<'a> {
    plain: Vec<&'a str>,
    keyed: Vec<(&'a str, &'a str)>,
}

impl<'a> Words<'a> {
    fn of(words: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self { plain: Vec::new(), keyed: Vec::new() };
        for word in words {
            match word.split_once('=') {
                Some(keyed) => all.keyed.push(keyed),
                None => all.plain.push(word),
            }
        }
        all
    }

    fn plain(&self, index: usize) -> &'a str {
        self.plain.get(index).unwrap_or_else(|| panic!("a word is missing after {:?}", self.plain))
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let of_key = self.keyed.iter().filter(move |(other, _)| *other == key);
        of_key.flat_map(|(_, value)| value.split(','))
    }

    fn one(&self, key: &str) -> Option<&'a str> {
        self.all(key).next()
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.one(key).map(|value| value.parse().expect("a number"))
    }
}
