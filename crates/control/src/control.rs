//! The state, and the two verbs: hear, decide.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use allocate::{Budget, Engine, Observed};
use fleet::action::{ActionKind, Slot};
use fleet::event::{Event, EventKind};
use fleet::health::Depth;
use fleet::history::{NodeChange, NodeRecord, QueueRecord};
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Entry, Live, StopReason, Submission, Told};
use fleet::policy::Policy;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use crate::health::Health;
use crate::input::{Input, Refused, Reply};
use crate::lives::Lives;
use crate::rule::Rule;
use crate::vocabulary::Vocabulary;

/// The control plane's state.
#[derive(Clone, Debug)]
pub struct Control {
    pub(crate) engine: Engine,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) nodes: BTreeMap<NodeId, KnownNode>,
    pub(crate) queues: BTreeMap<String, QueueRecord>,
    pub(crate) lives: Lives,
    /// Those that fail wait here until they may be tried again.
    pub(crate) backing_off: BTreeSet<(Timestamp, WorkloadId)>,
    /// Those that run where the engine has no room for them: found so at a restart, when a node had become smaller.
    pub(crate) strays: BTreeMap<WorkloadId, Vec<NodeId>>,
    pub(crate) next_workload: u32,
    pub(crate) engine_seq: u64,
    pub(crate) last_at: Timestamp,
    /// Who lined up of late, and when.
    pub(crate) came: VecDeque<(Timestamp, Workload)>,
    pub(crate) written: Written,
    pub(crate) health: Health,
    wake_at: Option<Timestamp>,
}

/// What is needed to look ahead.
#[derive(Clone, Debug)]
pub struct Ahead {
    /// A copy of the engine.
    pub engine: Engine,
    /// The moment it is of.
    pub now: Timestamp,
    /// Who lined up in the days before, and when.
    pub came: Vec<(Timestamp, Workload)>,
}

/// A node, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownNode {
    /// Its facts.
    pub facts: NodeRecord,
    /// What last became of it; nothing: it is up.
    pub change: Option<NodeChange>,
}

/// What is to be stored, and what may be done after that.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The moment of all entries.
    pub at: Timestamp,
    /// For the log.
    pub entries: Vec<Entry>,
    /// To be done once the entries are stored, in this order.
    pub effects: Vec<Effect>,
}

/// Something to do outside. Each but a test is told by an action's id, and doing it twice does it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start this.
    Start {
        /// The action.
        action: ActionId,
        /// Which workload.
        workload: WorkloadId,
        /// What to run.
        submission: Box<Submission>,
        /// Which attempt it is, from 1.
        attempt: u32,
        /// Where.
        slots: Vec<Slot>,
    },
    /// Stop what this action began.
    Stop {
        /// The action.
        action: ActionId,
    },
    /// What this action began is over, and stored: nothing of it need be kept.
    Forget {
        /// The action.
        action: ActionId,
    },
    /// Test a node, and tell ([`Input::Tested`]).
    Test {
        /// Its name.
        node: String,
        /// How much.
        depth: Depth,
    },
}

impl Control {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            vocabulary: Vocabulary::default(),
            nodes: BTreeMap::new(),
            queues: BTreeMap::new(),
            lives: Lives::default(),
            backing_off: BTreeSet::new(),
            strays: BTreeMap::new(),
            next_workload: 1,
            engine_seq: 0,
            last_at: Timestamp::MIN,
            came: VecDeque::new(),
            written: Written::default(),
            health: Health::default(),
            wake_at: None,
        }
    }

    /// The place of an input among those that are heard at one moment: ends come before changes, and these before arrivals, ends in the
    /// order of workloads. It is the order of events in a history.
    #[must_use]
    pub fn place(&self, input: &Input) -> (u8, u32) {
        match input {
            Input::Outcome(outcome) => {
                let begun = matches!(outcome.told, Told::Started);
                (u8::from(begun), self.lives.of_action(outcome.action).map_or(0, |live| live.id.0))
            }
            Input::Drain { .. } | Input::Resume { .. } | Input::Tested { .. } => (2, 0),
            Input::SetRules { .. } => Rule::PLACE,
            Input::Submit { .. } => (3, 0),
            Input::Cancel { .. } | Input::Preempt { .. } => (4, 0),
        }
    }

    /// Takes something in. What it answers holds once the entries written for it are stored.
    ///
    /// # Errors
    /// If it cannot be; then nothing of it was.
    pub fn hear(&mut self, now: Timestamp, input: Input) -> Result<Reply, Refused> {
        self.pass_to(now);
        match input {
            Input::Outcome(outcome) => Ok(self.outcome(outcome)),
            Input::Drain { node, by } => self.drain(node, by),
            Input::Resume { node, by } => self.resume(node, by),
            Input::Tested { node, depth, found, by } => self.tested(node, depth, found, by),
            Input::SetRules { rules, by } => self.set_rules(rules, by),
            Input::Submit { asked, past, by } => self.submit(asked, &past, by),
            Input::Cancel { workload, by } => self.cancel(workload, by),
            Input::Preempt { workload, by } => self.preempt(workload, by),
        }
    }

    /// Decides who starts now, and takes all that was written since the last time.
    pub fn decide(&mut self, now: Timestamp) -> Written {
        self.pass_to(now);
        self.end_back_offs();
        self.look_after_health();
        let decision = self.engine.decide(self.last_at, Budget::default());
        for action in decision.actions {
            let ActionKind::Start { workload, slots } = action.kind;
            self.write(Entry::Decided { action: action.id, workload, slots: slots.clone() });
            let live = self.lives.get(workload).expect("whoever starts was waiting");
            let (submission, attempt) = (Box::new(live.submission.clone()), live.runs.len() as u32);
            let start = Effect::Start { action: action.id, workload, submission, attempt, slots: slots.clone() };
            self.begin(action.id, workload, &slots, start);
        }
        let back_off = self.backing_off.first().map(|&(at, _)| at);
        self.wake_at = decision.wake_at.into_iter().chain(back_off).chain(self.health.wake_at()).min();
        Written { at: self.last_at, ..std::mem::take(&mut self.written) }
    }

    /// When to decide again even if nothing is heard before.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }

    /// Whether anybody may start and has not been started.
    #[must_use]
    pub fn anyone_waits(&self) -> bool {
        self.engine.waiting() > 0
    }

    /// What is needed to look ahead: a copy of the engine that learns nothing, and who came of late.
    #[must_use]
    pub fn ahead(&self) -> Ahead {
        Ahead { engine: self.engine.ahead(), now: self.last_at, came: self.came.iter().cloned().collect() }
    }

    /// All nodes.
    #[must_use]
    pub fn nodes(&self) -> &BTreeMap<NodeId, KnownNode> {
        &self.nodes
    }

    /// All queues that have rules, by name.
    #[must_use]
    pub fn queues(&self) -> &BTreeMap<String, QueueRecord> {
        &self.queues
    }

    /// The rules of scheduling.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        self.engine.policy()
    }

    /// Everyone who is not over, in order of id.
    pub fn open(&self) -> impl Iterator<Item = &Live> {
        self.lives.iter()
    }

    /// Actions that began, or were to begin, something that is not known to be over: those an adapter is asked about after a
    /// restart.
    #[must_use]
    pub fn open_actions(&self) -> Vec<ActionId> {
        self.lives.iter().filter_map(Live::open_run).map(|run| run.action).collect()
    }

    /// How many run where the engine has no room for them.
    #[must_use]
    pub fn strays(&self) -> usize {
        self.strays.len()
    }

    pub(crate) fn drain(&mut self, name: String, by: String) -> Result<Reply, Refused> {
        let node = self.node(name)?;
        Ok(if self.drain_node(node, by) { Reply::Done } else { Reply::Nothing })
    }

    /// Whether it was used until then.
    pub(crate) fn drain_node(&mut self, node: NodeId, by: String) -> bool {
        let known = self.nodes.get_mut(&node).expect("it was found");
        if known.change.is_some() {
            return false;
        }
        known.change = Some(NodeChange::Drained);
        if !self.has_stray(node) && !self.health.holds(node) {
            self.tell(EventKind::NodeDrained { node });
        }
        self.write(Entry::NodeChanged { node, change: NodeChange::Drained, by: Some(by) });
        true
    }

    pub(crate) fn resume(&mut self, name: String, by: String) -> Result<Reply, Refused> {
        let node = self.node(name)?;
        Ok(if self.resume_node(node, by) { Reply::Done } else { Reply::Nothing })
    }

    /// Whether it was not used until then.
    pub(crate) fn resume_node(&mut self, node: NodeId, by: String) -> bool {
        // While it stands as drained: one that is held and drained is told of once.
        let held = self.let_use(node);
        let known = self.nodes.get_mut(&node).expect("it was found");
        let drained = known.change == Some(NodeChange::Drained);
        if drained {
            known.change = None;
            if !self.has_stray(node) {
                self.tell(EventKind::NodeReturned { node });
            }
            self.write(Entry::NodeChanged { node, change: NodeChange::Returned, by: Some(by) });
        }
        if held || drained {
            self.vouch(node);
        }
        held || drained
    }

    pub(crate) fn node(&self, name: String) -> Result<NodeId, Refused> {
        let found = self.nodes.iter().find(|(_, known)| known.facts.name == name);
        found.map(|(&node, _)| node).ok_or(Refused::NoNode(name))
    }

    /// Whether something runs on a node where the engine knows of no room for it. Nothing new starts there until that is over.
    pub(crate) fn has_stray(&self, node: NodeId) -> bool {
        self.strays.values().any(|nodes| nodes.contains(&node))
    }

    fn cancel(&mut self, id: WorkloadId, by: String) -> Result<Reply, Refused> {
        let live = self.lives.get(id).ok_or(Refused::NotOpen(id))?;
        if live.open_run().is_some() {
            return Ok(self.stop(id, StopReason::Cancel, by));
        }
        self.leave_line(id);
        self.finish(id, fleet::event::EndCause::Cancelled, None);
        Ok(Reply::Done)
    }

    fn preempt(&mut self, id: WorkloadId, by: String) -> Result<Reply, Refused> {
        let live = self.lives.get(id).ok_or(Refused::NotOpen(id))?;
        if live.open_run().is_none() {
            return Err(Refused::NotRunning(id));
        }
        Ok(self.stop(id, StopReason::Preempt, by))
    }

    /// Asks a run to stop. Who is cancelled is not preempted any more, and what was asked twice is done once.
    fn stop(&mut self, id: WorkloadId, why: StopReason, by: String) -> Reply {
        let live = self.lives.get(id).expect("whoever is stopped is there");
        let run = live.open_run().expect("whoever is stopped runs");
        if live.stopping == Some(why) || live.stopping == Some(StopReason::Cancel) {
            return Reply::Nothing;
        }
        let action = run.action;
        self.write(Entry::StopAsked { workload: id, why, by: Some(by) });
        if self.give_up_start(action) {
            self.not_begun(action, id);
            return Reply::Done;
        }
        self.written.effects.push(Effect::Stop { action });
        Reply::Done
    }

    /// Time never runs backwards here.
    pub(crate) fn pass_to(&mut self, now: Timestamp) {
        self.last_at = self.last_at.max(now);
    }

    /// Writes an entry, and lets the workload it speaks of know.
    pub(crate) fn write(&mut self, entry: Entry) {
        self.lives.apply(&entry, self.last_at);
        self.written.entries.push(entry);
    }

    /// Tells the engine. Whatever it hears from here it must be able to follow.
    pub(crate) fn tell(&mut self, kind: EventKind) {
        let heard = self.try_tell(kind);
        debug_assert_eq!(heard, Observed::Applied, "the engine and the log do not agree");
    }

    pub(crate) fn try_tell(&mut self, kind: EventKind) -> Observed {
        self.engine_seq += 1;
        self.engine.observe(&Event { seq: self.engine_seq, at: self.last_at, kind })
    }
}
