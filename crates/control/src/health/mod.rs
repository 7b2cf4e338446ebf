//! Whether nodes are fit: who waits for a test, what a test that fails leads to, and when it is made again.
//!
//! A test is asked for ([`Effect::Test`]) and told of ([`Input::Tested`](crate::Input::Tested)), like any action. A start that waits for one is
//! decided and stored, and not handed out before it passes (`starts`); the end of a run that died waits until it is known whose fault that was
//! (`ends`). Nothing of this is stored: after a restart whoever waited was not begun, or tells its end again, and all is tested anew. What
//! must never happen: a start on a node whose test failed, unless that was only to be told; a node drained that nobody consented to drain.
//! Start at [`Control::tested`].

mod drain;
mod ends;
mod policy;
mod starts;

use std::collections::{BTreeMap, BTreeSet};

use fleet::event::EventKind;
use fleet::health::Depth;
use fleet::history::NodeChange;
use fleet::ids::{ActionId, NodeId};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::control::{Control, Effect};
use crate::input::{Refused, Reply};
pub use drain::drain_of;
pub(crate) use ends::Ended;
use ends::HeldEnd;
pub use policy::{Fitness, HealthPolicy, OnFailure};
use starts::HeldStart;

/// A node that failed is tested again so often, so that it is seen when it is well,
const QUICK_AGAIN: Millis = Millis::seconds(30);
/// and so often where that disturbs.
const FULL_AGAIN: Millis = Millis::minutes(10);
/// A test is given up so long after its limit: whoever makes it is gone.
const PATIENCE: Millis = Millis::seconds(30);

/// What is known of nodes' tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    policy: HealthPolicy,
    /// Asked for and not told: how much is tested, and until when that is waited for.
    asked: BTreeMap<NodeId, (Depth, Timestamp)>,
    /// By which test something may start, and since when.
    last: BTreeMap<NodeId, (Depth, Timestamp)>,
    /// Nodes that failed, until they are fit or somebody answers: the engine takes them for drained.
    held: BTreeSet<NodeId>,
    /// When those that failed are tested again.
    again: BTreeMap<NodeId, (Depth, Timestamp)>,
    starts: BTreeMap<ActionId, HeldStart>,
    ends: BTreeMap<ActionId, HeldEnd>,
}

impl Health {
    pub(crate) fn holds(&self, node: NodeId) -> bool {
        self.held.contains(&node)
    }

    /// When something is to be done even if nothing is heard before.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        let overdue = self.asked.values().map(|&(_, until)| until);
        let again = self.again.iter().filter(|(node, _)| !self.asked.contains_key(node)).map(|(_, &(_, at))| at);
        overdue.chain(again).min()
    }
}

impl Control {
    /// The same under a policy of health: every node is tested at once, if anything ever is.
    #[must_use]
    pub fn with_health(mut self, policy: HealthPolicy) -> Self {
        if let Some(depth) = policy.before.max(policy.after_crash) {
            let there = self.nodes.iter().filter(|(_, known)| known.change != Some(NodeChange::Lost));
            self.health.again = there.map(|(&node, _)| (node, (depth, self.last_at))).collect();
        }
        self.health.policy = policy;
        self
    }

    /// Takes in what a test found. Those whose run had died there are judged first, then those that were to start.
    pub(crate) fn tested(&mut self, name: String, depth: Depth, found: Fitness, by: String) -> Result<Reply, Refused> {
        let node = self.node(name)?;
        self.health.asked.remove(&node);
        let drained = self.nodes.get(&node).is_some_and(|known| known.change.is_some());
        // What is only told changes nothing for whoever runs or starts there.
        let refused = match &found {
            Fitness::Unfit { why, then } if drained || *then != OnFailure::Tell => Some(why.as_str()),
            _ => None,
        };
        self.judge(node, refused);
        match (&found, refused) {
            (_, Some(_)) => {
                self.health.last.remove(&node);
                self.refuse_starts(node);
            }
            _ => drop(self.health.last.insert(node, (depth, self.last_at))),
        }
        match found {
            Fitness::Fit => {
                if self.health.again.get(&node).is_none_or(|&(failed, _)| failed <= depth) {
                    self.health.again.remove(&node);
                    self.let_use(node);
                }
            }
            Fitness::Unfit { then, .. } => self.fails(node, depth, then, by),
            // Nothing is known: whatever was, is.
            Fitness::Unknown => {}
        }
        self.let_start(node, depth);
        Ok(Reply::Done)
    }

    /// Whether a node failed a test that looked further than one of this depth, and passed none such since.
    #[must_use]
    pub fn failed_deeper(&self, name: &str, depth: Depth) -> bool {
        let node = self.nodes.iter().find(|(_, known)| known.facts.name == name);
        node.and_then(|(node, _)| self.health.again.get(node)).is_some_and(|&(failed, _)| failed > depth)
    }

    fn fails(&mut self, node: NodeId, depth: Depth, then: OnFailure, by: String) {
        let depth = self.health.again.get(&node).map_or(depth, |&(failed, _)| failed.max(depth));
        let wait = if depth == Depth::Quick { QUICK_AGAIN } else { FULL_AGAIN };
        self.health.again.insert(node, (depth, self.last_at + wait));
        match then {
            OnFailure::Tell => drop(self.let_use(node)),
            OnFailure::Ask => self.hold(node),
            OnFailure::Drain => {
                self.drain_node(node, by);
                self.let_use(node);
            }
        }
    }

    fn hold(&mut self, node: NodeId) {
        if self.is_usable(node) {
            self.tell(EventKind::NodeDrained { node });
        }
        self.health.held.insert(node);
    }

    /// A node is not held any more; whether it was.
    pub(crate) fn let_use(&mut self, node: NodeId) -> bool {
        let was = self.health.held.remove(&node);
        if was && self.is_usable(node) {
            self.tell(EventKind::NodeReturned { node });
        }
        was
    }

    /// Somebody says that a node is to be used: that counts as a test that it passed.
    pub(crate) fn vouch(&mut self, node: NodeId) {
        self.health.last.insert(node, (Depth::Full, self.last_at));
    }

    /// Gives up tests that nobody told of, and asks for those that are to be made again.
    pub(crate) fn look_after_health(&mut self) {
        let now = self.last_at;
        let overdue = self.health.asked.iter().filter(|(_, (_, until))| *until <= now);
        for (node, depth) in overdue.map(|(&node, &(depth, _))| (node, depth)).collect::<Vec<_>>() {
            let name = self.nodes.get(&node).map(|known| known.facts.name.clone()).unwrap_or_default();
            let _known = self.tested(name, depth, Fitness::Unknown, String::new());
        }
        let due = self.health.again.iter().filter(|(_, (_, at))| *at <= now);
        for (node, depth) in due.map(|(&node, &(depth, _))| (node, depth)).collect::<Vec<_>>() {
            self.health.again.insert(node, (depth, now + QUICK_AGAIN));
            // What a full test found only a full test takes back, and it waits until it disturbs nobody.
            if depth == Depth::Quick || !self.is_busy(node) {
                self.ask(node, depth);
            }
        }
    }

    /// Asks for a test, unless one is being made. Where something runs it is a quick one.
    fn ask(&mut self, node: NodeId, depth: Depth) {
        let Some(known) = self.nodes.get(&node) else { return };
        if self.health.asked.contains_key(&node) {
            return;
        }
        let name = known.facts.name.clone();
        let depth = if self.is_busy(node) { Depth::Quick } else { depth };
        self.health.asked.insert(node, (depth, self.last_at + self.health.policy.limit + PATIENCE));
        self.written.effects.push(Effect::Test { node: name, depth });
    }

    /// Whether anything runs on a node, as far as is known.
    fn is_busy(&self, node: NodeId) -> bool {
        self.lives.iter().filter_map(|live| live.open_run()).any(|run| {
            let waits = self.health.starts.contains_key(&run.action) || self.health.ends.contains_key(&run.action);
            !waits && run.slots.iter().any(|slot| slot.node == node)
        })
    }

    /// Whether nothing but a test keeps a node from being used.
    fn is_usable(&self, node: NodeId) -> bool {
        !self.has_stray(node) && self.nodes.get(&node).is_some_and(|known| known.change.is_none())
    }
}

/// Takes those out of which this is so, in order.
fn take_those<T>(all: &mut BTreeMap<ActionId, T>, is_so: impl Fn(&T) -> bool) -> Vec<(ActionId, T)> {
    let (those, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
        std::mem::take(all).into_iter().partition(|(_, one)| is_so(one));
    *all = rest;
    those.into_iter().collect()
}
