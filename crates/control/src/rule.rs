//! Rules that can be set: several of them at once, all or none.

use std::collections::BTreeSet;

use fleet::event::EventKind;
use fleet::history::{NodeChange, QueueRecord};
use fleet::live::{Entry, check_queue};
use fleet::policy::Policy;

use crate::control::Control;
use crate::input::{Refused, Reply};

/// A rule, as it is from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// All that holds for a queue; the queue is made if it is not there.
    Queue(Box<QueueRecord>),
    /// In which order workloads start, and where.
    Policy(Policy),
    /// Nothing new starts on the node of this name.
    Drained(String),
    /// The node of this name is used.
    Usable(String),
}

impl Rule {
    /// Its place among what is heard at one moment, as [`Control::place`] tells it: with other changes.
    pub const PLACE: (u8, u32) = (2, 0);

    /// Whether nothing would be different with it, given what holds, and which nodes are drained. A queue that is not there has no rules.
    #[must_use]
    pub fn holds<'a>(
        &self,
        queues: impl IntoIterator<Item = &'a QueueRecord>,
        policy: &Policy,
        drained: &BTreeSet<String>,
    ) -> bool {
        match self {
            Self::Drained(node) => drained.contains(node),
            Self::Usable(node) => !drained.contains(node),
            Self::Policy(wanted) => wanted == policy,
            Self::Queue(wanted) => match queues.into_iter().find(|queue| queue.name == wanted.name) {
                Some(queue) => queue == &**wanted,
                None => **wanted == QueueRecord { name: wanted.name.clone(), ..QueueRecord::default() },
            },
        }
    }
}

impl Control {
    /// Whether these rules are what holds.
    #[must_use]
    pub fn holds(&self, rules: &[Rule]) -> bool {
        let drained = self.drained();
        rules.iter().all(|rule| rule.holds(self.queues.values(), self.engine.policy(), &drained))
    }

    /// The names of the nodes that are drained.
    fn drained(&self) -> BTreeSet<String> {
        let drained = self.nodes.values().filter(|known| known.change == Some(NodeChange::Drained));
        drained.map(|known| known.facts.name.clone()).collect()
    }

    pub(crate) fn set_rules(&mut self, rules: Vec<Rule>, by: String) -> Result<Reply, Refused> {
        for rule in &rules {
            match rule {
                Rule::Queue(rules) => check_queue(rules).map_err(|what| Refused::Invalid { place: 0, what })?,
                Rule::Drained(node) | Rule::Usable(node) => drop(self.node(node.clone())?),
                Rule::Policy(_) => {}
            }
        }
        let mut changed = false;
        for rule in rules {
            changed |= match rule {
                Rule::Queue(rules) => self.set_queue(*rules, by.clone()),
                Rule::Policy(policy) => self.set_policy(policy, by.clone()),
                Rule::Drained(node) => self.drain(node, by.clone())? == Reply::Done,
                Rule::Usable(node) => self.resume(node, by.clone())? == Reply::Done,
            };
        }
        Ok(if changed { Reply::Done } else { Reply::Nothing })
    }

    fn set_queue(&mut self, rules: QueueRecord, by: String) -> bool {
        if self.queues.get(&rules.name) == Some(&rules) {
            return false;
        }
        let queue = self.vocabulary.queue(&rules);
        self.tell(EventKind::QueueSet { queue });
        self.queues.insert(rules.name.clone(), rules.clone());
        self.write(Entry::QueueSet { rules, by: Some(by) });
        true
    }

    fn set_policy(&mut self, policy: Policy, by: String) -> bool {
        if *self.engine.policy() == policy {
            return false;
        }
        self.tell(EventKind::PolicySet { policy: policy.clone() });
        self.write(Entry::PolicySet { policy, by: Some(by) });
        true
    }
}
