//! The control plane around the production code: a log that is what is stored, and an adapter.

use std::collections::{BTreeMap, BTreeSet};

use control::{Asked, Control, Effect, Input, Past, Reply, Rule, Written};
use fleet::event::EndCause;
use fleet::history::{NodeChange, NodeRecord, QueueRecord};
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Entry, Exit, Live, Outcome, Submission, Told};
use fleet::node::Resources;
use fleet::policy::{Order, Policy};
use fleet::quantity::{MilliCpu, MilliDevice, Millis};
use fleet::time::Timestamp;

use crate::machine::Machine;
use crate::random::Random;
use crate::tester::{self, Tester};

/// What happened in a life, so that it is seen that it happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) crashes: u64,
    pub(crate) full: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) retried: u64,
    pub(crate) preempted: u64,
    pub(crate) not_begun: u64,
    pub(crate) lost: u64,
    pub(crate) strays: u64,
    pub(crate) tests: u64,
    pub(crate) drained: u64,
    pub(crate) blamed: u64,
}

impl Sums {
    pub(crate) fn add(&mut self, other: &Self) {
        self.crashes += other.crashes;
        self.full += other.full;
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.retried += other.retried;
        self.preempted += other.preempted;
        self.not_begun += other.not_begun;
        self.lost += other.lost;
        self.strays += other.strays;
        self.tests += other.tests;
        self.drained += other.drained;
        self.blamed += other.blamed;
    }

    pub(crate) fn all(self) -> [u64; 13] {
        let Self { crashes, full, completed, failed, cancelled, retried, preempted, not_begun, lost, strays, .. } =
            self;
        let Self { tests, drained, blamed, .. } = self;
        [
            crashes, full, completed, failed, cancelled, retried, preempted, not_begun, lost, strays, tests, drained,
            blamed,
        ]
    }
}

/// What is stored: the log, and what it adds up to.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) lives: BTreeMap<WorkloadId, Live>,
    nodes: BTreeMap<NodeId, (NodeRecord, Option<NodeChange>)>,
    queues: BTreeMap<String, QueueRecord>,
    policy: Option<Policy>,
    last_at: Timestamp,
    pub(crate) actions: BTreeSet<ActionId>,
}

impl Stored {
    fn commit(&mut self, at: Timestamp, entries: &[Entry], sums: &mut Sums) {
        assert!(at >= self.last_at, "time runs backwards in the log");
        self.last_at = at;
        for entry in entries {
            match entry {
                Entry::Submitted { workload, submission, by } => {
                    let live = Live::new(*workload, *submission.clone(), by.clone(), at);
                    assert!(self.lives.insert(*workload, live).is_none(), "an id is given twice");
                    continue;
                }
                Entry::NodeFound { node, facts } => drop(self.nodes.insert(*node, (facts.clone(), None))),
                Entry::NodeChanged { node, change, by } => {
                    sums.drained += u64::from(by.as_deref() == Some(tester::BY));
                    let known = self.nodes.get_mut(node).expect("it was found before");
                    known.1 = (*change != NodeChange::Returned).then_some(*change);
                }
                Entry::QueueSet { rules, .. } => drop(self.queues.insert(rules.name.clone(), rules.clone())),
                Entry::PolicySet { policy, .. } => self.policy = Some(policy.clone()),
                Entry::Decided { action, .. } => assert!(self.actions.insert(*action), "an action is decided twice"),
                Entry::Retrying { .. } => sums.retried += 1,
                Entry::NotBegun { .. } => sums.not_begun += 1,
                Entry::RunEnded { exit: Exit::Lost, .. } => sums.lost += 1,
                Entry::RunEnded { cause: EndCause::NodeFailed, .. } => sums.blamed += 1,
                Entry::RunEnded { cause: EndCause::Requeued, .. } => sums.preempted += 1,
                Entry::Finished { cause: EndCause::Completed, .. } => sums.completed += 1,
                Entry::Finished { cause: EndCause::Cancelled, .. } => sums.cancelled += 1,
                Entry::Finished { .. } => sums.failed += 1,
                _ => {}
            }
            if let Some(live) = entry.workload().and_then(|id| self.lives.get_mut(&id)) {
                live.apply(entry, at).expect("what is stored follows what was");
            }
        }
    }

    fn past(&self) -> Past {
        let (finished, open) = self.lives.values().cloned().partition(Live::is_finished);
        Past {
            last_at: self.last_at,
            next_workload: self.lives.keys().last().map_or(1, |id| id.0 + 1),
            next_action: self.actions.last().map_or(1, |action| action.0 + 1),
            nodes: self.nodes.iter().map(|(&id, (facts, change))| (id, facts.clone(), *change)).collect(),
            queues: self.queues.values().cloned().collect(),
            policy: self.policy.clone(),
            open,
            finished,
        }
    }
}

pub(crate) struct Plane {
    pub(crate) control: Control,
    pub(crate) stored: Stored,
    pub(crate) machine: Machine,
    pub(crate) tester: Tester,
    pub(crate) now: Timestamp,
    /// Submissions that were acknowledged.
    pub(crate) acknowledged: BTreeSet<WorkloadId>,
    pub(crate) sums: Sums,
    pub(crate) nodes: Vec<NodeRecord>,
}

impl Plane {
    pub(crate) fn new(random: &mut Random) -> Self {
        let nodes: Vec<NodeRecord> = (0..1 + random.below(3)).map(|number| node(number, 4 + random.below(5))).collect();
        let now = Timestamp(1_000_000);
        let tester = Tester::new(random);
        let control = Control::restore(Past::default(), nodes.clone(), now).with_health(tester.policy);
        let (stored, machine, acknowledged) = (Stored::default(), Machine::default(), BTreeSet::new());
        let mut plane = Self { control, stored, machine, tester, now, acknowledged, sums: Sums::default(), nodes };
        let limited = QueueRecord { name: "limited".into(), limit_running: Some(2), ..QueueRecord::default() };
        let default = QueueRecord { name: "default".into(), ..QueueRecord::default() };
        let order = Order::ALL[random.below(3) as usize];
        let queues = [limited, default].into_iter().map(|rules| Rule::Queue(Box::new(rules)));
        let rules = queues.chain([Rule::Policy(Policy::new(order))]).collect();
        plane.turn(random, vec![Input::SetRules { rules, by: "test".into() }]);
        plane
    }

    /// A while passes, and something happens.
    pub(crate) fn step(&mut self, random: &mut Random) {
        self.now = self.now + Millis(random.below(4_000) as i64);
        // A clock that jumps back.
        let told = if random.one_in(20) { self.now - Millis::hours(1) } else { self.now };
        self.machine.pass(random, self.now);
        self.tester.pass(random, self.nodes.len() as u64);
        let mut inputs: Vec<Input> = self.machine.arrived(self.now).into_iter().map(Input::Outcome).collect();
        inputs.extend(self.tester.told(random, self.now));
        for _ in 0..random.below(3) {
            inputs.push(self.anything(random));
        }
        inputs.sort_by_key(|input| self.control.place(input));
        if random.one_in(25) {
            return self.crash(random, inputs);
        }
        let real = std::mem::replace(&mut self.now, told);
        self.turn(random, inputs);
        self.now = real;
    }

    /// Hears, decides, stores, answers, acts: the order of the control loop.
    fn turn(&mut self, random: &mut Random, inputs: Vec<Input>) {
        let replies: Vec<_> = inputs.iter().map(|input| self.control.hear(self.now, input.clone())).collect();
        let written = self.control.decide(self.now);
        if random.one_in(40) {
            // The disk is full: nothing was stored, so nothing is answered or done, and all begins again from what is stored.
            self.sums.full += 1;
            return self.begin_again(random);
        }
        self.store(&written);
        inputs.iter().for_each(|input| self.tester.heard(input));
        self.acknowledge(replies.into_iter().flatten());
        for effect in written.effects {
            self.act(random, effect);
        }
    }

    /// The control plane is lost somewhere in its turn.
    fn crash(&mut self, random: &mut Random, inputs: Vec<Input>) {
        self.sums.crashes += 1;
        let replies: Vec<_> = inputs.iter().map(|input| self.control.hear(self.now, input.clone())).collect();
        let written = self.control.decide(self.now);
        inputs.iter().for_each(|input| self.tester.heard(input));
        match random.below(3) {
            // Before anything was stored.
            0 => {}
            // After it was stored, and maybe answered, with some of what was to be done.
            _ => {
                self.store(&written);
                if random.one_in(2) {
                    self.acknowledge(replies.into_iter().flatten());
                }
                let some = random.below(written.effects.len() as u64 + 1) as usize;
                for effect in written.effects.into_iter().take(some) {
                    self.act(random, effect);
                }
            }
        }
        self.now = self.now + Millis(random.below(600_000) as i64);
        self.begin_again(random);
    }

    fn begin_again(&mut self, random: &mut Random) {
        self.machine.hang_up(random);
        self.tester.hang_up();
        self.machine.pass(random, self.now);
        if random.one_in(4) {
            // A node comes back smaller, or larger.
            let index = random.below(self.nodes.len() as u64);
            self.nodes[index as usize] = node(index, 4 + random.below(5));
        }
        self.control =
            Control::restore(self.stored.past(), self.nodes.clone(), self.now).with_health(self.tester.policy);
        let outcomes: Vec<Outcome> = self
            .control
            .open_actions()
            .into_iter()
            .filter_map(|action| self.machine.settle(self.now, action))
            .collect();
        self.sums.strays += self.control.strays() as u64;
        for outcome in outcomes {
            self.control.hear(self.now, Input::Outcome(outcome)).expect("outcomes are always taken in");
        }
        let written = self.control.decide(self.now);
        self.store(&written);
        for effect in written.effects {
            self.act(random, effect);
        }
    }

    fn store(&mut self, written: &Written) {
        self.stored.commit(written.at, &written.entries, &mut self.sums);
    }

    fn acknowledge(&mut self, replies: impl Iterator<Item = Reply>) {
        for reply in replies {
            if let Reply::Submitted(ids) = reply {
                self.acknowledged.extend(ids);
            }
        }
    }

    fn act(&mut self, random: &mut Random, effect: Effect) {
        match effect {
            Effect::Start { action, workload, slots, .. } => {
                assert!(self.stored.actions.contains(&action), "it is done before it is stored");
                for slot in &slots {
                    let name = &self.stored.nodes[&slot.node].0.name;
                    assert!(!self.tester.refused.contains_key(name), "a start on {name}, whose test failed");
                }
                self.machine.start(random, self.now, action, workload, slots);
            }
            Effect::Stop { action } => self.machine.stop(random, self.now, action),
            Effect::Forget { action } => self.machine.forget(action),
            Effect::Test { node, depth } => {
                self.sums.tests += 1;
                self.tester.ask(random, self.now, node, depth);
            }
        }
    }

    fn anything(&self, random: &mut Random) -> Input {
        let by = "someone".to_owned();
        let ids = self.stored.lives.len() as u64 + 2;
        let workload = WorkloadId(random.below(ids) as u32);
        match random.below(12) {
            0 => Input::Cancel { workload, by },
            1 => Input::Preempt { workload, by },
            2 => {
                let node = format!("node{}", random.below(4));
                if random.one_in(3) { Input::Drain { node, by } } else { Input::Resume { node, by } }
            }
            _ => {
                let asked: Vec<Asked> = (0..1 + random.below(3)).map(|place| self.asked(random, place)).collect();
                let past = asked.iter().flat_map(|asked| &asked.submission.depends_on).filter_map(|id| {
                    let live = self.stored.lives.get(id)?;
                    let fleet::live::Phase::Finished { cause } = live.phase else { return None };
                    Some((*id, cause))
                });
                let past = past.collect();
                Input::Submit { asked, past, by }
            }
        }
    }

    fn asked(&self, random: &mut Random, place: u64) -> Asked {
        let mut depends_on = Vec::new();
        if random.one_in(4) {
            depends_on.push(WorkloadId(random.below(self.stored.lives.len() as u64 + 2) as u32));
        }
        let devices = if random.one_in(5) { MilliDevice(250) } else { MilliDevice::whole(1 + random.below(4)) };
        let submission = Submission {
            command: vec!["true".into()],
            directory: "/".into(),
            queue: if random.one_in(3) { "limited".into() } else { "default".into() },
            request: Resources { cpu: MilliCpu::whole(1), devices, ..Resources::ZERO },
            retries: random.below(3) as u32,
            depends_on,
            ..Submission::default()
        };
        let after = if place > 0 && random.one_in(3) { vec![random.below(place) as usize] } else { Vec::new() };
        Asked { submission, after }
    }

    /// Nobody asks for anything any more, all nodes are up, and what was broken is mended.
    pub(crate) fn come_to_rest(&mut self, random: &mut Random) {
        let back =
            (0..self.nodes.len()).map(|number| Input::Resume { node: format!("node{number}"), by: "test".into() });
        self.tester.broken.clear();
        let mut inputs: Vec<Input> = back.collect();
        for _ in 0..20_000 {
            self.turn(random, inputs);
            if self.stored.lives.values().all(Live::is_finished) {
                return;
            }
            self.now = self.now + Millis(5_000);
            self.machine.pass(random, self.now);
            inputs = self.machine.arrived(self.now).into_iter().map(Input::Outcome).collect();
            inputs.extend(self.tester.told(random, self.now));
            if random.one_in(50) {
                // Nodes as they first were, so that all fits.
                self.nodes = (0..self.nodes.len() as u64).map(|number| node(number, 8)).collect();
                self.begin_again(random);
            }
        }
        let open: Vec<&Live> = self.stored.lives.values().filter(|live| !live.is_finished()).collect();
        panic!("it never comes to rest: {open:#?}");
    }
}

fn node(number: u64, devices: u64) -> NodeRecord {
    NodeRecord {
        name: format!("node{number}"),
        cpu_milli: Some(64_000),
        memory_bytes: Some(1 << 36),
        devices: devices as u32,
        ..NodeRecord::default()
    }
}

/// What a process that ended tells.
pub(crate) fn ended(told: &Told) -> Option<Exit> {
    match told {
        Told::Ended { exit, .. } => Some(*exit),
        _ => None,
    }
}
